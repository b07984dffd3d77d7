"""Walks people through a journey on a clock of their own, by the engine's own code.

People do not touch one another, so each has their own instant. A round takes everybody's next instant: who
comes in, what wakes them, the steps, then the policy. All rules of a round are judged together, each person
as of their own instant; the number of statements depends on rounds and steps, not on the number of people.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from channels import deciding_past
from channels.deciding_past import Past
from journeys import advancing, runs
from journeys.backtest import arriving, posting
from journeys.backtest.lives import Arrival, Letter, Life, Stepped, Trail
from journeys.backtest.question import Question
from journeys.steps.repeat import AGAIN
from journeys.walking import End, Walk

_ANSWER: dict[str, Any] = {"answered": True, "status": 200, "body": {}}


@dataclass(slots=True)
class Replay:
    """One group of people on their way through the time of a question."""

    question: Question
    people: Sequence[Life]
    past: Past
    watching: dict[str, frozenset[str]]
    #: Runs of a replay have numbers that no real run has.
    runs: count[int] = field(default_factory=lambda: count(-1, -1))
    letters: count[int] = field(default_factory=lambda: count(1))


def play(question: Question, people: Sequence[Life], go_on: Callable[[], bool] = lambda: True) -> Replay:
    """Play the whole time for ``people``; stops between two rounds when ``go_on`` says no."""
    arriving.furnish(question, people)
    past = deciding_past.load(
        [life.contact_id for life in people],
        question.start,
        question.end,
        question.journey_id,
        whenever_entered=question.anew,
    )
    graph = question.graph
    watching = {step: frozenset(json.loads(graph.watching[step])) for step in graph.steps}
    replay = Replay(question, people, past, watching)
    moving = list(people)
    while moving and go_on():
        moving = _round(replay, moving)
    return replay


def _round(replay: Replay, people: Sequence[Life]) -> list[Life]:
    """Everybody's next instant; returns those who had one."""
    due: list[tuple[Life, datetime]] = []
    for life in people:
        at = life.next_at()
        if at is not None and at < replay.question.end:
            due.append((life, at))
    for life, at in due:
        _come_in(replay, life, at)
        life.waken(at)
    _walk(replay, due)
    posting.decide(due, replay.past)
    return [life for life, _at in due]


def _come_in(replay: Replay, life: Life, now: datetime) -> None:
    """Start the runs that the entry rule lets in; of several at one instant, the earliest a key."""
    coming: dict[str, Arrival] = {}
    while life.arrived < len(life.arrivals) and life.arrivals[life.arrived].known_at <= now:
        arrival = life.arrivals[life.arrived]
        if arrival.key not in coming or arrival.occurred_at < coming[arrival.key].occurred_at:
            coming[arrival.key] = arrival
        life.arrived += 1
    for arrival in coming.values():
        if _may_enter(replay, life, arrival, now):
            life.trails.append(_begin(replay, life, arrival, now))


def _may_enter(replay: Replay, life: Life, arrival: Arrival, now: datetime) -> bool:
    entered_at = min(arrival.occurred_at, now)
    blocking = runs.blocking_since(replay.question.graph.entry, entered_at)
    rule = replay.question.graph.entry
    inside = sum(trail.live for trail in life.trails) + sum(run.inside(now) for run in life.earlier)
    if rule.most_each and inside >= rule.most_each:
        return False
    for trail in life.trails:
        if trail.key == arrival.key and (trail.live or trail.walk.entered_at > blocking):
            return False
    return not any(
        run.key == arrival.key and (run.inside(now) or run.entered_at > blocking) for run in life.earlier
    )


def _begin(replay: Replay, life: Life, arrival: Arrival, now: datetime) -> Trail:
    entered_at = min(arrival.occurred_at, now)
    question = replay.question
    walk = Walk(
        run_id=next(replay.runs),
        slot=life.slot,
        contact_id=life.contact_id,
        journey_id=question.journey_id,
        version_id=0,
        step=question.graph.start,
        visit=0,
        since=entered_at,
        entered_at=entered_at,
        entry_json=arrival.entry_json,
        graph=question.graph,
        answers={},
    )
    return Trail(walk, arrival.key, now)


def _walk(replay: Replay, due: Sequence[tuple[Life, datetime]]) -> None:
    """Move every run that is due, until none is due at its person's instant."""
    found = [(life, at, trail) for life, at in due for trail in life.trails]
    while found := [one for one in found if one[2].due_at is not None and one[2].due_at <= one[1]]:
        walks = [_woken(trail) for _life, _at, trail in found]
        advancing.advance(walks, {trail.walk.run_id: at for _life, at, trail in found})
        for life, at, trail in found:
            _rest(replay, life, trail, at)


def _woken(trail: Trail) -> Walk:
    """As the engine finds a run: nothing taken yet."""
    walk = trail.walk
    walk.moving, walk.due_at, walk.taken = True, None, []
    walk.wanted, walk.changes, walk.moves, walk.listings = (), {}, (), ()
    walk.rounds, walk.answers, walk.call = _rounds(trail), trail.answers, None
    return walk


def _is_wished(life: Life, walk: Walk) -> bool:
    """Whether a run that waits has its message already: it wishes for it whenever it is looked at."""
    return any(
        letter.run_id == walk.run_id and letter.step == walk.step and letter.created_at >= walk.since
        for letter in life.letters
    )


def _rounds(trail: Trail) -> dict[str, int]:
    """How often a run went round from each step that repeats, since it last left the loop."""
    times: dict[str, int] = {}
    for taken in trail.path:
        if taken.outcome == AGAIN:
            times[taken.step] = times.get(taken.step, 0) + 1
        elif taken.outcome in ("done", "limit"):
            times.pop(taken.step, None)
    return times


def _rest(replay: Replay, life: Life, trail: Trail, at: datetime) -> None:
    """Keep what a run did in a batch, as ``recording`` does for the engine."""
    walk = trail.walk
    trail.path += [Stepped(at, taken.step, taken.visit, taken.outcome) for taken in walk.taken]
    for step, visit, wanted in walk.wanted:
        if visit in trail.asked or (step == walk.step and _is_wished(life, walk)):
            continue
        life.letters.append(
            Letter(
                id=next(replay.letters),
                contact_id=life.contact_id,
                slot=life.slot,
                run_id=walk.run_id,
                step=step,
                created_at=at,
                entered_at=walk.entered_at,
                due_at=at,
                purpose=wanted.purpose,
                wanted=wanted.channels,
                transactional=wanted.purpose in replay.past.service,
                priority=wanted.priority,
                value=wanted.value,
                on_hold=wanted.on_hold,
                deadline_at=at + wanted.deadline if wanted.deadline else None,
                conditions=walk.graph.conditions[step],
                tags={
                    channel: replay.past.tags[slug]
                    for channel, slug in wanted.content.items()
                    if slug in replay.past.tags
                },
                smart_channel=wanted.smart_channel,
                best_by=at + wanted.best_within if wanted.best_within else None,
            )
        )
    if walk.end is End.LIVE:
        trail.due_at, trail.watching = walk.due_at, replay.watching[walk.step]
        if walk.call is not None:
            # Nobody is called: an endpoint is taken to answer at once, and to say nothing.
            trail.answers = {**trail.answers, walk.step: {**_ANSWER, "visit": walk.visit}}
            trail.due_at = at
        return
    trail.due_at, trail.watching, trail.ended_at = None, frozenset(), at
    if walk.called_off:
        posting.call_off(life, walk.run_id, walk.outcome, at)
