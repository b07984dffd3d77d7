from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from contacts import rules
from journeys.fields import CheckedRule, Fields, Form, Input, _, next_input
from journeys.outcomes import Advance, Facts, Outcome, Standing
from journeys.steps.step import Step, read_next

AGAIN = "again"
MOST = 50


@dataclass(frozen=True, slots=True)
class Repeat(Step):
    """Sends the run round once more, until a rule holds or it went round often enough.

    The steps that ``again`` leads to come back here; they need a wait among them.
    """

    kind: ClassVar = "repeat"
    example: ClassVar = {"until": {"event": "Review Written", "count": {"gte": 1}}, "most": 3, "again": None}
    form: ClassVar = Form(
        _("Repeat"),
        _("Goes round again until a rule holds, or until it was often enough."),
        (
            Input("until", "rule", _("Until this holds"), _("Empty: always as often as said below.")),
            Input("most", "whole", _("At most so many times"), required=True, least=1, most=MOST),
            next_input(AGAIN, _("Round again")),
            next_input(label=_("When the rule holds")),
            next_input("on_limit", _("When it was often enough")),
        ),
        group="decision",
    )
    counts: ClassVar = True

    until: CheckedRule | None
    most: int
    again: str | None
    next: str | None
    on_limit: str | None

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        until = fields.rule("until")
        if not fields.has("most"):
            fields.problem("most", "is missing: nobody may go round for ever")
        after = read_next(fields)
        limit = read_next(fields, "on_limit") if fields.has("on_limit") else after
        fields.raw("on_limit")
        return cls(
            id=step_id,
            until=until,
            most=fields.whole("most", 1, least=1, most=MOST),
            again=read_next(fields, AGAIN),
            next=after,
            on_limit=limit,
        )

    def needs(self) -> tuple[rules.Rule, ...]:
        return (self.until.rule,) if self.until else ()

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        if self.until and facts.holds[0]:
            return Advance(self.next, "done")
        if facts.times >= self.most:
            return Advance(self.on_limit, "limit")
        return Advance(self.again, AGAIN, detail={"time": facts.times + 1, "of": self.most})

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        return ((AGAIN, self.again), ("next", self.next), ("on_limit", self.on_limit))

    def ways(self) -> tuple[tuple[str, str, str | None], ...]:
        again = (AGAIN, f"again, at most {self.most} times", self.again)
        if not self.until:
            return (again, ("limit", "then", self.on_limit))
        if self.next == self.on_limit:
            return (again, ("done", "then", self.next))
        return (again, ("done", "it holds", self.next), ("limit", "often enough", self.on_limit))

    def words(self) -> str:
        until = f" until {self.until.within()}" if self.until else ""
        return f"Repeat{until}, at most {self.most} {'time' if self.most == 1 else 'times'}"
