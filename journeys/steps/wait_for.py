from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from contacts import rules
from journeys import local_time
from journeys.fields import CheckedRule, Fields, Form, Input, _, checked, next_input
from journeys.outcomes import Advance, Facts, Outcome, Standing, WaitFor
from journeys.steps.step import Step, read_next


@dataclass(frozen=True, slots=True)
class WaitForEvent(Step):
    """Waits until something happens, or until a timeout: an event since this step, or a rule that holds."""

    kind: ClassVar = "wait_for"
    example: ClassVar = {"event": "Order Completed", "timeout": "2 days"}
    waits: ClassVar = True

    form: ClassVar = Form(
        _("Wait for something"),
        _("Waits until something happens, or until it took too long."),
        (
            Input("event", "event", _("Event"), required=True, modes=("event",)),
            Input("where", "where", _("Only where"), modes=("event",)),
            Input(
                "since", "choice", _("Counted since"), default="step", modes=("event",),
                choices=(("step", _("this step")), ("entry", _("entry into the journey"))),
            ),
            Input("segment", "segment", _("Segment"), required=True, modes=("segment",)),
            Input(
                "on", "choice", _("Until they are"), default="entered", modes=("segment",),
                choices=(("entered", _("in it")), ("left", _("no longer in it"))),
            ),
            Input("rule", "rule", _("Until this holds"), required=True, modes=("rule",)),
            Input("timeout", "span", _("Wait at most"), _("Such as 2 days."), required=True),
            next_input(label=_("When it happened")),
            next_input("on_timeout", _("When it took too long")),
        ),
        modes=(("event", _("an event")), ("segment", _("a segment")), ("rule", _("any rule"))),
        group="time",
    )  # fmt: skip

    rule: CheckedRule | None
    timeout: timedelta
    next: str | None
    on_timeout: str | None

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        if sum(fields.has(name) for name in ("event", "segment", "rule")) != 1:
            fields.problem("", 'give one of "event", "segment" or "rule"')
        rule = fields.rule("rule")
        if segment := fields.text("segment", most=60):
            inside = {"segment": segment}
            left = fields.choice("on", ("entered", "left"), "entered") == "left"
            rule = checked({"not": inside} if left else inside, fields.path, fields.problems)
        event = fields.text("event")
        since = fields.choice("since", ("step", "entry"), "step")
        where = fields.raw("where")
        if event:
            wanted: dict[str, Any] = {"event": event, "count": {"gte": 1}, "within": f"since_{since}"}
            if where is not None:
                wanted["where"] = where
            rule = checked(wanted, fields.path, fields.problems)
        if rule and not rules.event_names(rule.rule):
            fields.problem("rule", "must be about something that happens, so that it can end the wait")
        return cls(
            id=step_id,
            rule=rule,
            timeout=fields.parsed("timeout", local_time.span, timedelta(days=1), required=True),
            next=read_next(fields),
            on_timeout=read_next(fields, "on_timeout"),
        )

    def needs(self) -> tuple[rules.Rule, ...]:
        return (self.rule.rule,) if self.rule else ()

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        if facts.holds[0]:
            return Advance(self.next, "event")
        timeout_at = run.since + self.timeout
        if now >= timeout_at:
            return Advance(self.on_timeout, "timed_out")
        return WaitFor(timeout_at)

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        return (("next", self.next), ("on_timeout", self.on_timeout))

    def wakes_on(self) -> frozenset[str]:
        return rules.event_names(self.rule.rule) if self.rule else frozenset()

    def ways(self) -> tuple[tuple[str, str, str | None], ...]:
        if self.next == self.on_timeout:
            return ()
        late = f"not within {local_time.span_words(self.timeout)}"
        return (("event", "it happened", self.next), ("timed_out", late, self.on_timeout))

    def words(self) -> str:
        until = self.rule.within() if self.rule else "?"
        return f"Wait until: {until}; at most {local_time.span_words(self.timeout)}"
