"""The units of SMPP 3.4 that a client of a gateway needs, as bytes and back. Pure.

Source: SMPP Protocol Specification v3.4, issue 1.2: 4 (units), 5.1-5.3 (fields), appendix B (receipts).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from enum import IntEnum

from channels import sms_alphabet

_HEAD = struct.Struct("!IIII")
#: Longer than any unit is, and short enough that a broken length asks for no memory.
_LARGEST = 70_000
_RESPONSE = 0x80000000
_RECEIPTED_ID, _STATE, _PAYLOAD = 0x001E, 0x0427, 0x0424
_SHORT = 254
_UCS2 = 8
_STATES = {
    2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD",
}  # fmt: skip
_FIELD = re.compile(r"(?i)\b(id|stat|err):([^\s]{1,100})")


class Command(IntEnum):
    NACK = 0x80000000
    BIND_RECEIVER = 0x1
    BIND_TRANSMITTER = 0x2
    SUBMIT = 0x4
    SUBMIT_RESPONSE = 0x80000004
    DELIVER = 0x5
    UNBIND = 0x6
    ENQUIRE = 0x15


class MalformedError(Exception):
    """The other side does not speak SMPP, or not well."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One unit. ``command`` is a number, since the other side may send any."""

    command: int
    sequence: int
    body: bytes = b""
    status: int = 0

    def pack(self) -> bytes:
        return _HEAD.pack(16 + len(self.body), self.command, self.status, self.sequence) + self.body

    def answer(self, body: bytes = b"", status: int = 0) -> Pdu:
        """The response to this request."""
        return Pdu(self.command | _RESPONSE, self.sequence, body, status)


def take(buffer: bytearray) -> Pdu | None:
    """The first whole unit, taken off ``buffer``; None while it is not whole. Raises MalformedError."""
    if len(buffer) < _HEAD.size:
        return None
    length, command, status, sequence = _HEAD.unpack_from(buffer)
    if not _HEAD.size <= length <= _LARGEST:
        raise MalformedError(f"a unit of {length} bytes")
    if len(buffer) < length:
        return None
    body = bytes(buffer[_HEAD.size : length])
    del buffer[:length]
    return Pdu(command, sequence, body, status)


def bind(system_id: str, password: str, system_type: str) -> bytes:
    """The body of a bind. Raises MalformedError for what is longer than SMPP allows."""
    return (
        _text(system_id, 16, "user name") + _text(password, 9, "password")
        + _text(system_type, 13, "system type") + bytes([0x34, 0, 0]) + b"\0"
    )  # fmt: skip


def submit(sender: str, to: str, text: str, *, latin: bool = False) -> bytes:
    """The body of a message with a receipt asked for. ``latin``: the gateway's own alphabet is Latin-1.

    A text of several segments goes as one unit with the text as its payload, and the gateway cuts it: so it
    is taken or refused as a whole, has one id and one receipt.
    """
    coding, raw = _coded(text, latin=latin)
    short = raw if len(raw) <= _SHORT and _fits(coding, raw) else b""
    head = (
        b"\0" + _address(sender) + _address(to)
        # Class, protocol, priority, schedule, validity, receipt, replacing, alphabet, ready text.
        + bytes([0, 0, 0]) + b"\0\0" + bytes([1, 0, coding, 0, len(short)])
    )  # fmt: skip
    payload = b"" if short else struct.pack("!HH", _PAYLOAD, len(raw)) + raw
    return head + short + payload


def name_of(body: bytes) -> str:
    """The id in the response to a message; empty when there is none."""
    return body.partition(b"\0")[0].decode("ascii", "replace")[:65]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a gateway hands us: a person's text, or what became of ours (then ``state`` is not empty)."""

    sender: str
    to: str
    text: str
    name: str = ""
    state: str = ""
    error: str = ""


def delivered(body: bytes, *, latin: bool = False) -> Delivered:
    """A delivery, read. Raises MalformedError."""
    try:
        return _delivered(body, latin=latin)
    except (IndexError, ValueError, struct.error):
        raise MalformedError("a delivery that cannot be read") from None


def _delivered(body: bytes, *, latin: bool) -> Delivered:
    _service, rest = _cut(body)
    sender, rest = _read_address(rest)
    to, rest = _read_address(rest)
    kind, coding_at = rest[0], 3
    for _schedule_and_validity in range(2):
        _none, after = _cut(rest[coding_at:])
        rest = rest[:coding_at] + after
    coding, length = rest[coding_at + 2], rest[coding_at + 4]
    start = coding_at + 5
    raw, extras = rest[start : start + length], _extras(rest[start + length :])
    raw = raw or extras.get(_PAYLOAD, b"")
    if kind & 0x40 and raw:  # a header before the text: which part of how many
        raw = raw[1 + raw[0] :]
    text = _decoded(coding, raw, latin=latin)
    if kind & 0x3C != 0x04:
        return Delivered(sender, to, text)
    told = {name.lower(): value for name, value in _FIELD.findall(text)}
    name = extras.get(_RECEIPTED_ID, b"").partition(b"\0")[0].decode("ascii", "replace") or told.get("id", "")
    state = _STATES.get((extras.get(_STATE) or b"\0")[0], "") or told.get("stat", "").upper()
    return Delivered(sender, to, text, name, state or "UNKNOWN", told.get("err", ""))


def _coded(text: str, *, latin: bool) -> tuple[int, bytes]:
    if latin:
        try:
            return 0, text.encode("latin-1")
        except UnicodeEncodeError:
            return _UCS2, text.encode("utf-16-be", "replace")
    raw = sms_alphabet.encode(text)
    return (_UCS2, text.encode("utf-16-be", "replace")) if raw is None else (0, raw)


def _decoded(coding: int, raw: bytes, *, latin: bool) -> str:
    if coding & 0x0C == _UCS2:
        return raw.decode("utf-16-be", "replace")
    if coding == 0 and not latin:
        return sms_alphabet.decode(raw)
    return raw.decode("latin-1")


def _fits(coding: int, raw: bytes) -> bool:
    """Whether it is one segment."""
    return len(raw) <= (140 if coding == _UCS2 else 160)


def _address(address: str) -> bytes:
    """Kind, numbering plan and address: an international number, a short code or a name."""
    digits = address.removeprefix("+")
    if digits.isascii() and digits.isdigit():
        kind = bytes([1, 1]) if len(digits) > 6 else bytes([3, 0])
        return kind + _text(digits, 21, "number")
    return bytes([5, 0]) + _text(address, 21, "sender")


def _read_address(rest: bytes) -> tuple[str, bytes]:
    kind = rest[0]
    raw, rest = _cut(rest[2:])
    text = raw.decode("ascii", "replace")
    return (f"+{text}" if kind == 1 and text.isdigit() else text), rest


def _text(text: str, room: int, what: str) -> bytes:
    raw = text.encode("ascii", "replace")
    if len(raw) >= room or b"\0" in raw:
        raise MalformedError(f"the {what} is longer than {room - 1} signs")
    return raw + b"\0"


def _cut(raw: bytes) -> tuple[bytes, bytes]:
    at = raw.index(b"\0")
    return raw[:at], raw[at + 1 :]


def _extras(raw: bytes) -> dict[int, bytes]:
    """The fields that may follow a unit. Raises struct.error."""
    found = {}
    while raw:
        tag, length = struct.unpack_from("!HH", raw)
        found[tag] = raw[4 : 4 + length]
        raw = raw[4 + length :]
    return found
