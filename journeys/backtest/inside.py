"""People who are inside a journey now, set back in time, so that their way can be played on."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from journeys import versions
from journeys.backtest.lives import Life, Trail
from journeys.backtest.question import Question
from journeys.graph import Graph
from journeys.models import Run
from journeys.walking import Walk


def crowds(
    journey_id: int, now: datetime, ahead: timedelta, lots: Sequence[int], most: int
) -> Iterator[tuple[Question, list[Life]]]:
    """Live runs by version, at most ``most`` people at a time, as if it were ``ahead`` earlier."""
    live = Run.objects.filter(journey_id=journey_id, state=Run.State.LIVE, slot__in=list(lots))
    ids = set(live.values_list("version_id", flat=True).distinct())
    for version in versions.load(ids).values():
        if version.graph is None:
            continue
        question = Question(version.graph, journey_id, now - ahead, now, lots, anew=True)
        by_contact: dict[int, list[Run]] = defaultdict(list)
        for run in live.filter(version_id=version.id).order_by("contact_id", "id"):
            by_contact[run.contact_id].append(run)
        people = [_life(question, runs, now, ahead) for runs in by_contact.values()]
        for first in range(0, len(people), most):
            yield question, people[first : first + most]


def _life(question: Question, runs: Sequence[Run], now: datetime, ahead: timedelta) -> Life:
    life = Life(runs[0].contact_id, runs[0].slot, ())
    life.trails = [
        _trail(question.graph, run, now, ahead) for run in runs if run.step in question.graph.steps
    ]
    return life


def _trail(graph: Graph, run: Run, now: datetime, ahead: timedelta) -> Trail:
    walk = Walk(
        run_id=run.pk,
        slot=run.slot,
        contact_id=run.contact_id,
        journey_id=run.journey_id,
        version_id=0,
        step=run.step,
        visit=run.visit,
        since=run.since - ahead,
        entered_at=run.entered_at - ahead,
        entry_json=msgspec.json.encode(run.entry).decode(),
        graph=graph,
        answers={},
    )
    due_at = max(run.due_at or now, now) - ahead
    step = graph.steps[run.step]
    # Whoever waits for the answer to a message has got it already.
    asked = frozenset({run.visit} if step.waits and step.sends() else ())
    return Trail(walk, run.key, due_at, frozenset(json.loads(graph.watching[run.step])), asked=asked)
