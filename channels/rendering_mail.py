"""An email as bytes, ready for SMTP. Strict and quick: it builds the one shape that Segue sends.

That shape is text and HTML as ``multipart/alternative`` in quoted-printable, with headers that cannot be
broken out of. The standard library's builder takes ten times as long.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

_NOT_IN_HEADERS = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_NAME_SPECIALS = re.compile(r'[()<>\[\]:;@\\,."]')
_LINE = re.compile(r"\r\n|\r|\n")
_SURROGATES = re.compile("[\ud800-\udfff]")
#: UTF-8 bytes that fit one encoded word: 75 characters less its frame, in base64, in whole fours.
_WORD_BYTES = 45
_LONGEST_LINE = 76
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


class HeaderError(ValueError):
    """A header's value would break out of its line. Fails one message, never its neighbours."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One email. ``recipient`` and ``sender`` are checked ASCII addresses (see channels.addresses)."""

    recipient: str
    sender: str
    sender_name: str
    subject: str
    text: str
    html: str
    message_id: str
    sent_at: datetime
    reply_to: str = ""
    unsubscribe_url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wire:
    """One email in the bytes that SMTP carries: the last line is a dot alone, no other begins with one."""

    recipient: str
    sender: str
    subject: str
    raw: bytes


#: "=_" can stand in no quoted-printable text, so no body can hold the boundary.
BOUNDARY = b"=_segue"


_MULTIPART = b'\r\nContent-Type: multipart/alternative; boundary="' + BOUNDARY + b'"\r\n\r\n'


class Frame(NamedTuple):
    """The head of a mail, but for its recipient, subject, Message-ID and address to unsubscribe."""

    begins: bytes
    dated: bytes
    between: bytes
    ends: bytes
    can_unsubscribe: bool


def frame(mail: Mail) -> Frame:
    """What all mails have in common that differ from ``mail`` in those four only. Raises HeaderError."""
    sender, _recipient, _subject, date, _message_id, *rest, version = _head(mail)
    own = int(bool(mail.reply_to))
    before = "".join(f"\r\n{line}" for line in (rest[:own] if mail.unsubscribe_url else rest))
    after = "".join(f"\r\n{line}" for line in (rest[own + 1 :] if mail.unsubscribe_url else []))
    if mail.unsubscribe_url:
        before, after = f"{before}\r\nList-Unsubscribe: <", f">{after}"
    return Frame(
        f"{sender}\r\nTo: <".encode("ascii"),
        f"\r\n{date}\r\nMessage-ID: ".encode("ascii"),
        before.encode("ascii"),
        f"{after}\r\n{version}".encode("ascii"),
        bool(mail.unsubscribe_url),
    )


def framed(
    frame: Frame, recipient: str, subject: str, message_id: str, unsubscribe_url: str, body: bytes
) -> bytes:
    """The bytes of a mail whose ``body`` (between ``BOUNDARY``) is finished. Raises HeaderError."""
    to, subject_line = _checked(recipient).encode("ascii"), header("Subject", subject).encode("ascii")
    unsubscribe = unsubscribe_url.encode("ascii") if frame.can_unsubscribe else b""
    return b"".join(
        (
            frame.begins, to, b">\r\n", subject_line, frame.dated, message_id.encode("ascii"), frame.between,
            unsubscribe, frame.ends, _MULTIPART, body, b".\r\n",
        )
    )  # fmt: skip


def stuffed(raw: bytes) -> bytes:
    """A built mail as SMTP carries it."""
    body = raw.replace(b"\r\n.", b"\r\n..")
    end = b".\r\n" if body.endswith(b"\r\n") else b"\r\n.\r\n"
    return (b"." if body.startswith(b".") else b"") + body + end


def _head(mail: Mail) -> list[str]:
    return [
        f"From: {mailbox(mail.sender_name, mail.sender)}",
        f"To: <{_checked(mail.recipient)}>",
        header("Subject", mail.subject),
        f"Date: {_date(mail.sent_at)}",
        f"Message-ID: {_checked(mail.message_id)}",
        *_optional(mail),
        "MIME-Version: 1.0",
    ]


@lru_cache(maxsize=64)
def _date(at: datetime) -> str:
    return format_datetime(at)


