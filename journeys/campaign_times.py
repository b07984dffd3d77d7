"""When campaigns are sent: their occurrences, by whose clock, and when each person's turn is. Pure.

An occurrence is one local time, such as 24 December at 9:00. On each person's clock it begins where clocks
are ahead of all others and ends where they are behind all others; in one zone it is one instant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from journeys import local_time
from journeys.occasions import Schedule

#: Clocks on earth are ahead of UTC by 14 hours at most, and behind by 12.
_AHEAD, _BEHIND = timedelta(hours=14), timedelta(hours=12)
_DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
#: The next occurrence of whatever recurs is at most so far away.
_FARTHEST = 62


@dataclass(frozen=True, slots=True)
class Moment:
    """One occurrence: its local day and time, and when the first and the last clocks show it."""

    day: date
    at: time
    first: datetime
    last: datetime

    @property
    def label(self) -> str:
        """What names it among those of its campaign."""
        return f"{self.day:%Y-%m-%d} {self.at:%H:%M}"


def moment(schedule: Schedule, zone: str, day: date) -> Moment:
    """The occurrence of ``day``, whether or not the schedule falls on it."""
    if schedule.own_clock:
        utc = datetime.combine(day, schedule.at, UTC)
        return Moment(day, schedule.at, utc - _AHEAD, utc + _BEHIND)
    found = local_time.instant(day, schedule.at, local_time.zone(zone))
    return Moment(day, schedule.at, found, found)


def at_once(zone: str, now: datetime) -> Moment:
    """The occurrence of a campaign that is sent as soon as it is started."""
    local = now.astimezone(local_time.zone(zone))
    return Moment(local.date(), local.time().replace(second=0, microsecond=0), now, now)


def upcoming(schedule: Schedule, zone: str, after: datetime, until_day: date | None = None) -> Moment | None:
    """The first occurrence that begins after ``after``; None where there is none any more."""
    if schedule.every == "once":
        only = moment(schedule, zone, schedule.day) if schedule.day else None
        return only if only and only.first > after else None
    start = after.astimezone(UTC).date() - _DAY
    for number in range(_FARTHEST + 3):
        day = start + _DAY * number
        if until_day and day > until_day:
            return None
        if schedule.falls_on(day):
            found = moment(schedule, zone, day)
            if found.first > after:
                return found
    return None


def occurrences(
    schedule: Schedule, zone: str, after: datetime, until: datetime, until_day: date | None = None
) -> Iterator[Moment]:
    """Every occurrence that begins after ``after`` and up to ``until``, in order."""
    found = upcoming(schedule, zone, after, until_day)
    while found and found.first <= until:
        yield found
        found = upcoming(schedule, zone, found.first, until_day)


def turn(schedule: Schedule | None, told: Moment, where: ZoneInfo) -> datetime:
    """When it is the turn of somebody whose clock is that of ``where``."""
    if schedule is None or not schedule.own_clock:
        return told.first
    return local_time.instant(told.day, told.at, where)
