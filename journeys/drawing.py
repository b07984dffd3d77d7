"""A graph as people read it: from top to bottom, ways side by side where paths part. Pure.

Where ways meet again, the drawing goes on below them. A way that leads elsewhere ends in a jump, which names
the step it goes to; so each step is drawn once, whatever the graph looks like.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

DEEPEST = 4
"Ways inside ways that are drawn in place; deeper ones are drawn below, behind a jump."


class Drawable(Protocol):
    """What a drawing must know of a step: a published one, or one of a draft that is not whole yet."""

    @property
    def id(self) -> str: ...
    def edges(self) -> tuple[tuple[str, str | None], ...]: ...
    def ways(self) -> tuple[tuple[str, str, str | None], ...]: ...


S = TypeVar("S", bound=Drawable)


@dataclass(slots=True)
class Way(Generic[S]):
    """One way out of a step: the outcome that leads here, its words, and what follows."""

    outcome: str
    words: str
    blocks: list[Block[S]] = field(default_factory=list)


@dataclass(slots=True)
class Block(Generic[S]):
    """One drawn step with its ways, or (without a step) a jump to a step drawn elsewhere, or the end."""

    step: S | None = None
    ways: list[Way[S]] = field(default_factory=list)
    jump: str | None = None


def draw(start: str, steps: Mapping[str, S], also: Sequence[str] = ()) -> list[list[Block[S]]]:
    """The chains of the drawing, the first of which begins at ``start``; then those from ``also``."""
    pen = _Pen(steps)
    chains = []
    pen.later += [start, *also]
    while pen.later:
        name = pen.later.pop(0)
        if name not in pen.placed:
            chains.append(pen.chain(name, frozenset(), 0))
    return chains


class _Pen(Generic[S]):
    def __init__(self, steps: Mapping[str, S]) -> None:
        self.steps = steps
        self.placed: set[str] = set()
        self.later: list[str] = []

    def chain(
        self, name: str | None, stops: frozenset[str], depth: int, meeting: str | None = None
    ) -> list[Block[S]]:
        """The steps from ``name`` on, until the path ends or goes on elsewhere."""
        blocks: list[Block[S]] = []
        while name is not None and name != meeting:
            if name in self.placed or name in stops:
                return [*blocks, Block(jump=name)]
            step = self.steps[name]
            self.placed.add(name)
            block = Block[S](step)
            blocks.append(block)
            ways = step.ways()
            if ways:
                name = self._part(block, ways, stops, depth, meeting)
                if name is None:
                    return blocks
            else:
                targets = [target for _field, target in step.edges()]
                name = targets[0] if targets else None
                if not targets:
                    return blocks
        if name is None:
            blocks.append(Block())
        return blocks

    def _part(
        self,
        block: Block[S],
        ways: Sequence[tuple[str, str, str | None]],
        stops: frozenset[str],
        depth: int,
        meeting: str | None,
    ) -> str | None:
        """Draw the ways beside each other; returns where they meet again, or nothing to draw below them."""
        below = self._meeting([target for _outcome, _words, target in ways])
        if below in stops:
            below = None
        inner = stops | {each for each in (below, meeting) if each}
        for outcome, words, target in ways:
            if depth >= DEEPEST and target is not None and target != below:
                self.later.append(target)
                block.ways.append(Way(outcome, words, [Block(jump=target)]))
            else:
                blocks = self.chain(target, inner - {below} if below else inner, depth + 1, below)
                block.ways.append(Way(outcome, words, blocks))
        return below

    def _meeting(self, targets: Sequence[str | None]) -> str | None:
        """The nearest step that every way which goes on can reach."""
        return meeting(targets, self.steps, self.placed)


def meeting(targets: Sequence[str | None], steps: Mapping[str, S], without: Collection[str]) -> str | None:
    """The nearest step, not one of ``without``, that every way which goes on can reach."""
    reached = [distances(target, steps) for target in targets if target is not None]
    if len(reached) < 2:
        return None
    common = set(reached[0]).intersection(*reached[1:]).difference(without)
    if not common:
        return None
    return min(common, key=lambda name: (max(found[name] for found in reached), name))


def distances(origin: str, steps: Mapping[str, S]) -> dict[str, int]:
    """Each step that can be reached from ``origin``, and by how many edges."""
    found, ahead = {origin: 0}, [origin]
    while ahead:
        name = ahead.pop(0)
        for _field, target in steps[name].edges():
            if target is not None and target not in found:
                found[target] = found[name] + 1
                ahead.append(target)
    return found
