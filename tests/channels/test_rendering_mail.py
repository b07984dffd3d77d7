"""The bytes of an email: what is built can be read back, and nothing breaks out of a header."""

import email
import email.policy
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.rendering_mail import HeaderError, Mail, build
from tests.examples import examples

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
_HEADERS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200)


def _mail(**values: Any) -> Mail:
    defaults: dict[str, Any] = {
        "recipient": "ann@example.com",
        "sender": "shop@example.org",
        "sender_name": "Shop",
        "subject": "Hello",
        "text": "Hello",
        "html": "<p>Hello</p>",
        "message_id": "<1@example.org>",
        "sent_at": datetime(2026, 3, 10, tzinfo=UTC),
    }
    return Mail(**{**defaults, **values})


def _read(raw: bytes) -> Any:
    return email.message_from_bytes(raw, policy=email.policy.default)


def _lines(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text.rstrip("\r\n"))


@examples(200)
@given(text=_TEXTS, html=_TEXTS, subject=_HEADERS, name=_HEADERS)
def test_any_words_come_back_as_they_were(text: str, html: str, subject: str, name: str) -> None:
    raw = build(_mail(text=text, html=html or "x", subject=subject.strip(), sender_name=name))
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    message = _read(raw)
    assert message["subject"] == subject.strip()
    assert message["from"].addresses[0].addr_spec == "shop@example.org"
    plain, page = message.iter_parts()
    assert _lines(plain.get_content()) == _lines(text)
    assert _lines(page.get_content()) == _lines(html or "x")


@pytest.mark.parametrize("sign", ["\r", "\n", "\r\n", "\x00", "\u2028", "\u2029", "\x85", "\x0b"])
@pytest.mark.parametrize(
    "field", ["subject", "sender_name", "reply_to", "unsubscribe_url", "message_id", "recipient"]
)
def test_a_line_break_in_a_header_is_refused(field: str, sign: str) -> None:
    with pytest.raises(HeaderError):
        build(_mail(**{field: f"a{sign}Bcc: all@example.com"}))


def test_a_header_of_ones_own_is_refused_when_its_name_is_not_one() -> None:
    with pytest.raises(HeaderError):
        build(_mail(headers={"X-A: b\r\nBcc": "c"}))


@pytest.mark.parametrize(
    "body", ["a\n.\nb", "a\r.\rb", ".\r\n", "x" * 5000, "é" * 5000, "a\n.\r\nMAIL FROM:<x@y>"]
)
def test_odd_bodies_come_back_in_one_piece(body: str) -> None:
    message = _read(build(_mail(text=body, html="")))
    assert _lines(message.get_content()) == _lines(body)


def test_unsubscribing_takes_one_click() -> None:
    url = "https://segue.example/u/" + "a" * 200
    message = _read(build(_mail(unsubscribe_url=url)))
    assert message["List-Unsubscribe"] == f"<{url}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
