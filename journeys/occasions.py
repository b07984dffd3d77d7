"""Triggers that come by the clock: a schedule, and a date that a person has. Pure.

An occasion is one local occurrence. ``due`` says which one, if any, fell between two instants; where several
did, because nobody looked for a while, the latest.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from journeys import local_time
from journeys.fields import Fields
from journeys.steps.wait_until import read_offset, read_weekdays

EVERY = ("day", "weekday", "week", "month", "once")
MISFIRE = timedelta(hours=12)
LONGEST_MISFIRE = timedelta(days=7)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Once, or again and again at ``at``, on the person's clock or the journey's."""

    every: str
    at: time
    day: date | None = None
    weekdays: tuple[int, ...] = ()
    #: Days of the month; one that a month does not have, and 31, mean its last.
    monthdays: tuple[int, ...] = ()
    own_clock: bool = True

    def falls_on(self, day: date) -> bool:
        if self.every == "once":
            return day == self.day
        if self.every == "month":
            last = monthrange(day.year, day.month)[1]
            return any(day.day == min(each, last) for each in self.monthdays)
        if self.every == "week":
            return day.weekday() in self.weekdays
        return self.every == "day" or day.weekday() < 5

    def due(self, after: datetime, until: datetime, where: ZoneInfo) -> datetime | None:
        """The latest occasion after ``after``, up to ``until``, on the clock of ``where``."""
        day, first = until.astimezone(where).date(), after.astimezone(where).date()
        while day >= first:
            if self.falls_on(day):
                found = local_time.instant(day, self.at, where)
                if after < found <= until:
                    return found
            day -= _DAY
        return None

    def every_due(self, after: datetime, until: datetime, where: ZoneInfo) -> list[datetime]:
        """All occasions after ``after``, up to ``until``, in the order of time."""
        day, last = after.astimezone(where).date(), until.astimezone(where).date()
        found = []
        while day <= last:
            if self.falls_on(day) and after < (at := local_time.instant(day, self.at, where)) <= until:
                found.append(at)
            day += _DAY
        return found

    def words(self) -> str:
        clock = ", the person's time" if self.own_clock else ""
        if self.every == "once":
            return f"On {self.day} at {self.at:%H:%M}{clock}"
        if self.every == "week":
            when = "every " + ", ".join(local_time.WEEKDAYS[day].title() for day in self.weekdays)
        elif self.every == "month":
            days = ", ".join("last" if day == 31 else str(day) for day in self.monthdays)
            when = f"on day {days} of each month"
        else:
            when = "every day" if self.every == "day" else "Monday to Friday"
        return f"{when[:1].upper()}{when[1:]} at {self.at:%H:%M}{clock}"


@dataclass(frozen=True, slots=True)
class Anniversary:
    """A date among the person's attributes, so many days before or after it, at ``at`` on their clock."""

    attribute: str
    at: time
    days: int = 0
    yearly: bool = False

    def due(self, value: object, after: datetime, until: datetime, where: ZoneInfo) -> datetime | None:
        """When it is this person's turn, if that is after ``after`` and up to ``until``."""
        found = local_time.occurrence(
            value, where, days=self.days, at=self.at, after=after if self.yearly else None
        )
        return found if found is not None and after < found <= until else None

    def every_due(self, value: object, after: datetime, until: datetime, where: ZoneInfo) -> list[datetime]:
        """All of this person's turns in between: one for each year, or the only one."""
        found: list[datetime] = []
        while (at := self.due(value, found[-1] if found else after, until, where)) is not None:
            found.append(at)
        return found

    def dates(self, after: datetime, until: datetime) -> list[date]:
        """Days that a value may tell (of any year, if yearly) to be due in between somewhere on earth."""
        first = after.date() - timedelta(days=self.days + 2)
        count = (until.date() - after.date()).days + 5
        return [first + _DAY * number for number in range(count)]

    def words(self) -> str:
        days = f"{abs(self.days)} day{'' if abs(self.days) == 1 else 's'}"
        place = "On" if not self.days else f"{days} {'before' if self.days < 0 else 'after'}"
        each = " of each year" if self.yearly else ""
        return f"{place} “{self.attribute}”{each} at {self.at:%H:%M}, the person's time"


def read_schedule(fields: Fields) -> Schedule:
    every = fields.choice("every", EVERY)
    weekdays: tuple[int, ...] = ()
    if fields.has("weekdays") or every == "week":
        weekdays = read_weekdays(fields)
    if fields.has("weekdays") and every != "week":
        fields.problem("weekdays", 'goes with every "week"')
    if fields.has("day") != (every == "once"):
        fields.problem("day", 'goes with every "once", and is needed there')
    if fields.has("monthdays") != (every == "month"):
        fields.problem("monthdays", 'goes with every "month", and is needed there')
    return Schedule(
        every,
        fields.parsed("at", local_time.clock, time(9), required=True),
        fields.parsed("day", _day, None),
        weekdays,
        fields.parsed("monthdays", _monthdays, ()),
        fields.choice("clock", ("person", "journey"), "person") == "person",
    )


def read_anniversary(fields: Fields) -> Anniversary:
    if not fields.has("yearly"):
        fields.problem("yearly", "is missing: say whether the date comes back each year")
    return Anniversary(
        fields.text("date", required=True, most=60),
        fields.parsed("at", local_time.clock, time(9), required=True),
        read_offset(fields),
        fields.flag("yearly"),
    )


def read_misfire(fields: Fields) -> timedelta:
    misfire = fields.parsed("misfire", local_time.span, MISFIRE)
    if misfire > LONGEST_MISFIRE:
        fields.problem("misfire", f"must be at most {LONGEST_MISFIRE.days} days")
        return MISFIRE
    return misfire


def _day(value: object) -> date:
    told = local_time.moment(value)
    if told is None or isinstance(told, datetime):
        raise ValueError("write a day such as 2026-12-24")
    return told


def _monthdays(value: object) -> tuple[int, ...]:
    days = [31 if each == "last" else each for each in value] if isinstance(value, list) else []
    if not days or not all(type(each) is int and 1 <= each <= 31 for each in days) or len(days) > 31:
        raise ValueError('write a list of days from 1 to 31, or "last"')
    return tuple(sorted(set(days)))
