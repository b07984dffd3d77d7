"""What a backtest is asked: which graph, over which time, for whom, and what counts as pressure. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from journeys.graph import Graph

#: Messages in a week above which a person counts as pressed, unless the asker says otherwise.
LINE = 3
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Question:
    """``graph`` from ``start`` until before ``end``, beside the journeys that were live.

    What this same journey really sent to those who entered in that time is left out, since the replay stands
    for it. ``slots`` are the lots of contacts that are asked about: all, or a sample.
    """

    graph: Graph
    journey_id: int
    start: datetime
    end: datetime
    slots: Sequence[int]
    line: int = LINE
    prices: Mapping[str, float] = field(default_factory=dict)
    #: Occasions are those of so much later, of the audience as it is at ``end``: to look ahead.
    ahead: timedelta = timedelta()
    #: Whatever this journey really sent in that time does not count, whenever people had entered.
    anew: bool = False
