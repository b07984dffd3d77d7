"""Time as people live it: their days, weeks and quiet hours, exact across changes of the clock. Pure.

A wall-clock time that does not exist (the clock jumps over it) means the first instant after the jump; one
that happens twice means its first occurrence. A person whose zone is unknown has several candidate zones,
and an instant is free only where it is free in all of them.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PERIODS = ("day", "week", "month")

_UNITS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_DURATION = re.compile(r"^\s*(\d{1,6})\s+(minute|hour|day|week)s?\s*$")
#: Rules that chase each other longer than this leave no free time at all.
_LONGEST_SEARCH = timedelta(days=92)
_MOST_STEPS = 500


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Wall-clock hours in which nothing leaves on ``channels``. ``days`` are those on which they begin.

    ``begins`` at or after ``ends`` crosses midnight; equal times are the whole day.
    """

    channels: frozenset[str]
    begins: time
    ends: time
    days: frozenset[int] = frozenset(range(7))

    def covers(self, local: datetime) -> bool:
        """Whether these hours cover the wall clock ``local``."""
        clock, day = local.time(), local.weekday()
        if self.begins < self.ends:
            return self.begins <= clock < self.ends and day in self.days
        return (clock >= self.begins and day in self.days) or (
            clock < self.ends and (day - 1) % 7 in self.days
        )

    def end_after(self, local: datetime) -> datetime:
        """The wall clock at which hours that cover ``local`` end."""
        crosses = self.begins >= self.ends and local.time() >= self.begins
        return datetime.combine(local.date() + timedelta(days=crosses), self.ends)


def duration(text: str) -> timedelta:
    """Read "90 minutes", "4 hours", "7 days" or "2 weeks"; raises ValueError."""
    match = _DURATION.match(text)
    if not match:
        raise ValueError("write a number and minutes, hours, days or weeks, such as “7 days”")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


@cache
def zone_names() -> frozenset[str]:
    """The names of all time zones. Read once: finding them walks through folders."""
    return frozenset(available_timezones())


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def instant(local: datetime, name: str, after: datetime | None = None) -> datetime:
    """The UTC instant of the wall clock ``local`` in a zone: the first, or the first later than ``after``."""
    place = zone(name)
    first = local.replace(tzinfo=place, fold=0).astimezone(UTC)
    if first.astimezone(place).replace(tzinfo=None) != local:
        return _after_jump(local, place)
    if after is not None and first <= after:
        return local.replace(tzinfo=place, fold=1).astimezone(UTC)
    return first


def _after_jump(local: datetime, place: ZoneInfo) -> datetime:
    """The instant at which the clock of ``place`` jumped over ``local``, to the second."""
    late = local.replace(tzinfo=place, fold=0).astimezone(UTC)
    early = local.replace(tzinfo=place, fold=1).astimezone(UTC)
    new = late.astimezone(place).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = (early + (late - early) / 2).replace(microsecond=0)
        if middle.astimezone(place).utcoffset() == new:
            late = middle
        else:
            early = middle
    return late.replace(microsecond=0)


def period(at: datetime, unit: str, name: str) -> date:
    """The day, week or month (its first day) in which ``at`` lies on the clock of a zone."""
    day = at.astimezone(zone(name)).date()
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


@lru_cache(maxsize=8_192)
def period_began(at: datetime, unit: str, name: str) -> datetime:
    """The instant at which the day, week or month of ``at`` began on the clock of a zone."""
    return instant(datetime.combine(period(at, unit, name), time()), name)


def next_period(at: datetime, unit: str, name: str) -> datetime:
    """The first instant after ``at`` that lies in a later day, week or month of a zone."""
    first = period(at, unit, name)
    if unit == "month":
        following = (first + timedelta(days=31)).replace(day=1)
    else:
        following = first + timedelta(days=7 if unit == "week" else 1)
    return instant(datetime.combine(following, time()), name, after=at)


def free_of_quiet_hours(at: datetime, hours: Sequence[QuietHours], names: Sequence[str]) -> datetime | None:
    """The first instant from ``at`` on that is outside the hours in every zone; None if there is none."""

    def outside(name: str, window: QuietHours) -> Callable[[datetime], datetime | None]:
        def next_free(moment: datetime) -> datetime | None:
            local = moment.astimezone(zone(name)).replace(tzinfo=None)
            if not window.covers(local):
                return moment
            return instant(window.end_after(local), name, after=moment)

        return next_free

    return agree(at, [outside(name, window) for name in names for window in hours])


def agree(at: datetime, rules: Iterable[Callable[[datetime], datetime | None]]) -> datetime | None:
    """The first instant from ``at`` on that every rule returns unchanged; None when they never agree.

    Each rule answers with the first instant, not before the one asked for, at which it allows.
    """
    rules, moment, agreed, steps = list(rules), at, 0, 0
    while rules and agreed < len(rules):
        allowed = rules[steps % len(rules)](moment)
        steps += 1
        if allowed is None or allowed - at > _LONGEST_SEARCH or steps > _MOST_STEPS + len(rules):
            return None
        agreed = agreed + 1 if allowed == moment else 0
        moment = allowed
    return moment


def jitter(contact_id: int, at: datetime, most: timedelta) -> timedelta:
    """A part of ``most``, the same for all messages of one person that wait for ``at``, in whole seconds."""
    whole = int(most.total_seconds())
    return timedelta(seconds=zlib.crc32(f"{contact_id} {at.isoformat()}".encode()) % (whole + 1))
