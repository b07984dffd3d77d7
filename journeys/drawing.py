"""A graph as people read it: from top to bottom, ways side by side where paths part. Pure.

Where ways meet again, the drawing goes on below them. A way that leads elsewhere ends in a jump, which names
the step it goes to; so each step is drawn once, whatever the graph looks like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from journeys.steps.step import Step

DEEPEST = 4
"Ways inside ways that are drawn in place; deeper ones are drawn below, behind a jump."


@dataclass(slots=True)
class Way:
    """One way out of a step: the outcome that leads here, its words, and what follows."""

    outcome: str
    words: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class Block:
    """One drawn step with its ways, or (without a step) a jump to a step drawn elsewhere, or the end."""

    step: Step | None = None
    ways: list[Way] = field(default_factory=list)
    jump: str | None = None


def draw(start: str, steps: Mapping[str, Step]) -> list[list[Block]]:
    """The chains of the drawing, the first of which begins at ``start``."""
    pen = _Pen(steps)
    chains = []
    pen.later.append(start)
    while pen.later:
        name = pen.later.pop(0)
        if name not in pen.placed:
            chains.append(pen.chain(name, frozenset(), 0))
    return chains


class _Pen:
    def __init__(self, steps: Mapping[str, Step]) -> None:
        self.steps = steps
        self.placed: set[str] = set()
        self.later: list[str] = []

    def chain(
        self, name: str | None, stops: frozenset[str], depth: int, meeting: str | None = None
    ) -> list[Block]:
        """The steps from ``name`` on, until the path ends or goes on elsewhere."""
        blocks: list[Block] = []
        while name is not None and name != meeting:
            if name in self.placed or name in stops:
                return [*blocks, Block(jump=name)]
            step = self.steps[name]
            self.placed.add(name)
            block = Block(step)
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
        block: Block,
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
        reached = [self._distances(target) for target in targets if target is not None]
        open_ended = [found for found in reached if found]
        if len(open_ended) < 2:
            return None
        common = set(open_ended[0]).intersection(*open_ended[1:]) - self.placed
        if not common:
            return None
        return min(common, key=lambda name: (max(found[name] for found in open_ended), name))

    def _distances(self, origin: str) -> dict[str, int]:
        found, edge = {origin: 0}, [origin]
        while edge:
            name = edge.pop(0)
            for _field, target in self.steps[name].edges():
                if target is not None and target not in found:
                    found[target] = found[name] + 1
                    edge.append(target)
        return found
