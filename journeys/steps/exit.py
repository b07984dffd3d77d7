from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from journeys.fields import Fields, Form, Input, _
from journeys.outcomes import Exit, Facts, Outcome, Standing
from journeys.steps.step import Step


@dataclass(frozen=True, slots=True)
class ExitHere(Step):
    """Leaves the journey before its end, with a reason that reports can count."""

    kind: ClassVar = "exit"
    example: ClassVar = {"reason": "not interested"}

    form: ClassVar = Form(
        _("Leave the journey"),
        _("Ends the run here, before the end of its path."),
        (Input("reason", "text", _("Reason"), _("Reports count the reasons."), default="left", most=60),),
        group="decision",
    )

    reason: str

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        return cls(id=step_id, reason=fields.text("reason", "left", most=60))

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        return Exit(self.reason)

    def words(self) -> str:
        return f"Leave the journey: {self.reason}"
