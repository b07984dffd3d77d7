"""Two ends of a wait that need more than a clock: hours of the day, and a date that a person has. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from journeys import local_time
from journeys.fields import Fields

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class UntilHours:
    """Hours of the person's day on some weekdays; past midnight where the end is before the start.

    They belong to the day on which they begin. Equal ends are the whole day.
    """

    start: time
    end: time
    weekdays: tuple[int, ...]

    def opens(self, at: datetime, where: ZoneInfo) -> datetime:
        """``at`` itself inside the hours, otherwise when they begin next."""
        today = at.astimezone(where).date()
        for offset in range(-1, 9):
            day = today + offset * _DAY
            if day.weekday() not in self.weekdays:
                continue
            begins = local_time.instant(day, self.start, where)
            last = day if self.start < self.end else day + _DAY
            ends = local_time.instant(last, self.end, where)
            if begins <= at < ends:
                return at
            if begins > at:
                return begins
        return at

    def words(self) -> str:
        days = ""
        if len(self.weekdays) < 7:
            days = " on " + ", ".join(local_time.WEEKDAYS[day].title() for day in self.weekdays)
        return f"Wait until it is between {self.start:%H:%M} and {self.end:%H:%M}{days}, the person's time"


@dataclass(frozen=True, slots=True)
class UntilDate:
    """A date among the person's attributes, so many days before or after it at a time on their clock."""

    attribute: str
    days: int
    at: time | None
    yearly: bool

    def wakes_at(self, value: object, since: datetime, where: ZoneInfo) -> datetime | None:
        """The instant, or None where the person has no such date. Yearly: the first one after ``since``."""
        return local_time.occurrence(
            value, where, days=self.days, at=self.at, after=since if self.yearly else None
        )

    def words(self) -> str:
        days = f"{abs(self.days)} day{'' if abs(self.days) == 1 else 's'}"
        place = "" if not self.days else f"{days} {'before' if self.days < 0 else 'after'} "
        at = f" at {self.at:%H:%M}" if self.at else ""
        each = "the next anniversary of " if self.yearly else ""
        return f"Wait until {place}{each}“{self.attribute}”{at}, the person's time"


def read_hours(fields: Fields) -> UntilHours:
    weekdays = tuple(range(7))
    if fields.has("weekdays"):
        weekdays = read_weekdays(fields)
    return UntilHours(
        fields.parsed("from", local_time.clock, time(0), required=True),
        fields.parsed("to", local_time.clock, time(0), required=True),
        weekdays,
    )


def read_weekdays(fields: Fields) -> tuple[int, ...]:
    """The days named in the field ``weekdays``, Monday first; all where they cannot be read."""
    named = fields.texts("weekdays", most=7)
    for name in named:
        if name not in local_time.WEEKDAYS:
            fields.problem("weekdays", f"must be among {', '.join(local_time.WEEKDAYS)}")
            return tuple(range(7))
    return tuple(sorted(local_time.WEEKDAYS.index(name) for name in named)) or tuple(range(7))


def read_date(fields: Fields) -> UntilDate:
    return UntilDate(
        attribute=fields.text("date", required=True, most=60),
        days=read_offset(fields),
        at=fields.parsed("at", local_time.clock, None),
        yearly=fields.flag("yearly"),
    )


def read_offset(fields: Fields) -> int:
    """Days from ``before`` (negative) or ``after``."""
    before = fields.parsed("before", local_time.day_count, 0)
    after = fields.parsed("after", local_time.day_count, 0)
    if before and after:
        fields.problem("after", 'goes without "before"')
    return after - before
