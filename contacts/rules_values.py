"""Checks of the small parts of a rule: texts, numbers, lengths of time, instants, tests, ranges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from contacts.rules_length import Length, Months
from contacts.rules_tree import Range, RuleError, Scalar, Window
from contacts.rules_vocabulary import SINCE_ENTRY, SINCE_STEP

_LONGEST_TEXT = 500
_BIGGEST = 10**15
_LENGTH = re.compile(r"^([0-9]{1,7}) ?(minute|hour|day|week|month|year)s?$")
_AHEAD = "in "
_MONTHS = {"month": 1, "year": 12}
_UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_LONGEST = timedelta(days=36_500)
_SOME_DAY = datetime(2100, 1, 1, tzinfo=UTC)
_LENGTH_HINT = (
    'write a length of time such as "30 days" or "48 hours" (minutes, hours, days, weeks, months, years)'
)
_FIXED_HINT = 'write a length in minutes, hours, days or weeks, such as "3 days"'


def under(path: str, step: str | int) -> str:
    """The path one step further in: a key or a position."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if path else step


def fields(data: Any, path: str, needed: Iterable[str], optional: Iterable[str] = ()) -> Mapping[str, Any]:
    """``data`` as a mapping with all the ``needed`` keys and none beyond the ``optional`` ones."""
    if not isinstance(data, Mapping):
        raise RuleError(path, "an object in braces is needed here")
    allowed = [*needed, *optional]
    for key in data:
        if key not in allowed:
            raise RuleError(under(path, str(key)[:60]), f"unknown field; known here: {', '.join(allowed)}")
    for key in needed:
        if key not in data:
            raise RuleError(under(path, key), "is missing")
    return data


def text(data: Any, path: str, *, empty: bool = False) -> str:
    if not isinstance(data, str) or not (data or empty):
        raise RuleError(path, "a text is needed here")
    if len(data) > _LONGEST_TEXT:
        raise RuleError(path, f"at most {_LONGEST_TEXT} characters")
    # Neither can be stored, so nothing could ever match.
    if "\0" in data or any("\ud800" <= sign <= "\udfff" for sign in data):
        raise RuleError(path, "holds a character that no text can hold")
    return data


def choice(data: Any, path: str, allowed: Iterable[str]) -> str:
    options = list(allowed)
    if not isinstance(data, str) or data not in options:
        raise RuleError(path, f"use one of: {', '.join(options)}")
    return data


def flag(data: Any, path: str) -> bool:
    if not isinstance(data, bool):
        raise RuleError(path, "use true or false")
    return data


def number(data: Any, path: str) -> Decimal:
    if isinstance(data, bool) or not isinstance(data, int | float) or data != data:
        raise RuleError(path, "a number is needed here")
    if abs(data) > _BIGGEST:
        raise RuleError(path, f"a number of at most {_BIGGEST} is needed here")
    return Decimal(str(data))


def length(data: Any, path: str) -> Length:
    """A length of time back: ``30 days``, or ``2 years`` by the calendar."""
    match = _LENGTH.match(data) if isinstance(data, str) else None
    if not match:
        raise RuleError(path, _LENGTH_HINT)
    count, unit = int(match[1]), match[2]
    days = count * (_UNITS[unit].total_seconds() / 86_400 if unit in _UNITS else _MONTHS[unit] * 30)
    if not 0 < days <= _LONGEST.days:
        raise RuleError(path, "must be more than nothing and at most 100 years")
    return count * _UNITS[unit] if unit in _UNITS else Months(count * _MONTHS[unit])


def fixed_length(data: Any, path: str) -> timedelta:
    """A length that is the same whenever it begins."""
    found = length(data, path)
    if isinstance(found, Months):
        raise RuleError(path, _FIXED_HINT)
    return found


def offset(data: Any, path: str) -> Length:
    """A length back, or with ``in`` before it a length ahead, which is less than nothing: ``in 7 days``."""
    if isinstance(data, str) and data.startswith(_AHEAD):
        return -length(data.removeprefix(_AHEAD), path)
    return length(data, path)


