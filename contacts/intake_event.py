"""The form in which an accepted event waits in the inbox, and the reason on one that was not accepted.

Intake writes it, ingest reads it; nothing else travels between the two.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

CONSENT_NAMES = frozenset({"Consent Updated", "Segment Consent Preference Updated"})
"Tracks by which a person says what they allow; the second is what Segment's own consent manager sends."


class IntakeEvent(msgspec.Struct, frozen=True, gc=False, rename={
    "type": "t",
    "name": "n",
    "message_id": "m",
    "occurred_at": "at",
    "user_id": "u",
    "anonymous_id": "a",
    "previous_id": "p",
    "group_id": "g",
    "peer": "ip",
    "properties": "props",
    "context": "ctx",
}):  # fmt: skip
    """One checked event, whatever call and SDK it came by.

    ``type`` is track, identify, page, screen, group or alias. ``name`` is the event's name, or the page's
    or screen's ("" where there is none). ``occurred_at`` is aware, in UTC, corrected for the sender's clock.
    ``properties`` holds the traits of identify and group. It and ``context`` are the JSON bytes of an
    object, checked (no NUL, no lone surrogates, depth, keys and numbers bounded), so ``bytes(...)`` may go
    into jsonb as it is; ``properties_dict`` and ``context_dict`` read them. ``peer`` is the network
    address of somebody who said what they allow: written by intake, never by the sender.
    """

    type: str
    name: str
    message_id: str
    occurred_at: datetime
    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    peer: str | None = None
    properties: msgspec.Raw = msgspec.Raw(b"{}")
    context: msgspec.Raw = msgspec.Raw(b"{}")

    def properties_dict(self) -> dict[str, Any]:
        return _OBJECT.decode(self.properties)

    def context_dict(self) -> dict[str, Any]:
        return _OBJECT.decode(self.context)


_OBJECT = msgspec.json.Decoder(dict[str, Any])
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(IntakeEvent)


def pack(event: IntakeEvent) -> bytes:
    """The payload of an inbox item."""
    return _ENCODER.encode(event)


def unpack(payload: bytes) -> IntakeEvent:
    """The event of a payload. Raises ``msgspec.ValidationError`` or ``DecodeError`` if it is not one."""
    return _DECODER.decode(payload)


class _Glance(msgspec.Struct):
    """What says which call it was, in either form that a payload may have: as sent, or as packed."""

    type: str = ""
    event: str = ""
    name: str = ""
    t: str = ""
    n: str = ""


_GLANCE = msgspec.json.Decoder(_Glance)


def glance(payload: bytes | str) -> tuple[str, str]:
    """The call and the event's name of a payload that need not be readable; empty where it is not."""
    try:
        found = _GLANCE.decode(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return "", ""
    return found.type or found.t, found.event or found.name or found.n


class Rejection(msgspec.Struct, frozen=True):
    """Why an event was not accepted: a fixed ``code``, words for people, and the field if there is one."""

    code: str
    message: str
    field: str | None = None

    def text(self) -> str:
        """One line for ``InboxItem.rejection``; never empty."""
        return f"{self.code}: {self.message}"


def rejection_parts(text: str) -> tuple[str, str]:
    """(code, reason) of an inbox item's ``rejection``."""
    code, _colon, reason = text.partition(": ")
    return code, reason
