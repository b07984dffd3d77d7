"""Changes of a draft: insert, move, copy, remove, connect, rename. Pure: a definition in, another out.

A **place** is the list of edges that a new step would stand on: one for most, several where ways meet. What
hangs together moves together: a step whose ways part takes along everything that only those ways reach, up to
where they meet again.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from journeys import drawing
from journeys.building.sketch import START, Edge, Sketched, ports, shape, sketch, start_of, steps_of
from journeys.graph import MOST_STEPS

_IN_LIST = re.compile(r"^(\w+)\[(\d+)\]\.(\w+)$")
Data = dict[str, Any]
Onward = Callable[[str | None], str | None]


class EditError(ValueError):
    """This change cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Edited:
    """The new definition, the step to look at next, and the steps that went with the change."""

    data: Data
    look: str = ""
    gone: list[str] = field(default_factory=list)


def empty(name: str) -> Data:
    """A journey from nothing."""
    return {"name": name, "trigger": {}, "entry": {"mode": "once"}, "steps": {}}


def insert(data: Any, place: Sequence[Edge], raw: Mapping[str, Any], name: str) -> Edited:
    """Put a new step on ``place``; all its ways lead to what stood there."""
    now = _copied(data)
    new = free_name(now, name)
    _room(now, 1)
    target = _target(now, place)
    now["steps"][new] = copy.deepcopy(dict(raw))
    for path, _target_now in ports(now["steps"][new]):
        _put(now, (new, path), target)
    for edge in place:
        _put(now, edge, new)
    return Edited(now, new)


def remove(data: Any, name: str, keep: str = "") -> Edited:
    """Take a step out. What came to it goes on along the way ``keep``, or where its ways meet.

    Steps that only its other ways reached go too.
    """
    now = _copied(data)
    steps = _known(now, name)
    before = reached(now)
    after = dict(steps[name].edges()).get(keep) if keep else _beyond(name, steps)
    after = None if after == name else after
    _redirect(now, lambda target: after if target == name else target)
    del now["steps"][name]
    gone = _prune(now, before - {name})
    look = after if after in now["steps"] else _before(steps, name)
    return Edited(now, look or "", gone)


def move(data: Any, name: str, place: Sequence[Edge]) -> Edited:
    """Take a step, with what hangs on its ways, to another place."""
    now = _copied(data)
    steps = _known(now, name)
    block = region(now, name)
    if any(source in block for source, _path in place):
        raise EditError("A step cannot move into its own ways.")
    after = _beyond(name, steps)
    _redirect(now, lambda target: after if target == name else target, without=block)
    target = _target(now, place)
    if not steps[name].ports and target is not None:
        raise EditError("Nothing goes on after this step: it can only stand where a way ends.")
    for edge in place:
        _put(now, edge, name)
    for source in block:
        for path, onward in ports(now["steps"][source]):
            if onward == after:
                _put(now, (source, path), target)
    return Edited(now, name)


def clip(data: Any, name: str) -> Data:
    """A step, with what hangs on its ways, to be pasted elsewhere."""
    steps = _known(data, name)
    block = region(data, name)
    raw = steps_of(data)
    return {
        "entry": name,
        "exit": _beyond(name, steps),
        "steps": {each: copy.deepcopy(dict(raw[each])) for each in raw if each in block},
    }


def paste(data: Any, place: Sequence[Edge], clipped: Any) -> Edited:
    """Put what was copied on ``place``, under new names."""
    copied = steps_of(clipped)
    entry = clipped.get("entry") if isinstance(clipped, Mapping) else None
    if entry not in copied:
        raise EditError("There is nothing to paste.")
    now = _copied(data)
    _room(now, len(copied))
    target = _target(now, place)
    names: dict[str, str] = {}
    for each in copied:
        names[each] = free_name(now, each)
        now["steps"][names[each]] = copy.deepcopy(dict(copied[each]))
    for each in names.values():
        for path, onward in ports(now["steps"][each]):
            inside = names.get(onward) if isinstance(onward, str) else None
            _put(now, (each, path), inside or (target if onward == clipped.get("exit") else None))
    for edge in place:
        _put(now, edge, names[entry])
    return Edited(now, names[entry])


def connect(data: Any, edge: Edge, target: str | None) -> Edited:
    """Let one way lead to another step, or to the end."""
    now = _copied(data)
    if target is not None and target not in now["steps"]:
        raise EditError(f"No step is named “{target}”.")
    if edge not in {*_edges(now), START}:
        raise EditError("This way is not there any more.")
    _put(now, edge, target)
    return Edited(now, edge[0] or (target or ""))


def rename(data: Any, name: str, new: str) -> Edited:
    """Give a step another name; every way to it follows."""
    now = _copied(data)
    _known(now, name)
    new = new.strip()
    if new == name:
        return Edited(now, name)
    if not 0 < len(new) <= 60 or new in now["steps"]:
        raise EditError("A name has 1 to 60 characters, and no other step has it.")
    _redirect(now, lambda target: new if target == name else target)
    now["steps"] = {new if each == name else each: raw for each, raw in now["steps"].items()}
    return Edited(now, new)


def configure(data: Any, name: str, raw: Mapping[str, Any]) -> Edited:
    """Give a step other fields. Steps that only a way reached which is gone go with it."""
    now = _copied(data)
    if not name:
        now.update(copy.deepcopy(dict(raw)))
        now = {key: value for key, value in now.items() if value is not None}
        now.setdefault("steps", {})
        return Edited(now)
    steps = _known(now, name)
    before, had = reached(now), {port.path for port in steps[name].ports}
    now["steps"][name] = copy.deepcopy(dict(raw))
    fewer = had - {path for path, _target in ports(now["steps"][name])}
    return Edited(now, name, _prune(now, before) if fewer else [])


