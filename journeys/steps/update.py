from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from contacts import permission
from journeys import expressions
from journeys.fields import Fields, Form, Input, _, next_input
from journeys.outcomes import Advance, Change, Facts, Outcome, Standing
from journeys.steps.step import Step, read_next

#: What a journey must not write: identity, reachability and breaks come from the person.
RESERVED = frozenset(
    {"id", "email", "phone", "known", "first_seen_at", "last_seen_at", "timezone", "language", "country"}
    | permission.OWN
)
_SOURCES = ("entry", "answer")
_ACTS = ("increment", "append", "remove")
_SAYS = {"increment": "Increase {} by {}", "append": "Add to {}: {}", "remove": "Take from {}: {}"}


@dataclass(frozen=True, slots=True)
class Update(Step):
    """Sets attributes of the contact: to a value, a property of the entry event, or something added to it.

    A value is plain, or ``{entry: property}``, or ``{answer: step.path}``; wrapped in ``increment``,
    ``append`` or ``remove`` it changes what is there; ``{clear: true}`` removes the attribute.
    """

    kind: ClassVar = "update"
    example: ClassVar = {"set": {"stage": "customer", "last_cart": {"entry": "cart_id"}}}
    form: ClassVar = Form(
        _("Update the profile"),
        _("Sets attributes, counts them up, adds to lists or clears them."),
        (
            Input(
                "set", "values", _("Attributes"), required=True, least=1, most=50,
                choices=(
                    ("value", _("set to")),
                    ("entry", _("set to the entry event's")),
                    ("answer", _("set to the answer's")),
                    ("increment", _("increase by")),
                    ("append", _("add to the list")),
                    ("remove", _("take from the list")),
                    ("clear", _("clear")),
                ),
            ),
            next_input(),
        ),
        group="person",
    )  # fmt: skip

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
            elif problem := _problem(value):
                fields.problem(f"set.{name}", problem)
        return cls(id=step_id, changes=dict(changes), next=read_next(fields))

    def answers(self) -> frozenset[str]:
        return frozenset(path.partition(".")[0] for value in self.changes.values() for path in _asked(value))

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        changes = {name: _changed(value, run, facts) for name, value in self.changes.items()}
        return Advance(self.next, "updated", changes=changes)

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        return (("next", self.next),)

    def words(self) -> str:
        return "; ".join(_words(name, value) for name, value in self.changes.items())


def _problem(value: object) -> str:
    if not isinstance(value, Mapping):
        return expressions.problem(value)
    if len(value) != 1:
        return "must have one name: entry, answer, increment, append, remove or clear"
    ((act, inner),) = value.items()
    if act == "clear":
        return "" if inner is True else "clear takes true"
    if act not in _ACTS:
        return expressions.problem(value, _SOURCES)
    if isinstance(inner, Mapping):
        return expressions.problem(inner, _SOURCES)
    if act == "increment" and (isinstance(inner, bool) or not isinstance(inner, int | float)):
        return "increment takes a number"
    return "" if inner is not None and expressions.is_plain(inner) else f"{act} takes a text or a number"


def _asked(value: object) -> list[str]:
    """Paths into answers that a value names."""
    if not isinstance(value, Mapping):
        return []
    ((act, inner),) = value.items()
    return [inner] if act == "answer" else _asked(inner)


def _changed(value: Any, run: Standing, facts: Facts) -> Any:
    if not isinstance(value, Mapping):
        return value
    ((act, inner),) = value.items()
    if act == "clear":
        return None
    if act in _SOURCES:
        return expressions.worth(value, run, facts)
    return Change(act, _changed(inner, run, facts))


def _words(name: str, value: Any) -> str:
    if not isinstance(value, Mapping):
        return f"Set {name} to {value}"
    ((act, inner),) = value.items()
    if act == "clear":
        return f"Clear {name}"
    if act in _SOURCES:
        return f"Set {name} from {_source(value)}"
    return _SAYS[act].format(name, _source(inner) if isinstance(inner, Mapping) else inner)


def _source(value: Mapping[str, Any]) -> str:
    ((act, inner),) = value.items()
    return f"{inner} of the entry event" if act == "entry" else f"{inner} of the answer"
