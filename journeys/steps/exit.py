from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from journeys.fields import Fields
from journeys.outcomes import Exit, Facts, Outcome, Standing
from journeys.steps.step import Step


@dataclass(frozen=True, slots=True)
class ExitHere(Step):
    """Leaves the journey before its end, with a reason that reports can count."""

    kind: ClassVar = "exit"
    example: ClassVar = {"reason": "not interested"}

    reason: str

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        return cls(id=step_id, reason=fields.text("reason", "left", most=60))

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        return Exit(self.reason)

    def words(self) -> str:
        return f"Leave the journey: {self.reason}"
