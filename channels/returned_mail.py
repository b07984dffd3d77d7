"""What a mail that comes back says: a bounce (RFC 3464), a complaint (RFC 5965), an answer. Pure.

Nothing in it is believed but the Message-ID that it names, which is signed (channels.mail_ids).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Any

LARGEST = 5_000_000
_PARTS = 60
_TEXT = 60_000
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REFUSED = re.compile(r"\b(55[0-4])[ -]")
_NOBODY = re.compile(
    r"user unknown|unknown user|no such (user|mailbox|recipient)|does not exist|mailbox not found"
    r"|invalid recipient|recipient rejected|address rejected",
    re.IGNORECASE,
)
#: Enhanced codes after which the address is worth no further try: RFC 3463, with 5.2.1 "disabled".
_ENDED = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"})
_ACTIONS = {
    "failed": "bounced", "delayed": "deferred", "delivered": "delivered", "relayed": "delivered",
    "expanded": "delivered",
}  # fmt: skip
_DAEMON = re.compile(r"mailer-daemon@|postmaster@|<>|^mailer-daemon", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Returned:
    """``kind`` is a receipt's word. ``names`` holds the text in which the Message-ID stands.

    ``soft``: the address may work another time.
    """

    kind: str
    names: str
    code: str = ""
    soft: bool = False


def read(raw: bytes) -> Returned | None:
    """What the mail says; None when it is nothing of ours, or written by a machine that is away."""
    if len(raw) > LARGEST:
        return None
    try:
        return of(message_from_bytes(raw))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # Python's parser trips over some of what strangers send. It is theirs, and says nothing to us.
        return None


def of(mail: Message[Any, Any]) -> Returned | None:
    """As ``read``, of a mail that has been taken apart."""
    parts = list(_parts(mail))
    report = next((one for one in parts if one.get_content_type() == "message/delivery-status"), None)
    if report is not None:
        return _bounce(report, _original(parts))
    feedback = next((one for one in parts if one.get_content_type() == "message/feedback-report"), None)
    if feedback is not None:
        return _complaint(feedback, _original(parts))
    if _DAEMON.search(f"{mail.get('From', '')} {mail.get('Return-Path', '')}"):
        return _plain_bounce(mail, parts)
    if _by_machine(mail):
        return None
    return Returned("replied", f"{mail.get('References', '')} {mail.get('In-Reply-To', '')}")


def _parts(mail: Message[Any, Any]) -> Iterator[Message[Any, Any]]:
    for count, part in enumerate(mail.walk()):
        if count > _PARTS:
            return
        yield part


def _original(parts: list[Message[Any, Any]]) -> str:
    """The Message-ID of the mail that came back, from the copy or its headers."""
    for part in parts[1:]:
        if part.get_content_type() == "text/rfc822-headers":
            return _text(part)
        if name := part.get("Message-ID"):
            return str(name)
    return ""


def _bounce(report: Message[Any, Any], names: str) -> Returned | None:
    blocks = [one for one in _blocks(report) if one.get("Action")]
    if not blocks:
        return None
    block = blocks[0]
    kind = _ACTIONS.get(str(block["Action"]).strip().lower())
    status = _STATUS.search(str(block.get("Status", "")))
    words = " ".join(str(block.get("Diagnostic-Code", "")).split())
    code = " ".join(filter(None, (status[0] if status else "", words)))[:500]
    if kind is None:
        return None
    return Returned(kind, names, code, kind == "bounced" and not _ended(status[0] if status else "", words))


def _complaint(feedback: Message[Any, Any], names: str) -> Returned | None:
    told = next(iter(_blocks(feedback)), None)
    kind = str((told.get("Feedback-Type") if told is not None else "") or _text(feedback)).lower()
    if "opt-out" in kind:
        return Returned("unsubscribed", names, "opt-out")
    return Returned("complained", names, "abuse") if "abuse" in kind or "fraud" in kind else None


def _plain_bounce(mail: Message[Any, Any], parts: list[Message[Any, Any]]) -> Returned | None:
    """A bounce in a server's own words, as qmail and old gateways write them."""
    text = "\n".join(_text(one) for one in parts if one.get_content_maintype() == "text")[:_TEXT]
    names = f"{_original(parts)} {text} {mail.get('In-Reply-To', '')}"
    status, refused = _STATUS.search(text), _REFUSED.search(text)
    if not (refused or (status and status[1] == "5") or _NOBODY.search(text)):
        return None
    code = (status or refused or [""])[0]
    return Returned("bounced", names, code, not _ended(status[0] if status else "", text))


def _ended(status: str, words: str) -> bool:
    if status.startswith("4"):
        return False
    return status in _ENDED or bool(status in ("", "5.0.0") and _NOBODY.search(words))


def _blocks(report: Message[Any, Any]) -> list[Message[Any, Any]]:
    found = report.get_payload()
    return [one for one in found if isinstance(one, Message)] if isinstance(found, list) else []


def _text(part: Message[Any, Any]) -> str:
    content = part.get_payload(decode=True)
    return content[:_TEXT].decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _by_machine(mail: Message[Any, Any]) -> bool:
    """Out of the office, lists, and other answers that nobody wrote (RFC 3834)."""
    told = str(mail.get("Auto-Submitted", "no")).strip().lower()
    precedence = str(mail.get("Precedence", "")).strip().lower()
    return (
        told.partition(";")[0] != "no"
        or precedence in ("bulk", "junk", "list", "auto_reply")
        or any(mail.get(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress"))
    )


def own_id(raw: bytes) -> str:
    """The Message-ID of the mail itself, by which it is known when it is read again."""
    found = re.search(rb"^message-id:\s*(<[^>\r\n]{1,300}>)", raw[:20_000], re.IGNORECASE | re.MULTILINE)
    return found[1].decode("ascii", "replace") if found else ""
