from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from contacts import permission
from journeys.fields import Fields
from journeys.outcomes import Advance, Facts, Outcome, Standing
from journeys.steps.step import Step, read_next

#: What a journey must not write: identity, reachability and breaks come from the person.
RESERVED = frozenset(
    {"id", "email", "phone", "known", "first_seen_at", "last_seen_at", "timezone", "language", "country"}
    | permission.OWN
)


@dataclass(frozen=True, slots=True)
class Update(Step):
    """Sets attributes of the contact: to a value, or to a property of the event that started the run."""

    kind: ClassVar = "update"
    example: ClassVar = {"set": {"stage": "customer", "last_cart": {"entry": "cart_id"}}}

    changes: Mapping[str, Any]
    next: str | None

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        changes = fields.raw("set")
        if not isinstance(changes, Mapping) or not 1 <= len(changes) <= 50:
            fields.problem("set", "must name 1 to 50 attributes and their values")
            changes = {}
        for name, value in changes.items():
            if not isinstance(name, str) or not 0 < len(name) <= 60 or name in RESERVED:
                fields.problem(f"set.{str(name)[:60]}", "is not an attribute that a journey may set")
            elif not _is_value(value):
                fields.problem(
                    f"set.{name}", 'must be a text, number, true, false, null or {"entry": property}'
                )
        return cls(id=step_id, changes=dict(changes), next=read_next(fields))

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        changes = {
            name: run.entry.get(value["entry"]) if isinstance(value, Mapping) else value
            for name, value in self.changes.items()
        }
        return Advance(self.next, "updated", changes=changes)

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        return (("next", self.next),)

    def words(self) -> str:
        return "Set " + ", ".join(
            f"{name} from {value['entry']} of the entry event"
            if isinstance(value, Mapping)
            else f"{name} to {value}"
            for name, value in self.changes.items()
        )


def _is_value(value: object) -> bool:
    if isinstance(value, Mapping):
        return set(value) == {"entry"} and isinstance(value["entry"], str)
    if isinstance(value, str):
        return len(value) <= 2000 and "\x00" not in value
    if isinstance(value, float):
        return abs(value) < 1e15  # neither infinite nor "not a number"
    return value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 10**15)