def build(mail: Mail) -> bytes:
    """The message with CRLF line ends, without SMTP's dot-stuffing. Raises HeaderError."""
    head = _head(mail)
    if not mail.html:
        return "\r\n".join(head).encode("ascii") + b"\r\n" + part("plain", mail.text)
    # "=_" can stand in no quoted-printable text, so no body can hold the boundary.
    boundary = "=_" + hashlib.sha256(mail.message_id.encode()).hexdigest()[:24]
    head.append(f'Content-Type: multipart/alternative; boundary="{boundary}"')
    fence = f"--{boundary}\r\n".encode()
    return b"".join(
        (
            "\r\n".join(head).encode("ascii"), b"\r\n\r\n",
            fence, part("plain", mail.text), b"\r\n",
            fence, part("html", mail.html), b"\r\n",
            fence[:-2], b"--\r\n",
        )
    )  # fmt: skip


def header(name: str, value: str) -> str:
    """``name: value`` folded to short lines, as encoded words when it is not plain ASCII."""
    checked = _checked(value)
    if _PLAIN.fullmatch(checked) and "=?" not in checked:
        return _fold(name, checked)
    return f"{name}: " + "\r\n ".join(_words(checked))


# Feedback-ID, List-Id and the sender are the same in thousands of mails.
_kept_header = lru_cache(maxsize=512)(header)


@lru_cache(maxsize=512)
def mailbox(name: str, address: str) -> str:
    checked = _checked(name).strip()
    if not checked:
        return f"<{_checked(address)}>"
    if not _PLAIN.fullmatch(checked) or "=?" in checked:
        shown = "\r\n ".join(_words(checked))
    elif _NAME_SPECIALS.search(checked):
        shown = '"' + checked.replace("\\", "\\\\").replace('"', '\\"') + '"'
    else:
        shown = checked
    return f"{shown}\r\n <{_checked(address)}>" if len(shown) > 40 else f"{shown} <{_checked(address)}>"


def _optional(mail: Mail) -> list[str]:
    lines = []
    if mail.reply_to:
        lines.append(f"Reply-To: <{_checked(mail.reply_to)}>")
    if mail.unsubscribe_url:
        # RFC 8058: one HTTPS address, and the word that a POST to it unsubscribes at once.
        lines.append(f"List-Unsubscribe: <{_checked(mail.unsubscribe_url)}>")
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    for name, value in mail.headers.items():
        if not _NAME.fullmatch(name):
            raise HeaderError(f"{name!r} is no header")
        lines.append(_kept_header(name, value))
    return lines


def _checked(value: str) -> str:
    if found := _NOT_IN_HEADERS.search(value):
        raise HeaderError(f"U+{ord(found[0]):04X} may not stand in a header")
    return value


def _fold(name: str, value: str) -> str:
    lines, line = [], f"{name}:"
    for word in value.split(" "):
        # A line of spaces only would end the header, so folding happens before words.
        if word and len(line) + 1 + len(word) > _LONGEST_LINE and line.rstrip(": ") != name:
            lines.append(line)
            line = f" {word}"
        else:
            line = f"{line} {word}"
    return "\r\n".join([*lines, line])


def _words(value: str) -> list[str]:
    words, chunk = [], b""
    if len(whole := value.encode()) <= _WORD_BYTES:
        value, chunk = "", whole
    for sign in value:
        encoded = sign.encode()
        if len(chunk) + len(encoded) > _WORD_BYTES:
            words.append(chunk)
            chunk = b""
        chunk += encoded
    words.append(chunk)
    return [f"=?utf-8?b?{base64.b64encode(word).decode('ascii')}?=" for word in words]


def part(kind: str, body: str) -> bytes:
    """One part of a multipart body with its headers, ended by a line end."""
    text = _LINE.sub("\r\n", body) if "\r" in body else body.replace("\n", "\r\n")
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = _SURROGATES.sub("\ufffd", text).encode()
    # Its soft line breaks follow the first line end that it meets, so there is always one.
    encoded = binascii.b2a_qp(data + b"\r\n", quotetabs=False, istext=True)
    return (
        b"Content-Type: text/" + kind.encode() + b"; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + encoded
    )
