"""Checks of what an event carries, so that nothing stored can break a later reader. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from contacts import intake_limits as limits
from contacts.intake_event import Rejection

_LEAP_SECOND = ":60"


class Rejected(Exception):
    """One event cannot be accepted; its neighbours can."""

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.rejection = Rejection(code, message, field)


def check_object(raw: msgspec.Raw, field: str) -> msgspec.Raw:
    """`raw` if it is a JSON object within all bounds, `{}` if it is null or missing; else raises Rejected."""
    data = bytes(raw)
    if not data or data == b"{}" or data == b"null":
        return EMPTY
    if field == "context" and data in _sound:
        return raw
    value = _decode(data, field)
    if type(value) is not dict:
        raise Rejected("invalid_type", f"{field} must be an object", field)
    if len(data) <= limits.MAX_KEY and data.count(b"{") == 1 and b"[" not in data and b"\\u0000" not in data:
        # Short and flat, as most are: only its whole numbers can be out of bounds.
        for item in value.values():
            if type(item) is int and not limits.MIN_WHOLE <= item <= limits.MAX_WHOLE:
                raise _number(field)
    else:
        _check_tree(value, field, strings=b"\\u0000" in data)
    if field == "context":
        _remember(data)
    return raw


# A sender's context is the same from event to event, so the last few that were found sound are not
# decoded again. Threads may race here: at worst one is checked twice.
_sound: set[bytes] = set()
_MOST_SOUND, _LONGEST_SOUND = 1_000, 2_000


def _remember(data: bytes) -> None:
    if len(data) <= _LONGEST_SOUND:
        if len(_sound) >= _MOST_SOUND:
            _sound.clear()
        _sound.add(data)


def check_text(value: str | None, field: str, longest: int) -> str | None:
    """`value` without a meaning for "", blanks and None; raises Rejected if too long or unstorable."""
    if value is None or not value.strip():
        return None
    if len(value) > longest:
        raise Rejected("too_long", f"{field} may have at most {longest} characters", field)
    if "\x00" in value:
        raise Rejected("forbidden_character", f"{field} contains a NUL character", field)
    return value


def occurred_at(
    received: datetime, timestamp: str | None, original: str | None, sent: datetime | None
) -> datetime:
    """When an event happened, in UTC, on our clock.

    With ``sent`` the sender's clock is taken out: received - (sent - original). Without, its word counts.
    Never later than ``received``; before the year 2000 raises Rejected, as does a text that is no time.
    """
    claimed = parse_time(timestamp, "timestamp")
    first = (original and parse_time(original, "originalTimestamp")) or claimed
    try:
        at = received - (sent - first) if sent and first else claimed or first or received
    except OverflowError:
        raise Rejected("invalid_timestamp", "timestamp lies outside the calendar", "timestamp") from None
    if at < limits.EARLIEST:
        raise Rejected("invalid_timestamp", "timestamp lies before the year 2000", "timestamp")
    return min(at, received)


def parse_time(text: str | None, field: str) -> datetime | None:
    """An ISO 8601 text as an aware time in UTC; without a zone it is taken as UTC. None for None and ""."""
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = _leap_second(text, field)
    try:
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except OverflowError:
        raise Rejected("invalid_timestamp", f"{field} lies outside the calendar", field) from None


def _leap_second(text: str, field: str) -> datetime:
    """23:59:60 exists on some days; it is read as the second after 23:59:59."""
    if _LEAP_SECOND in text[11:20]:
        try:
            return datetime.fromisoformat(text.replace(_LEAP_SECOND, ":59", 1)) + timedelta(seconds=1)
        except (ValueError, OverflowError):
            pass
    raise Rejected("invalid_timestamp", f"{field} must be an ISO 8601 time", field)


def _decode(data: bytes, field: str) -> Any:
    try:
        return _DECODER.decode(data)
    except RecursionError:
        raise _too_deep(field) from None
    except msgspec.ValidationError:
        # The decoder's only complaint about an untyped value: a number beyond 4,300 digits.
        raise _number(field) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Rejected("malformed_json", f"{field} is not valid JSON in UTF-8", field) from None
    except _BadNumber:
        raise _number(field) from None


class _BadNumber(Exception):
    pass


def _decimal(literal: str) -> float:
    """Called by the decoder with each number that is not whole, as it is written."""
    if len(literal) > limits.MAX_NUMBER_LENGTH:
        raise _BadNumber
    _digits, mark, exponent = literal.lower().partition("e")
    if mark and abs(int(exponent)) > limits.MAX_EXPONENT:
        raise _BadNumber
    return float(literal)


def _check_tree(value: dict[str, Any], field: str, *, strings: bool) -> None:
    """Depth, keys and whole numbers of a decoded tree; with `strings` also its texts, for NUL."""
    level: list[Any] = [value]
    keys = 0
    for _depth in range(limits.MAX_DEPTH):
        deeper: list[Any] = []
        for node in level:
            if type(node) is dict:
                keys += len(node)
                _check_keys(node, field, strings=strings)
                node = node.values()
            for item in node:
                kind = type(item)
                if kind is dict or kind is list:
                    deeper.append(item)
                elif kind is int and not limits.MIN_WHOLE <= item <= limits.MAX_WHOLE:
                    raise _number(field)
                elif strings and kind is str and "\x00" in item:
                    raise _nul(field)
        if keys > limits.MAX_KEYS:
            raise Rejected("too_many_keys", f"at most {limits.MAX_KEYS} keys are accepted", field)
        if not deeper:
            return
        level = deeper
    raise _too_deep(field)


def _check_keys(node: dict[str, Any], field: str, *, strings: bool) -> None:
    # Joining is one call whatever the number of keys, and most objects have less than one key may have.
    if len("".join(node)) > limits.MAX_KEY and max(map(len, node)) > limits.MAX_KEY:
        raise Rejected("key_too_long", f"a key may have at most {limits.MAX_KEY} characters", field)
    if strings and any("\x00" in key for key in node):
        raise _nul(field)


def _too_deep(field: str) -> Rejected:
    return Rejected("too_deep", f"at most {limits.MAX_DEPTH} levels of nesting are accepted", field)


def _nul(field: str) -> Rejected:
    return Rejected("forbidden_character", f"{field} contains a NUL character", field)


def _number(field: str) -> Rejected:
    return Rejected(
        "number_out_of_range",
        f"{field} contains a number beyond 64 bits, {limits.MAX_NUMBER_LENGTH} characters"
        f" or an exponent of {limits.MAX_EXPONENT}",
        field,
    )


EMPTY = msgspec.Raw(b"{}")
_DECODER = msgspec.json.Decoder(float_hook=_decimal)
