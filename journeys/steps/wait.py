from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from journeys import local_time
from journeys.fields import Fields
from journeys.outcomes import Advance, Facts, Outcome, Standing, WaitUntil
from journeys.steps.step import Step, read_next
from journeys.steps.wait_form import FORM
from journeys.steps.wait_until import UntilDate, UntilHours, read_date, read_hours

_MODES = ("for", "days", "weekday", "from", "date")


@dataclass(frozen=True, slots=True)
class Wait(Step):
    """Waits a length of time, until a time on the person's own clock, or until a date that is theirs.

    The wake-up follows from when the run came here, so being woken early changes nothing.
    """

    kind: ClassVar = "wait"
    example: ClassVar = {"for": "2 days"}
    form: ClassVar = FORM
    waits: ClassVar = True

    length: timedelta | None
    days: int | None
    weekday: int | None
    at: time
    hours: UntilHours | None
    date: UntilDate | None
    next: str | None
    on_missing: str | None

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        given = [name for name in _MODES if fields.has(name)]
        if len(given) != 1:
            fields.problem(
                "", 'give one of "for", "days" with "at", "weekday" with "at", "from" with "to", or "date"'
            )
        length = fields.parsed("for", local_time.span, None)
        days = fields.whole("days", 0, least=0, most=1000) if fields.has("days") else None
        weekday = None
        if fields.has("weekday"):
            weekday = local_time.WEEKDAYS.index(fields.choice("weekday", local_time.WEEKDAYS, "monday"))
        on_clock = days is not None or weekday is not None
        if length and fields.has("at"):
            fields.problem("at", 'goes with "days", "weekday" or "date", not with "for"')
        after = read_next(fields)
        return cls(
            id=step_id,
            length=length,
            days=days,
            weekday=weekday,
            at=fields.parsed("at", local_time.clock, time(0), required=on_clock),
            hours=read_hours(fields) if fields.has("from") else None,
            date=read_date(fields) if fields.has("date") else None,
            next=after,
            on_missing=read_next(fields, "on_missing") if fields.has("on_missing") else after,
        )

    def wakes_at(self, since: datetime, where: ZoneInfo) -> datetime:
        """When a run that came here at ``since`` goes on; a date of the person's own is not looked at."""
        if self.length is not None:
            return since + self.length
        if self.weekday is not None:
            return local_time.next_weekday(since, self.weekday, self.at, where)
        if self.hours is not None:
            return self.hours.opens(since, where)
        return local_time.days_later(since, self.days or 0, self.at, where)

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        if self.date is not None:
            return self._until_date(self.date, run.since, facts, now)
        wakes_at = self.wakes_at(run.since, facts.zone)
        if self.hours is not None and wakes_at <= now:
            # Whoever was held up until the hours were over waits for the next ones.
            wakes_at = self.hours.opens(now, facts.zone)
        return Advance(self.next, "waited") if now >= wakes_at else WaitUntil(wakes_at)

    def _until_date(self, date: UntilDate, since: datetime, facts: Facts, now: datetime) -> Outcome:
        wakes_at = date.wakes_at(facts.known.get(date.attribute), since, facts.zone)
        if wakes_at is None:
            return Advance(self.on_missing, "no date")
        if wakes_at <= since:
            return Advance(self.next, "date passed")
        return Advance(self.next, "waited") if now >= wakes_at else WaitUntil(wakes_at)

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        if self.date is not None and self.on_missing != self.next:
            return (("next", self.next), ("on_missing", self.on_missing))
        return (("next", self.next),)

    def ways(self) -> tuple[tuple[str, str, str | None], ...]:
        if self.date is None or self.on_missing == self.next:
            return ()
        return (("waited", "it came", self.next), ("no date", "no such date", self.on_missing))

    def reads(self) -> frozenset[str]:
        return frozenset({self.date.attribute}) if self.date else frozenset()

    def always_waits(self) -> bool:
        return self.hours is None and self.date is None

    def on_clock(self) -> bool:
        return self.length is None

    def words(self) -> str:
        if self.length is not None:
            return f"Wait {local_time.span_words(self.length)}"
        if self.hours is not None:
            return self.hours.words()
        if self.date is not None:
            return self.date.words()
        if self.weekday is not None:
            return (
                f"Wait until {local_time.WEEKDAYS[self.weekday].title()} {self.at:%H:%M}, the person's time"
            )
        if not self.days:
            return f"Wait until {self.at:%H:%M}, the person's time"
        days = "1 day" if self.days == 1 else f"{self.days} days"
        return f"Wait {days}, until {self.at:%H:%M}, the person's time"
