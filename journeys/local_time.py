"""Waits on a person's clock, exact across changes of daylight saving time.

A wall-clock time that does not exist (the clock jumps over it) means the first instant after the jump. One
that exists twice means its first occurrence, once.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_SPAN = re.compile(r"^\s*(\d{1,9})\s*(second|minute|hour|day|week)s?\s*$", re.IGNORECASE)
_CLOCK = re.compile(r"^([01]?\d|2[0-3]):([0-5]\d)$")
LONGEST = timedelta(days=1100)


def span(text: object) -> timedelta:
    """A length of time from words such as ``2 days`` or ``48 hours``. ValueError says what is wrong."""
    match = _SPAN.match(text) if isinstance(text, str) else None
    if not match:
        raise ValueError('write a length of time such as "2 days" or "48 hours"')
    length = timedelta(seconds=int(match[1]) * _SECONDS[match[2].lower()])
    if not timedelta(0) < length <= LONGEST:
        raise ValueError(f"must be longer than nothing and at most {LONGEST.days} days")
    return length


def clock(text: object) -> time:
    """A time of day from ``HH:MM``. ValueError says what is wrong."""
    match = _CLOCK.match(text) if isinstance(text, str) else None
    if not match:
        raise ValueError('write a time of day such as "09:00"')
    return time(int(match[1]), int(match[2]))


def span_words(length: timedelta) -> str:
    """``2 days``, ``36 hours``: in the largest unit that leaves no remainder."""
    seconds = int(length.total_seconds())
    for unit, size in sorted(_SECONDS.items(), key=lambda item: -item[1]):
        if seconds % size == 0 and seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"


@lru_cache(maxsize=1024)
def zone(name: str, default: str = "UTC") -> ZoneInfo:
    """The zone of ``name``, or of ``default`` where the name is empty or not an IANA zone."""
    for candidate in (name, default):
        if candidate:
            try:
                return ZoneInfo(candidate)
            except (LookupError, ValueError, OSError):
                continue
    return ZoneInfo("UTC")


def is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return True


def instant(day: date, at: time, where: ZoneInfo) -> datetime:
    """The UTC instant at which clocks in ``where`` show ``at`` on ``day``; see the module for DST."""
    wall = datetime.combine(day, at)
    first = wall.replace(tzinfo=where).astimezone(UTC)
    if first.astimezone(where).replace(tzinfo=None) == wall:
        return first
    return _after_jump(wall, where)


def _after_jump(wall: datetime, where: ZoneInfo) -> datetime:
    # Read with the offset from before the jump the time lies after it, with the later offset before it;
    # the jump is where the offset changes in between.
    early = wall.replace(tzinfo=where, fold=1).astimezone(UTC)
    late = wall.replace(tzinfo=where, fold=0).astimezone(UTC)
    after = late.astimezone(where).utcoffset()
    low, high = 0, int((late - early).total_seconds())
    while low < high:
        middle = (low + high) // 2
        if (early + timedelta(seconds=middle)).astimezone(where).utcoffset() == after:
            high = middle
        else:
            low = middle + 1
    return early + timedelta(seconds=low)


def days_later(start: datetime, days: int, at: time, where: ZoneInfo) -> datetime:
    """``days`` calendar days after ``start`` at ``at``: Monday 21:00 + 1 day at 9:00 is Tuesday 9:00.

    With 0 days it is today, or tomorrow if that time has passed.
    """
    day = start.astimezone(where).date() + timedelta(days=days)
    found = instant(day, at, where)
    return found if found > start else instant(day + timedelta(days=1), at, where)


def next_weekday(start: datetime, weekday: int, at: time, where: ZoneInfo) -> datetime:
    """The next ``weekday`` (0 is Monday) at ``at`` after ``start``; today if that is still to come."""
    today = start.astimezone(where).date()
    day = today + timedelta(days=(weekday - today.weekday()) % 7)
    found = instant(day, at, where)
    return found if found > start else instant(day + timedelta(days=7), at, where)


def day_count(text: object) -> int:
    """Whole days from words such as ``3 days`` or ``2 weeks``. ValueError says what is wrong."""
    length = span(text)
    if length % timedelta(days=1):
        raise ValueError('write whole days, such as "3 days"')
    return length.days


def moment(value: object) -> date | datetime | None:
    """The day or instant that a text tells, or None. An instant without zone is a wall time."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    text = value.strip()
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return None


def on_year(day: date, year: int) -> date:
    """The anniversary of ``day`` in ``year``; that of 29 February is 28 February in the other years."""
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)


def occurrence(
    value: object,
    where: ZoneInfo,
    *,
    days: int = 0,
    at: time | None = None,
    after: datetime | None = None,
) -> datetime | None:
    """When the date in ``value`` comes, ``days`` later at ``at``, on the clock of ``where``. None: no date.

    Without ``at``, at the date's own time of day, or midnight. With ``after``, its first anniversary of which
    that is true after this instant.
    """
    told = moment(value)
    if told is None:
        return None
    wall = _wall(told, where)
    clock_time = at or wall.time().replace(microsecond=0)
    try:
        if after is None:
            return instant(wall.date() + timedelta(days=days), clock_time, where)
        year = (after.astimezone(where).date() - timedelta(days=days)).year
        for each in (year - 1, year, year + 1, year + 2):
            if each >= wall.year:
                found = instant(on_year(wall.date(), each) + timedelta(days=days), clock_time, where)
                if found > after:
                    return found
        return instant(wall.date() + timedelta(days=days), clock_time, where)
    except (OverflowError, ValueError):
        return None


def _wall(told: date | datetime, where: ZoneInfo) -> datetime:
    if not isinstance(told, datetime):
        return datetime.combine(told, time(0))
    return told.astimezone(where).replace(tzinfo=None) if told.tzinfo else told
