"""What every kind of step offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from contacts import rules
from journeys.fields import Fields, Form
from journeys.outcomes import Facts, Outcome, Standing, Wanted


@dataclass(frozen=True, slots=True)
class Step(ABC):
    """One step of a journey. Knows its own fields and nothing of the steps around it.

    ``decide`` is a function of its arguments: engine, test and replay of the past get the same answer.
    """

    kind: ClassVar[str]
    #: The least that makes a good step of this kind, for the reference and the tests.
    example: ClassVar[Mapping[str, Any]]
    #: How it is offered and asked for.
    form: ClassVar[Form]
    #: A run can stay here.
    waits: ClassVar[bool] = False
    #: ``facts.times`` is wanted: how often this run already went round from here.
    counts: ClassVar[bool] = False

    id: str

    @classmethod
    @abstractmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        """The step from its fields; problems are collected in ``fields``."""

    @abstractmethod
    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        """What happens to ``run`` here at ``now``."""

    @abstractmethod
    def words(self) -> str:
        """The step as a sentence without its name."""

    def needs(self) -> tuple[rules.Rule, ...]:
        """Rules whose verdicts ``decide`` wants, in the order in which ``facts.holds`` has them."""
        return ()

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        """Where a run can go from here: (path of the field, step or None for the end)."""
        return ()

    def ways(self) -> tuple[tuple[str, str, str | None], ...]:
        """Where paths part here: (outcome in the step log, the way in words, step)."""
        return ()

    def wakes_on(self) -> frozenset[str]:
        """Names of the log's events after which a run waiting here must look again."""
        return frozenset()

    def always_waits(self) -> bool:
        """Whether every run stays here for some time, so that a loop through this step is no endless loop."""
        return self.waits

    def reads(self) -> frozenset[str]:
        """Names of the attributes that ``decide`` wants in ``facts.known``."""
        return frozenset()

    def predicts(self) -> frozenset[str]:
        """Names of the predictions that ``decide`` wants in ``facts.predicted``."""
        return frozenset()

    def answers(self) -> frozenset[str]:
        """Names of the steps whose answers ``decide`` wants in ``facts.answers``."""
        return frozenset()

    def sends(self) -> Wanted | None:
        """The message that this step wants, where it wants one."""
        return None

    def on_clock(self) -> bool:
        """Whether ``decide`` looks at the person's zone."""
        return False


def read_next(fields: Fields, name: str = "next") -> str | None:
    """The step after this one; missing or null is the end of the path."""
    return fields.text(name, most=60) or None
