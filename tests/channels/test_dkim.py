"""Our own DKIM signatures, as another implementation sees them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dkim
import pytest

from channels import dkim_signing
from channels.providers import PROVIDERS
from channels.providers.base import Outcome
from channels.rendering_mail import Mail, Wire, build, frame, framed
from tests.contracts.smtp_sink import smtp_sink
from tests.contracts.test_providers import parcel
from tests.factories import NOON

KEY = dkim_signing.new_key()


def _verified(raw: bytes, record: str) -> bool:
    def answer(name: bytes | str, timeout: Any = 5) -> bytes:
        assert str(name if isinstance(name, str) else name.decode()).startswith("s1._domainkey.shop.example")
        return record.encode()

    return bool(dkim.verify(raw, dnsfunc=answer))


def _mail(text: str, html: str) -> bytes:
    mail = Mail("ann@example.com", "hello@shop.example", "Café", "A  subject — with signs", text, html,
                "<1@shop.example>", NOON, unsubscribe_url="https://shop.example/u/" + "x" * 80,
                headers={"Feedback-ID": "a:b:c:segue"})  # fmt: skip
    return build(mail)


@pytest.mark.parametrize(
    ("text", "html"), [("Hello", "<p>Hello</p>"), ("", ""), (" lines \t \n\n\n\n",
    "<p> \t two  spaces </p>\n\n")]
)  # fmt: skip
def test_a_signature_is_good_for_others(text: str, html: str) -> None:
    signed = dkim_signing.sign(_mail(text, html), "shop.example", "s1", KEY)
    assert _verified(signed, dkim_signing.record(KEY))
    assert not _verified(signed.replace(b"Subject:", b"Subject: You won"), dkim_signing.record(KEY))
    assert not _verified(b"Subject: a second one\r\n" + signed, dkim_signing.record(KEY))


def test_a_finished_mail_is_signed_as_it_leaves() -> None:
    letter = Mail("ann@example.com", "hello@shop.example", "", "Hi", "", "", "<1@shop.example>", NOON)
    raw = framed(frame(letter), "ann@example.com", "Hi", "<1@shop.example>", "", b"--=_segue  \r\n\r\nx\r\n")
    with smtp_sink() as sink:
        provider = PROVIDERS["smtp"](1, {
            "host": "127.0.0.1", "port": sink.port, "security": "none",
            "dkim_selector": "s1", "dkim_key": KEY,
        })  # fmt: skip
        one = replace(parcel("email", "ann@example.com"), content=Wire("", letter.sender, "Hi", raw))
        assert provider.send([one], lambda going: going, NOON)[one.message_id].outcome is Outcome.ACCEPTED
        provider.close()
        (mail,) = sink.mails
    assert _verified(mail.data, dkim_signing.record(KEY))


def test_mail_over_smtp_is_signed_and_bounces_go_where_they_should() -> None:
    with smtp_sink() as sink:
        provider = PROVIDERS["smtp"](1, {
            "host": "127.0.0.1", "port": sink.port, "security": "none",
            "bounce_address": "bounces@example.org",
            "dkim_selector": "s1", "dkim_key": KEY,
        })  # fmt: skip
        one = parcel("email", "ann@example.com")
        assert provider.send([one], lambda going: going, NOON)[one.message_id].outcome is Outcome.ACCEPTED
        provider.close()
        (mail,) = sink.mails
    assert mail.data.startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=s1;")
    assert "bounces@example.org" in mail.sender


def test_a_bad_key_waits_to_be_mended() -> None:
    with smtp_sink() as sink:
        provider = PROVIDERS["smtp"](1, {"host": "127.0.0.1", "port": sink.port, "security": "none",
                                         "dkim_selector": "s1", "dkim_key": "no"})  # fmt: skip
        one = parcel("email", "ann@example.com")
        result = provider.send([one], lambda going: going, NOON)[one.message_id]
        provider.close()
        assert (result.outcome, result.code) == (Outcome.TRY_LATER, "settings")
        assert not sink.mails
