from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from contacts import rules
from journeys import local_time
from journeys.fields import CheckedRule, Fields, Form, Input, _, checked, next_input
from journeys.outcomes import Advance, Facts, Outcome, Standing, WaitFor, Wanted
from journeys.steps.send import CHANNEL_INPUTS, Send, channel_names
from journeys.steps.step import Step, read_next

_EVENT = "Survey Answered"
_LONGEST = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Way:
    """A way that answers take: from a score on, or with these very words."""

    name: str
    rule: CheckedRule | None
    words: str
    next: str | None


@dataclass(frozen=True, slots=True)
class AskSurvey(Step):
    """Sends a survey and waits for the answer. The first way that fits the answer is taken.

    The answer is on the profile and in the log by then, so later steps can ask about it like anything else.
    """

    kind: ClassVar = "survey"
    example: ClassVar = {
        "survey": "nps",
        "channels": ["email"],
        "content": {"email": "survey-email"},
        "purpose": "news",
        "timeout": "7 days",
        "ways": [{"name": "promoter", "least": 9}, {"name": "passive", "least": 7}],
    }
    form: ClassVar = Form(
        _("Ask a survey"),
        _("Sends one question and waits for the answer, which lands on the profile."),
        (
            Input("survey", "survey", _("Survey"), required=True),
            *CHANNEL_INPUTS,
            Input(
                "timeout", "span", _("Wait for the answer at most"), _("Such as 7 days."), required=True,
                default="7 days",
            ),
            Input(
                "ways", "entries", _("Ways by the answer"), _("The first that fits is taken."), most=20,
                inner=(
                    Input("name", "text", _("Name"), required=True, most=40),
                    Input("least", "number", _("From this score on"), least=0, most=10),
                    Input("answer", "text", _("Or with this answer"), most=100),
                    next_input(),
                ),
            ),
            next_input(label=_("Any other answer")),
            next_input("on_timeout", _("No answer in time")),
        ),
        group="message",
    )  # fmt: skip
    waits: ClassVar = True

    survey: str
    wanted: Wanted
    timeout: timedelta
    answered: CheckedRule | None
    choices: tuple[Way, ...]
    next: str | None
    on_timeout: str | None

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        survey = fields.text("survey", required=True, most=60)
        timeout = fields.parsed("timeout", local_time.span, timedelta(days=7), required=True)
        if timeout > _LONGEST:
            fields.problem("timeout", f"must be at most {_LONGEST.days} days")
        send = Send.read(step_id, fields)
        return cls(
            id=step_id,
            survey=survey,
            wanted=replace(send.wanted, survey=survey),
            timeout=timeout,
            answered=_rule(fields, survey),
            choices=_ways(fields, survey),
            next=send.next,
            on_timeout=read_next(fields, "on_timeout"),
        )

    def sends(self) -> Wanted | None:
        return self.wanted

    def needs(self) -> tuple[rules.Rule, ...]:
        asked = (self.answered, *(way.rule for way in self.choices))
        return tuple(each.rule for each in asked if each)

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        if facts.holds[0]:
            for way, fits in zip(self.choices, facts.holds[1:], strict=False):
                if fits:
                    return Advance(way.next, way.name)
            return Advance(self.next, "answered")
        give_up_at = run.since + self.timeout
        if now >= give_up_at:
            return Advance(self.on_timeout, "timed_out")
        # Wished for again whenever the run is looked at while it waits: one wish of a visit is one message.
        return WaitFor(give_up_at, wanted=(self.wanted,))

    def wakes_on(self) -> frozenset[str]:
        return frozenset({_EVENT})

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        named = tuple((f"ways[{index}].next", way.next) for index, way in enumerate(self.choices))
        return (*named, ("next", self.next), ("on_timeout", self.on_timeout))

    def ways(self) -> tuple[tuple[str, str, str | None], ...]:
        named = tuple((way.name, f"{way.name}: {way.words}", way.next) for way in self.choices)
        if not named and self.next == self.on_timeout:
            return ()
        late = f"no answer within {local_time.span_words(self.timeout)}"
        other = "any other answer" if named else "answered"
        return (*named, ("answered", other, self.next), ("timed_out", late, self.on_timeout))

    def words(self) -> str:
        return (
            f"Ask survey “{self.survey}” by {channel_names(self.wanted)} ({self.wanted.purpose}) and wait "
            f"for the answer, at most {local_time.span_words(self.timeout)}"
        )


def _ways(fields: Fields, survey: str) -> tuple[Way, ...]:
    if not fields.has("ways"):
        fields.raw("ways")
        return ()
    found: list[Way] = []
    for entry in fields.items("ways", least=0, most=20):
        name = entry.text("name", required=True, most=40)
        if name in {"answered", "timed_out", *(way.name for way in found)}:
            entry.problem("name", "must be a name of its own")
        least = entry.number("least", 0, least=0, most=10)
        answer = entry.text("answer", most=100)
        if entry.has("least") == bool(answer):
            entry.problem("", 'give one of "least" or "answer"')
        where: dict[str, Any] = (
            {"property": "answer", "op": "is", "value": answer}
            if answer
            else {"property": "score", "op": "gte", "value": least}
        )
        words = f"“{answer}”" if answer else f"from {least:g}"
        found.append(Way(name, _rule(entry, survey, where), words, read_next(entry)))
        entry.done()
    return tuple(found)


def _rule(fields: Fields, survey: str, *where: dict[str, Any]) -> CheckedRule | None:
    """The rule that the survey was answered since the step, and how."""
    own = {"property": "survey", "op": "is", "value": survey or "?"}
    asked = {"event": _EVENT, "where": [own, *where], "count": {"gte": 1}, "within": "since_step"}
    return checked(asked, fields.path, fields.problems)
