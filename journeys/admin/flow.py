"""The drawing of a graph with its figures, as the templates want it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from journeys import drawing
from journeys.drawing import Block
from journeys.figures import AtStep
from journeys.graph import Graph
from journeys.steps import Step

ICONS = {
    "send": "send",
    "wait": "schedule",
    "wait_for": "hourglass_top",
    "branch": "alt_route",
    "split": "call_split",
    "update": "edit_note",
    "audience": "ads_click",
    "list": "playlist_add",
    "repeat": "repeat",
    "smart_split": "insights",
    "webhook": "webhook",
    "survey": "quiz",
    "exit": "logout",
}


@dataclass(frozen=True, slots=True)
class ShownWay:
    words: str
    taken: int
    blocks: list[Shown]


@dataclass(frozen=True, slots=True)
class Shown:
    """One block: a step in words with its figures and ways, a jump, or the end."""

    id: str = ""
    kind: str = ""
    icon: str = ""
    words: str = ""
    note: Mapping[str, str] | None = None
    figures: AtStep | None = None
    ways: Sequence[ShownWay] = ()
    jump: str = ""


def flow_of(graph: Graph, at_steps: Mapping[str, AtStep]) -> list[list[Shown]]:
    """The chains of the graph's drawing."""
    return [
        [_shown(block, graph, at_steps) for block in chain]
        for chain in drawing.draw(graph.start, graph.steps)
    ]


def _shown(block: Block[Step], graph: Graph, at_steps: Mapping[str, AtStep]) -> Shown:
    if block.step is None:
        return Shown(jump=block.jump or "")
    step = block.step
    figures = at_steps.get(step.id)
    ways = [
        ShownWay(
            way.words,
            figures.outcomes.get(way.outcome, 0) if figures else 0,
            [_shown(inner, graph, at_steps) for inner in way.blocks],
        )
        for way in block.ways
    ]
    return Shown(
        step.id,
        step.kind,
        ICONS.get(step.kind, "circle"),
        step.words(),
        graph.notes.get(step.id),
        figures,
        ways,
    )
