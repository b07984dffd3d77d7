"""Bodies that would end a mail, or begin another one, if anybody let them: tried at a server."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from channels.providers import PROVIDERS
from channels.providers.base import Outcome
from channels.rendering_mail import Mail
from tests.contracts.smtp_sink import smtp_sink
from tests.contracts.test_providers import parcel

ODD = {
    "dot": "before\n.\nMAIL FROM:<evil@example.com>\nafter",
    "dot_crlf": "before\r\n.\r\nRCPT TO:<evil@example.com>\r\nafter",
    "bare_cr": "before\r.\rDATA\rafter",
    "dots": "..\n.a\n...",
    "long": "x" * 5_000 + " end",
    "eight_bit": "é" * 2_000 + "\u2028 \u0085 end",
    "nul": "a\x00b",
}


@pytest.mark.parametrize("name", sorted(ODD))
def test_one_mail_arrives_for_one_that_was_sent(name: str) -> None:
    with smtp_sink() as sink:
        values = {"host": "127.0.0.1", "port": sink.port, "security": "none", "timeout": 5}
        provider = PROVIDERS["smtp"](1, values)
        odd, next_one = parcel("email", "ann@example.com"), parcel("email", "bob@example.com")
        assert isinstance(odd.content, Mail)
        odd = replace(odd, content=replace(odd.content, text=ODD[name], html=f"<pre>{ODD[name]}</pre>"))
        answers = provider.send([odd, next_one], list, odd.created_at)
        provider.close()
        assert {one.outcome for one in answers.values()} == {Outcome.ACCEPTED}
        assert len(sink.mails) == 2
        (mail,) = sink.to("ann@example.com")
        assert sink.to("evil@example.com") == []
    read = message_from_bytes(mail.data, policy=policy.default)
    text = read.get_body(("plain",))
    assert text
    assert text.get_content().split() == ODD[name].split()
