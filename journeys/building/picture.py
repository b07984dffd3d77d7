"""A draft as the builder shows it: lines from top to bottom, with every place for another step. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from journeys import drawing
from journeys.building.sketch import START, Edge, Port, Sketched, sketch, start_of, steps_of, unreached
from journeys.drawing import Block
from journeys.fields import Problem

ENDS, GOES_ON = "The way ends.", "Goes on below."
ALL_WAYS = "*"
"Instead of the words of a way: the place below all ways that end."


@dataclass(slots=True)
class Place:
    """Where a step can be added: the edges it would stand on, and what comes before."""

    edges: list[Edge]
    after: str
    way: str = ""

    @property
    def key(self) -> str:
        """The edges as the builder sends them back."""
        return json.dumps(self.edges)


@dataclass(slots=True)
class Way:
    """One way out of a step, with what is drawn in it."""

    port: Port
    lines: list[Line]
    #: Where this way is one of a list's: (name of the list, place in it).
    entry: tuple[str, int] | None = None
    joins: bool = False
    #: How many took it lately.
    taken: int = 0


@dataclass(slots=True)
class Line:
    """A place, a step with its ways, the end of a way, or a jump to a step drawn elsewhere."""

    kind: str
    place: Place | None = None
    step: Sketched | None = None
    jump: str = ""
    ways: list[Way] = field(default_factory=list)
    depth: int = 0
    #: What a door shows of the step beside its words.
    shown: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Picture:
    """The main way, and the pieces that nothing leads to."""

    main: list[Line]
    loose: list[list[Line]]
    steps: dict[str, Sketched]


def picture(data: Any) -> Picture:
    """The whole draft, drawn."""
    steps = sketch(data)
    start = start_of(data)
    roots = unreached(data, steps)
    if start is None:
        first = [Line("place", Place([START], "")), Line("end")]
        chains = drawing.draw(roots[0], steps, roots[1:]) if roots else []
        return Picture(first, [_lines(chain, [])[0] for chain in chains], steps)
    chains = drawing.draw(start, steps, roots)
    main = _lines(chains[0], [START])[0]
    return Picture(main, [_lines(chain, [])[0] for chain in chains[1:]], steps)


def _lines(
    blocks: Sequence[Block[Sketched]], incoming: list[Edge], depth: int = 0
) -> tuple[list[Line], list[Edge]]:
    """The lines of a chain that ``incoming`` leads to, and the edges with which it goes on below."""
    lines: list[Line] = []
    after = incoming[0][0] if incoming else ""
    for block in blocks:
        if incoming:
            lines.append(Line("place", Place(incoming, after)))
        if block.step is None:
            here = Place(incoming, after) if len(incoming) == 1 else None
            lines.append(Line("jump" if block.jump else "end", here, jump=block.jump or ""))
            return lines, []
        step = block.step
        line = Line("step", step=step, depth=depth)
        lines.append(line)
        after = step.id
        if not block.ways:
            incoming = [(step.id, port.path) for port in step.ports]
            continue
        incoming = []
        for port, way in zip(step.ports, block.ways, strict=True):
            inner, onward = _lines(way.blocks, [(step.id, port.path)], depth + 1)
            if not way.blocks:
                inner = [Line("place", Place([(step.id, port.path)], step.id, port.words))]
            elif inner and inner[0].place:
                inner[0].place.way = port.words
                if onward:
                    inner.append(Line("place", Place(onward, _last(inner))))
            line.ways.append(Way(port, inner, _entry(port), bool(onward) or not way.blocks))
            incoming += onward if way.blocks else [(step.id, port.path)]
        if not incoming and len(ends := _ends(line.ways)) > 1:
            lines.append(Line("place", Place(ends, step.id, ALL_WAYS)))
    return lines, incoming


def _ends(ways: Sequence[Way]) -> list[Edge]:
    """The edges that end in these ways, so that something can follow for everybody who is still there."""
    found: list[Edge] = []
    for way in ways:
        if len(way.lines) > 1 and way.lines[-1].kind == "end" and (place := way.lines[-2].place):
            found += place.edges
    return found


def _last(lines: Sequence[Line]) -> str:
    return next((line.step.id for line in reversed(lines) if line.step), "")


def _entry(port: Port) -> tuple[str, int] | None:
    name, bracket, rest = port.path.partition("[")
    return (name, int(rest.partition("]")[0])) if bracket else None


def by_step(problems: Sequence[Problem], data: Any) -> dict[str, list[dict[str, str]]]:
    """Problems at the step that they concern, with the path inside it; the rest under the empty name."""
    names = sorted(steps_of(data), key=len, reverse=True)
    found: dict[str, list[dict[str, str]]] = {}
    for problem in problems:
        name, inside = _at(problem.path, names)
        found.setdefault(name, []).append({"path": inside, "message": problem.message})
    return found


def _at(path: str, names: Sequence[str]) -> tuple[str, str]:
    for name in names:
        whole = f"steps.{name}"
        if path == whole:
            return name, ""
        if path.startswith((f"{whole}.", f"{whole}[")):
            return name, path[len(whole) :].lstrip(".")
    return "", path


def in_words(data: Any, steps: Mapping[str, Sketched]) -> list[tuple[int, str, str]]:
    """(depth, name of the step, sentence) from top to bottom."""
    shown = picture(data)
    told: list[tuple[int, str, str]] = []
    for lines in (shown.main, *shown.loose):
        _tell(lines, 0, told)
    return told


def _tell(lines: Sequence[Line], depth: int, told: list[tuple[int, str, str]]) -> None:
    for line in lines:
        if line.step:
            told.append((depth, line.step.id, line.step.words or f"({line.step.kind})"))
            for way in line.ways:
                told.append((depth + 1, "", f"{way.port.words}:"))
                _tell(way.lines, depth + 2, told)
                if way.joins and not any(inner.step for inner in way.lines):
                    told.append((depth + 2, "", GOES_ON))
        elif line.jump:
            told.append((depth, "", f"→ {line.jump}"))
        elif line.kind == "end":
            told.append((depth, "", ENDS))
