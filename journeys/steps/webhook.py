from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from journeys import expressions, local_time
from journeys.fields import Fields, Form, Input, _, next_input
from journeys.outcomes import Advance, Call, Facts, Outcome, Standing, WaitFor
from journeys.steps.step import Step, read_next

TIMEOUT = timedelta(hours=1)
_LONGEST = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Webhook(Step):
    """Calls a server of ours and waits for its answer, which later steps and templates can use.

    Wishes for the call and waits; who makes it wakes the run. An answer that is not 2xx, or none in time, is
    a failure.
    """

    kind: ClassVar = "webhook"
    example: ClassVar = {"endpoint": "scoring", "send": {"cart": {"entry": "cart_id"}}, "timeout": "1 hour"}
    form: ClassVar = Form(
        _("Call an endpoint"),
        _("Sends JSON to a server of yours and waits for its answer."),
        (
            Input("endpoint", "endpoint", _("Endpoint"), required=True),
            Input(
                "send", "values", _("Send"), _("What is told beside journey, step and who it is."), most=50,
                choices=(
                    ("value", _("value")),
                    ("entry", _("the entry event's")),
                    ("attribute", _("the person's")),
                    ("answer", _("the answer's")),
                ),
            ),
            Input("timeout", "span", _("Wait at most"), _("Tried again until then."), default="1 hour"),
            next_input(label=_("When it was answered")),
            next_input("on_failure", _("When it failed")),
        ),
        group="outside",
    )  # fmt: skip
    waits: ClassVar = True

    endpoint: str
    send: Mapping[str, Any]
    timeout: timedelta
    next: str | None
    on_failure: str | None

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        send = fields.raw("send")
        if send is None:
            send = {}
        if not isinstance(send, Mapping) or len(send) > 50:
            fields.problem("send", "must name at most 50 values")
            send = {}
        for name, value in send.items():
            if not isinstance(name, str) or not 0 < len(name) <= 60:
                fields.problem(f"send.{str(name)[:60]}", "must have a name of at most 60 characters")
            elif wrong := expressions.problem(value):
                fields.problem(f"send.{name}", wrong)
        timeout = fields.parsed("timeout", local_time.span, TIMEOUT)
        if timeout > _LONGEST:
            fields.problem("timeout", f"must be at most {_LONGEST.days} days")
        after = read_next(fields)
        return cls(
            id=step_id,
            endpoint=fields.text("endpoint", required=True, most=60),
            send=dict(send),
            timeout=timeout,
            next=after,
            on_failure=read_next(fields, "on_failure") if fields.has("on_failure") else after,
        )

    def reads(self) -> frozenset[str]:
        return expressions.named(self.send, "attribute")

    def answers(self) -> frozenset[str]:
        return expressions.named(self.send, "answer") | {self.id}

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        answer = facts.answers.get(self.id)
        if answer is not None and answer.get("visit") == run.visit:
            detail = {"status": answer.get("status")}
            if answer.get("answered"):
                return Advance(self.next, "answered", detail=detail)
            return Advance(self.on_failure, "failed call", detail={**detail, "error": answer.get("error")})
        give_up_at = run.since + self.timeout
        if now >= give_up_at:
            return Advance(self.on_failure, "no answer")
        values = {name: expressions.worth(value, run, facts) for name, value in self.send.items()}
        return WaitFor(give_up_at, Call(self.endpoint, values))

    def always_waits(self) -> bool:
        return False  # an endpoint may answer at once, and nobody shall be called round and round

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        if self.on_failure == self.next:
            return (("next", self.next),)
        return (("next", self.next), ("on_failure", self.on_failure))

    def ways(self) -> tuple[tuple[str, str, str | None], ...]:
        if self.on_failure == self.next:
            return ()
        return (("answered", "answered", self.next), ("failed call", "failed", self.on_failure))

    def words(self) -> str:
        return f"Call endpoint “{self.endpoint}”, at most {local_time.span_words(self.timeout)}"