def change_way(data: Any, name: str, path: str, index: int, act: str) -> Edited:
    """``add`` a way to a list of a step, ``remove`` or move it ``up`` or ``down``."""
    now = _copied(data)
    steps = _known(now, name)
    before = reached(now)
    ways = now["steps"][name].get(path)
    inner = dict(shape(steps[name].kind)[1]).get(path)
    if not isinstance(ways, list):
        now["steps"][name][path] = ways = []
    if act == "add":
        ways.append({"name": _free_way(ways)} | ({inner: _beyond(name, steps)} if inner else {}))
        return Edited(now, name)
    if not 0 <= index < len(ways):
        raise EditError("This way is not there any more.")
    if act == "remove":
        ways.pop(index)
        return Edited(now, name, _prune(now, before))
    other = index + (1 if act == "down" else -1)
    if 0 <= other < len(ways):
        ways[index], ways[other] = ways[other], ways[index]
    return Edited(now, name)


def region(data: Any, name: str) -> set[str]:
    """The step and everything that only its ways reach, up to where they meet again."""
    steps = sketch(data)
    stop = _beyond(name, steps)
    inside = _walk([name], steps, without={stop} if stop else set())
    start = start_of(data)
    elsewhere = _walk([start], steps, without={name}) if start and start != name else set()
    return {name} | (inside - elsewhere)


def reached(data: Any) -> set[str]:
    """Every step that people can come to."""
    start = start_of(data)
    return _walk([start], sketch(data), set()) if start else set()


def free_name(data: Any, wanted: str) -> str:
    """``wanted``, or with the first number that makes it a name of its own."""
    taken = steps_of(data)
    stem = re.sub(r"-\d+$", "", wanted)[:54] or "step"
    number = 2
    name = wanted[:60] or stem
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    return name


def _copied(data: Any) -> Data:
    now = copy.deepcopy(dict(data)) if isinstance(data, Mapping) else {}
    now["steps"] = {name: dict(raw) for name, raw in steps_of(now).items()}
    return now


def _known(data: Any, name: str) -> dict[str, Sketched]:
    steps = sketch(data)
    if name not in steps:
        raise EditError(f"The step “{name}” is not there any more.")
    return steps


def _room(data: Data, more: int) -> None:
    if len(data["steps"]) + more > MOST_STEPS:
        raise EditError(f"A journey has at most {MOST_STEPS} steps.")


def _beyond(name: str, steps: Mapping[str, Sketched]) -> str | None:
    """Where a step goes on: what follows, or where its ways meet. Never itself."""
    targets = [None if target == name else target for _path, target in steps[name].edges()]
    if len(targets) < 2:
        return targets[0] if targets else None
    if len(set(targets)) == 1:
        return targets[0]
    return None if None in targets else drawing.meeting(targets, steps, {name})


def _before(steps: Mapping[str, Sketched], name: str) -> str | None:
    return next((each.id for each in steps.values() if name in dict(each.edges()).values()), None)


def _target(data: Data, place: Sequence[Edge]) -> str | None:
    """Where the edges of a place lead. They lead to one step, or the draft has changed meanwhile."""
    known = {**_edges(data), START: start_of(data)}
    if not place or any(edge not in known for edge in place):
        raise EditError("This place is not there any more.")
    targets = {known[edge] for edge in place}
    if len(targets) > 1:
        raise EditError("The ways of this place do not meet any more.")
    return targets.pop()


def _edges(data: Any) -> dict[Edge, str | None]:
    return {(step.id, path): target for step in sketch(data).values() for path, target in step.edges()}


def _put(data: Data, edge: Edge, target: str | None) -> None:
    source, path = edge
    where = data["steps"][source] if source else data
    if found := _IN_LIST.match(path):
        where, path = where[found[1]][int(found[2])], found[3]
    if target is None:
        where.pop(path, None)
    else:
        where[path] = target


def _redirect(data: Data, onward: Onward, without: Iterable[str] = ()) -> None:
    """Let every edge lead where ``onward`` says, but those of steps in ``without``."""
    passed = set(without)
    if (start := start_of(data)) != onward(start):
        _put(data, START, onward(start))
    for (source, path), target in _edges(data).items():
        if source not in passed and onward(target) != target:
            _put(data, (source, path), onward(target))


def _prune(data: Data, before: set[str]) -> list[str]:
    """Drop the steps that were reached ``before`` and are not any more."""
    gone = sorted(before - reached(data))
    # A loose piece, which nobody reached before either, may have led to what goes now.
    _redirect(data, lambda target: None if target in gone else target)
    for name in gone:
        data["steps"].pop(name, None)
    return gone


def _free_way(ways: list[Any]) -> str:
    taken = {way.get("name") for way in ways if isinstance(way, Mapping)}
    number = len(ways) + 1
    while f"way {number}" in taken:
        number += 1
    return f"way {number}"


def _walk(origins: Sequence[str], steps: Mapping[str, Sketched], without: set[str]) -> set[str]:
    found, ahead = set(origins), list(origins)
    while ahead:
        for _path, target in steps[ahead.pop()].edges():
            if target is not None and target not in found and target not in without:
                found.add(target)
                ahead.append(target)
    return found
