"""A draft as it stands, whole or not: steps that can be drawn, the ways out of them, and their words. Pure.

A draft may name steps that are gone, or hold fields that nobody can read. ``graph.check`` says so; here every
step is still there to be seen and mended.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from contacts import rules
from journeys.fields import Fields, Problem
from journeys.steps import KINDS, Step

_IN_LIST = re.compile(r"^(\w+)\[(\d+)\]\.(\w+)$")
Definition = Mapping[str, Any]
Edge = tuple[str, str]
"(step, path of its field that names the next step); the start of the journey is ``START``."
START: Edge = ("", "start")


@dataclass(frozen=True, slots=True)
class Port:
    """One way out: its field, where it leads (None is the end), its words, its outcome in the step log."""

    path: str
    target: str | None
    words: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Sketched:
    """One step of a draft. ``words`` is empty where it cannot be put into words yet."""

    id: str
    kind: str
    words: str
    ports: tuple[Port, ...]
    note: Mapping[str, str]

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        return tuple((port.path, port.target) for port in self.ports)

    def ways(self) -> tuple[tuple[str, str, str | None], ...]:
        """Every step with more than one way out parts, also while its ways lead to the same step."""
        if len(self.ports) < 2:
            return ()
        return tuple((port.path, port.words, port.target) for port in self.ports)


def sketch(data: Any) -> dict[str, Sketched]:
    """Every step of ``data`` by name. What leads nowhere known leads to the end."""
    steps = steps_of(data)
    return {name: _sketched(name, raw, steps) for name, raw in steps.items()}


def steps_of(data: Any) -> dict[str, Mapping[str, Any]]:
    """The steps that are mappings, by name."""
    found = data.get("steps") if isinstance(data, Mapping) else None
    if not isinstance(found, Mapping):
        return {}
    return {str(name): raw for name, raw in found.items() if isinstance(raw, Mapping)}


def start_of(data: Any) -> str | None:
    """The first step, if there is one."""
    start = data.get("start") if isinstance(data, Mapping) else None
    return start if isinstance(start, str) and start in steps_of(data) else None


def unreached(data: Any, steps: Mapping[str, Sketched]) -> list[str]:
    """Steps that no way leads to, each of which begins a piece of its own."""
    reached = _reach(start_of(data), steps)
    roots = []
    pointed = {target for step in steps.values() for _path, target in step.edges()}
    # First those that nothing points at; what is left after them goes round in circles.
    for name in sorted(steps, key=lambda each: (each in pointed, each)):
        if name not in reached:
            roots.append(name)
            reached |= _reach(name, steps)
    return roots


def _reach(origin: str | None, steps: Mapping[str, Sketched]) -> set[str]:
    found, ahead = {origin} if origin else set(), [origin] if origin else []
    while ahead:
        for _path, target in steps[ahead.pop()].edges():
            if target is not None and target not in found:
                found.add(target)
                ahead.append(target)
    return {name for name in found if name}


@cache
def shape(kind: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Of a kind of step: its fields that name a step, and its lists with such a field in each entry."""
    known = KINDS.get(kind)
    if known is None:
        return ("next",), ()
    lists: dict[tuple[str, str], None] = {}
    single = []
    for path, _target in read(kind, "example", known.example).edges():
        if found := _IN_LIST.match(path):
            lists[found[1], found[3]] = None
        else:
            single.append(path)
    return tuple(single), tuple(lists)


def read(kind: str, name: str, raw: Mapping[str, Any]) -> Step:
    """The step as far as it can be read."""
    return KINDS[kind].read(name, Fields(raw, f"steps.{name}", []))


def ports(raw: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """(path, target as written) of every way out of a step."""
    single, lists = shape(str(raw.get("type")))
    found = []
    for name, inner in lists:
        entries = raw.get(name)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            if isinstance(entry, Mapping):
                found.append((f"{name}[{index}].{inner}", entry.get(inner)))
    return [*found, *((name, raw.get(name)) for name in (*single, *_more(raw, single)))]


def _more(raw: Mapping[str, Any], single: Sequence[str]) -> list[str]:
    """Ways out that only some steps of a kind have, and this one has."""
    known = KINDS.get(str(raw.get("type")))
    inputs = known.form.inputs if known else ()
    return [
        each.name for each in inputs if each.kind == "step" and each.name in raw and each.name not in single
    ]


def _sketched(name: str, raw: Mapping[str, Any], steps: Mapping[str, Any]) -> Sketched:
    kind = str(raw.get("type", ""))
    problems: list[Problem] = []
    step = KINDS[kind].read(name, Fields(raw, "", problems)) if kind in KINDS else None
    ways = step.ways() if step else ()
    written = ports(raw)
    found = []
    for index, (path, target) in enumerate(written):
        known = isinstance(target, str) and target in steps
        fits = len(ways) == len(written) and not problems
        words = ways[index][1] if fits else _way_words(path, raw, index)
        outcome = ways[index][0] if fits else _outcome(path, raw)
        found.append(Port(path, target if known else None, words, outcome))
    note = raw.get("note")
    texts = note.items() if isinstance(note, Mapping) else ()
    told = {key: text for key, text in texts if isinstance(text, str) and text}
    return Sketched(name, kind, step.words() if step and not problems else "", tuple(found), told)


_SINGLE = {"next": "it happened", "on_timeout": "not in time", "else": "everybody else"}


def _entry(path: str, raw: Mapping[str, Any]) -> Mapping[str, Any]:
    found = _IN_LIST.match(path)
    entries = raw.get(found[1]) if found else None
    entry = entries[int(found[2])] if found and isinstance(entries, list) else {}
    return entry if isinstance(entry, Mapping) else {}


def _way_words(path: str, raw: Mapping[str, Any], index: int) -> str:
    entry = _entry(path, raw)
    name = entry.get("name")
    if isinstance(name, str) and name:
        return name
    if "if" in entry:
        try:
            return rules.explain(rules.parse(entry["if"]))
        except rules.RuleError:
            return "yes" if index == 0 else f"way {index + 1}"
    return _SINGLE.get(path, f"way {index + 1}")


def _outcome(path: str, raw: Mapping[str, Any]) -> str:
    return str(_entry(path, raw).get("name") or {"next": "event", "on_timeout": "timed_out"}.get(path, path))
