"""What a cell's text means: a number, a date, yes or no. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

LONGEST_TEXT = 5_000
_YES = frozenset(
    {
        "yes",
        "y",
        "true",
        "t",
        "1",
        "x",
        "on",
        "oui",
        "o",
        "vrai",
        "opt-in",
        "optin",
        "subscribed",
        "given",
        "in",
    }
)
_NO = frozenset(
    {
        "no",
        "n",
        "false",
        "f",
        "0",
        "off",
        "non",
        "faux",
        "opt-out",
        "optout",
        "unsubscribed",
        "withdrawn",
        "out",
        "-",
    }
)
_SPACES = re.compile(r"[\s\u00a0\u202f'’€$£]")
_PLAIN = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d{1,3})?")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T].+)?")
_DATE = re.compile(
    r"(\d{1,4})[/.\-](\d{1,2})[/.\-](\d{1,4})"
    r"(?:[ T,]+(\d{1,2})[:h](\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp][Mm])?)?"
)
_STAMP = re.compile(r"\d{10}|\d{13}")
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_TURN = 70
"Years of two digits from here on belong to the century before."


class Unreadable(ValueError):
    """The text is no value of the wanted type; the argument is the reason's code."""


Convert = Callable[[str], Any]


def converter(kind: str, *, decimal: str, dates: str, zone: tzinfo) -> Convert:
    """The function that reads cells of a column of ``kind``: text, number, date, time or boolean."""
    if kind == "number":
        return lambda text: number(text, decimal)
    if kind == "boolean":
        return boolean
    if kind == "date":
        return lambda text: moment(text, dates, zone).date().isoformat()
    if kind == "time":
        return lambda text: moment(text, dates, zone).isoformat()
    return plain


def plain(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise Unreadable("too_long")
    return text


def number(text: str, decimal: str) -> int | float:
    """``1 234,50`` or ``1,234.50``, by the decimal sign that the file uses."""
    bare = _SPACES.sub("", text)
    bare = bare.replace(".", "").replace(",", ".") if decimal == "," else bare.replace(",", "")
    if len(bare) > 40 or not _PLAIN.fullmatch(bare):
        raise Unreadable("bad_number")
    if bare.lstrip("+-").isdigit() and len(bare) < 17:
        return int(bare)
    value = float(bare)
    if not math.isfinite(value):
        raise Unreadable("bad_number")
    return value


def boolean(text: str) -> bool:
    word = text.strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise Unreadable("bad_boolean")


def moment(text: str, dates: str, zone: tzinfo) -> datetime:
    """An instant in UTC. ``dates`` is ymd, dmy or mdy; ``zone`` is meant where the text names none."""
    text = text.strip()
    try:
        found = _iso(text) or _stamp(text) or _written(text, dates)
    except (ValueError, OverflowError) as error:
        raise Unreadable("bad_date") from error
    if found is None:
        raise Unreadable("bad_date")
    try:
        found = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise Unreadable("bad_date") from error
    if not _EARLIEST <= found <= _LATEST:
        raise Unreadable("bad_date")
    return found


def _iso(text: str) -> datetime | None:
    if not _ISO.fullmatch(text):
        return None
    return datetime.fromisoformat(text.replace("Z", "+00:00") if text.endswith("Z") else text)


def _stamp(text: str) -> datetime | None:
    if not _STAMP.fullmatch(text):
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(text) / (1000 if len(text) == 13 else 1))


def _written(text: str, dates: str) -> datetime | None:
    if (match := _DATE.fullmatch(text)) is None:
        return None
    parts = [match[1], match[2], match[3]]
    order = "ymd" if len(parts[0]) == 4 else dates
    named = dict(zip(order, parts, strict=True))
    year = int(named["y"])
    if len(named["y"]) <= 2:
        year += 1900 if year >= _TURN else 2000
    hour = int(match[4] or 0)
    if match[7]:
        hour = hour % 12 + (12 if match[7].lower() == "pm" else 0)
    return datetime(year, int(named["m"]), int(named["d"]), hour, int(match[5] or 0), int(match[6] or 0))  # noqa: DTZ001 (the caller adds the zone)
