"""What differs between two definitions of a journey, step by step and in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from journeys import graph, notation
from journeys.graph import Graph

Kind = Literal["added", "removed", "changed"]
_NAMES = (
    "name",
    "description",
    "timezone",
    "trigger",
    "audience",
    "entry",
    "goal",
    "on_goal",
    "exit",
    "start",
)


@dataclass(frozen=True, slots=True)
class Change:
    """One place that differs: ``trigger`` or ``steps.mail``, what it said before and what it says now."""

    place: str
    kind: Kind
    before: str
    after: str

    @property
    def step(self) -> str:
        """The step concerned, or nothing."""
        return self.place.removeprefix("steps.") if self.place.startswith("steps.") else ""

    def __str__(self) -> str:
        match self.kind:
            case "added":
                return f"{self.place} is new: {self.after}"
            case "removed":
                return f"{self.place} is gone: {self.before}"
        return f"{self.place}: {self.before} → {self.after}"


def compare(before: Any, after: Any) -> list[Change]:
    """Every place in which ``after`` differs from ``before``, the top first, then steps as they follow."""
    old, new = _fields(before), _fields(after)
    said = _words(before), _words(after)
    changes = [_change(name, old.get(name), new.get(name), said) for name in _ordered(old, new)]
    old_steps, new_steps = _fields(old.get("steps")), _fields(new.get("steps"))
    names = [*_in_order(after, new_steps), *(name for name in old_steps if name not in new_steps)]
    changes += [_change(f"steps.{name}", old_steps.get(name), new_steps.get(name), said) for name in names]
    return [change for change in changes if change]


def fates(before: Any, after: Any) -> dict[str, Literal["same", "changed", "removed"]]:
    """For each step of ``before``, what became of it."""
    old, new = _fields(_fields(before).get("steps")), _fields(_fields(after).get("steps"))
    return {
        name: "removed" if name not in new else "same" if new[name] == step else "changed"
        for name, step in old.items()
    }


def _ordered(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    known = [name for name in _NAMES if name in old or name in new]
    return [*known, *sorted((old.keys() | new.keys()) - set(_NAMES) - {"steps"})]


def _in_order(data: Any, steps: Mapping[str, Any]) -> list[str]:
    arranged = notation.arranged(data)
    return [name for name in _fields(_fields(arranged).get("steps")) if name in steps]


def _fields(data: Any) -> dict[str, Any]:
    return {str(name): value for name, value in data.items()} if isinstance(data, Mapping) else {}


def _change(
    place: str, before: Any, after: Any, said: tuple[dict[str, str], dict[str, str]]
) -> Change | None:
    if before == after:
        return None
    old, new = (
        "" if value is None else words.get(place) or _plain(value)
        for value, words in zip((before, after), said, strict=True)
    )
    if old == new:  # the words leave something out
        old, new = _plain(before), _plain(after)
    kind: Kind = "added" if before is None else "removed" if after is None else "changed"
    return Change(place, kind, old, new)


def _plain(value: Any) -> str:
    return " ".join(notation.write(value).removesuffix("...\n").split())  # a lone word ends with dots


def _words(data: Any) -> dict[str, str]:
    """Place -> what stands there as a sentence; nothing for a definition that is not in order."""
    found, _problems = graph.check(data)
    if found is None:
        return {}
    top = {"trigger": found.trigger.words(), "entry": found.entry.words()}
    for name, rule in (("audience", found.audience), ("goal", found.goal), ("exit", found.exit)):
        if rule:
            top[name] = rule.words()
    return {**top, **{f"steps.{name}": _step(found, name) for name in found.steps}}


def _step(found: Graph, name: str) -> str:
    step = found.steps[name]
    ways = [f"{field} → {target or 'end'}" for field, target in step.edges()]
    return f"{step.words()} ({'; '.join(ways)})" if ways else step.words()
