"""Which message of a person comes first when places are few. Pure.

Higher priority, then higher value, then earlier due, then lower id: ties have one outcome. A message that
was held longer than the charter's patience goes before all that were not, oldest first, so that none waits
for ever behind better ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.charter_parts import Charter
from channels.policy_facts import PASS, Candidate, Person, text


@dataclass(frozen=True, slots=True)
class Rank:
    """A message's turn: ``place`` counts from 1 among ``of``."""

    candidate: Candidate
    priority: int
    overdue: bool
    place: int
    of: int
    #: The message that came just before it.
    after: int | None

    @property
    def matters(self) -> bool:
        """Whether there is anything to tell: others, or a priority that the charter changed."""
        return self.of > 1 or self.overdue or self.priority != self.candidate.priority

    @property
    def line(self) -> list[Any]:
        """What the ledger keeps of it."""
        own = self.candidate
        inputs: dict[str, Any] = {"place": self.place, "of": self.of, "priority": self.priority}
        if self.priority != own.priority:
            inputs["own"] = own.priority
        if own.value:
            inputs["value"] = own.value
        if self.after is not None:
            inputs["after"] = self.after
        if self.overdue and own.held_since is not None:
            inputs["held_since"] = text(own.held_since)
        return ["arbitration", PASS, inputs]


def arrange(candidates: Iterable[Candidate], person: Person, charter: Charter, now: datetime) -> list[Rank]:
    """The messages in the order in which they take their places."""
    weighed = sorted(
        ((_key(one, priority(one, person, charter), charter, now), one) for one in candidates),
        key=lambda pair: pair[0],
    )
    ordered = [one for _key_of, one in weighed]
    return [
        Rank(
            one,
            priority(one, person, charter),
            overdue(one, charter, now),
            place,
            len(ordered),
            ordered[place - 2].id if place > 1 else None,
        )
        for place, one in enumerate(ordered, 1)
    ]


def priority(candidate: Candidate, person: Person, charter: Charter) -> int:
    """The message's own priority and what the charter adds for its purpose and the person's segments."""
    if candidate.transactional:
        return candidate.priority
    return candidate.priority + sum(
        rule.add for rule in charter.raised if rule.concerns(candidate.purpose, person.segments)
    )


def overdue(candidate: Candidate, charter: Charter, now: datetime) -> bool:
    """Whether it was held for longer than the charter is patient."""
    return candidate.held_since is not None and now - candidate.held_since >= charter.patience


def _key(candidate: Candidate, weight: int, charter: Charter, now: datetime) -> tuple[Any, ...]:
    if candidate.held_since is not None and overdue(candidate, charter, now):
        return (0, 0, 0.0, candidate.held_since, candidate.id)
    return (1, -weight, -candidate.value, candidate.due_at, candidate.id)
