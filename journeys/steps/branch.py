from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from contacts import rules
from journeys.answering import Asked, parse_asked
from journeys.fields import CheckedRule, Fields, Form, Input, _, next_input
from journeys.outcomes import Advance, Facts, Outcome, Standing
from journeys.steps.step import Step, read_next

ELSE = "else"


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of a branch, taken by the first rule that holds."""

    name: str
    #: One of both: a rule about the person, or a question about what an endpoint answered.
    rule: CheckedRule | None
    asked: Asked | None
    next: str | None

    def within(self) -> str:
        """The condition as a part of a longer sentence."""
        return self.rule.within() if self.rule else self.asked.words() if self.asked else "?"


@dataclass(frozen=True, slots=True)
class Branch(Step):
    """Takes the first way whose rule holds now, and the ``else`` way when none does."""

    kind: ClassVar = "branch"
    example: ClassVar = {
        "branches": [{"if": {"attribute": "country", "op": "is", "value": "FR"}}],
        "else": None,
    }

    form: ClassVar = Form(
        _("Branch"),
        _("Takes the first way whose rule holds now; everybody else takes the last one."),
        (
            Input(
                "branches", "entries", _("Ways"), required=True, least=1, most=20,
                inner=(
                    Input("name", "text", _("Name"), most=40),
                    Input("if", "rule", _("If"), _("Or ask about an answer below."), required=True),
                    Input(
                        "answer", "text", _("Or if an endpoint answered"),
                        _("Such as: score.body.risk gte 5. Leave the rule empty then."),
                    ),
                    next_input(),
                ),
            ),
            next_input(ELSE, _("Everybody else")),
        ),
        group="decision",
    )  # fmt: skip

    ways_out: tuple[Way, ...]
    otherwise: str | None

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        ways: list[Way] = []
        for number, entry in enumerate(fields.items("branches", least=1, most=20), start=1):
            name = entry.text("name", "yes" if number == 1 else f"way {number}", most=40)
            asked = entry.parsed("answer", parse_asked, None)
            # A form that is not filled in says {}, which would be everybody.
            rule = None if asked and not entry.raw("if") else entry.rule("if", required=not asked)
            after = read_next(entry)
            if rule and asked:
                entry.problem("answer", 'goes without "if"')
            if name == ELSE or name in {way.name for way in ways}:
                entry.problem("name", "must be a name of its own")
            entry.done()
            if rule or asked:
                ways.append(Way(name, rule, asked, after))
        return cls(id=step_id, ways_out=tuple(ways), otherwise=read_next(fields, ELSE))

    def needs(self) -> tuple[rules.Rule, ...]:
        return tuple(way.rule.rule for way in self.ways_out if way.rule)

    def answers(self) -> frozenset[str]:
        return frozenset(way.asked.step for way in self.ways_out if way.asked)

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        holds = iter(facts.holds)
        for way in self.ways_out:
            if next(holds) if way.rule else way.asked and way.asked.holds(facts.answers):
                return Advance(way.next, way.name)
        return Advance(self.otherwise, ELSE)

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        ways = tuple((f"branches[{index}].next", way.next) for index, way in enumerate(self.ways_out))
        return (*ways, (ELSE, self.otherwise))

    def ways(self) -> tuple[tuple[str, str, str | None], ...]:
        several = len(self.ways_out) > 1
        found = tuple(
            (way.name, f"{way.name}: {way.within()}" if several else way.name, way.next)
            for way in self.ways_out
        )
        return (*found, (ELSE, "everybody else" if several else "else", self.otherwise))

    def words(self) -> str:
        if len(self.ways_out) == 1:
            return f"If {self.ways_out[0].within()}"
        return f"Choose the first of {len(self.ways_out)} ways that applies"
