from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from journeys import local_time
from journeys.fields import Fields
from journeys.outcomes import Advance, Facts, Outcome, Standing, WaitUntil
from journeys.steps.step import Step, read_next


@dataclass(frozen=True, slots=True)
class Wait(Step):
    """Waits a length of time, or until a time of day on the person's own clock.

    The wake-up follows from when the run came here, so being woken early changes nothing.
    """

    kind: ClassVar = "wait"
    example: ClassVar = {"for": "2 days"}
    waits: ClassVar = True

    length: timedelta | None
    days: int | None
    weekday: int | None
    at: time
    next: str | None

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        given = [name for name in ("for", "days", "weekday") if fields.has(name)]
        if len(given) != 1:
            fields.problem("", 'give one of "for", "days" with "at", or "weekday" with "at"')
        length = fields.parsed("for", local_time.span, None)
        days = fields.whole("days", 0, least=0, most=1000) if fields.has("days") else None
        weekday = None
        if fields.has("weekday"):
            weekday = local_time.WEEKDAYS.index(fields.choice("weekday", local_time.WEEKDAYS, "monday"))
        on_clock = days is not None or weekday is not None
        if length and fields.has("at"):
            fields.problem("at", 'goes with "days" or "weekday", not with "for"')
        return cls(
            id=step_id,
            length=length,
            days=days,
            weekday=weekday,
            at=fields.parsed("at", local_time.clock, time(0), required=on_clock),
            next=read_next(fields),
        )

    def wakes_at(self, since: datetime, where: ZoneInfo) -> datetime:
        """When a run that came here at ``since`` goes on."""
        if self.length is not None:
            return since + self.length
        if self.weekday is not None:
            return local_time.next_weekday(since, self.weekday, self.at, where)
        return local_time.days_later(since, self.days or 0, self.at, where)

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        wakes_at = self.wakes_at(run.since, facts.zone)
        return Advance(self.next, "waited") if now >= wakes_at else WaitUntil(wakes_at)

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        return (("next", self.next),)

    def on_clock(self) -> bool:
        return self.length is None

    def words(self) -> str:
        if self.length is not None:
            return f"Wait {local_time.span_words(self.length)}"
        if self.weekday is not None:
            return (
                f"Wait until {local_time.WEEKDAYS[self.weekday].title()} {self.at:%H:%M}, the person's time"
            )
        if not self.days:
            return f"Wait until {self.at:%H:%M}, the person's time"
        days = "1 day" if self.days == 1 else f"{self.days} days"
        return f"Wait {days}, until {self.at:%H:%M}, the person's time"