def instant(data: Any, path: str) -> datetime:
    """An ISO date or time; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(data)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        raise RuleError(path, 'write a date such as "2026-03-31" or "2026-03-31T09:00:00Z"') from None


def instant_or_offset(data: Any, path: str, *, forward: bool) -> datetime | Length:
    """A date, or a length back; with ``forward`` also a length ahead."""
    written = data.removeprefix(_AHEAD) if forward and isinstance(data, str) else data
    if isinstance(written, str) and _LENGTH.match(written):
        return offset(data, path)
    try:
        return instant(data, path)
    except RuleError:
        more = ' or "in 7 days"' if forward else ""
        raise RuleError(
            path, f'write a date such as "2026-03-31", or a length such as "30 days"{more}'
        ) from None


def key_path(data: Any, path: str) -> tuple[str, ...]:
    """One property by its exact name, dots and all; or a list of names that leads inside."""
    if isinstance(data, list):
        if not 1 <= len(data) <= 5:
            raise RuleError(path, "a list of 1 to 5 names is needed here")
        return tuple(text(name, under(path, index)) for index, name in enumerate(data))
    return (text(data, path),)


def whole(data: Any, path: str, *, least: int, most: int) -> int:
    if isinstance(data, bool) or not isinstance(data, int) or not least <= data <= most:
        raise RuleError(path, f"a whole number from {least} to {most} is needed here")
    return data


def amount(data: Any, path: str, *, counted: bool) -> Range:
    """``{"gte": 2, "lt": 5}`` and the like; a bare number means exactly that many."""
    if not isinstance(data, Mapping):
        data = {"eq": data}
    given = fields(data, path, (), ("gte", "gt", "lte", "lt", "eq"))
    if not given:
        raise RuleError(path, 'say how much, such as {"gte": 1}')
    least: Decimal | None = None
    most: Decimal | None = None
    for key, raw in given.items():
        place = under(path, key)
        bound = Decimal(whole(raw, place, least=0, most=1_000_000)) if counted else number(raw, place)
        if key in ("gt", "lt"):
            if not counted:
                raise RuleError(place, "use gte or lte for a sum")
            bound += 1 if key == "gt" else -1
        if key in ("gte", "gt", "eq"):
            least = bound if least is None else max(least, bound)
        if key in ("lte", "lt", "eq"):
            most = bound if most is None else min(most, bound)
    if least is not None and most is not None and least > most:
        raise RuleError(path, "nothing can be that much and that little")
    if most is not None and counted and most < 0:
        raise RuleError(path, "nothing happens less than 0 times")
    return Range(least, most)


def window(data: Mapping[str, Any], path: str, *, in_journey: bool) -> Window:
    within = data.get("within")
    found: Length | str | None = None
    if within in (SINCE_ENTRY, SINCE_STEP):
        if not in_journey:
            raise RuleError(under(path, "within"), f'"{within}" has a meaning in a journey only')
        found = str(within)
    elif within is not None:
        found = length(within, under(path, "within"))
    after = data.get("after")
    before = data.get("before")
    result = Window(
        found,
        None if after is None else instant(after, under(path, "after")),
        None if before is None else instant_or_offset(before, under(path, "before"), forward=False),
    )
    _check_order(result, under(path, "before"))
    return result


def _check_order(window: Window, place: str) -> None:
    lengths = timedelta | Months
    if not isinstance(window.within, lengths) or not isinstance(window.before, lengths):
        return
    if _SOME_DAY - window.before <= _SOME_DAY - window.within:
        raise RuleError(place, "must be shorter than within, or nothing can match")


def scalar(data: Any, path: str) -> Scalar:
    if isinstance(data, bool):
        return data
    if isinstance(data, str):
        return text(data, path, empty=True)
    if isinstance(data, int | float):
        return number(data, path)
    raise RuleError(path, "a text, a number, true or false is needed here")
