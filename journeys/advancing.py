"""Moves a set of runs as far as they go. Writes nothing, so that the engine and the backtest walk alike.

Rounds: all take one step, then those that may take the next. The number of statements depends on the
versions and steps met, never on the number of people.
"""

from __future__ import annotations

from collections.abc import Sequence

from journeys import facts, goals
from journeys.outcomes import Facts
from journeys.walking import End, Instants, Walk, instant_of


def advance(walks: Sequence[Walk], now: Instants) -> None:
    """Take steps until each of ``walks`` waits or has ended."""
    moving = [walk for walk in walks if walk.moving]
    zone_names = facts.zones(moving)
    guarded = True
    while moving:
        reached = []
        for walk, (guards, step_facts) in zip(
            moving, facts.gather(moving, zone_names, guarded=guarded, now=now), strict=True
        ):
            verdict = walk.graph.guarded(guards)
            if verdict == "goal":
                reached.append(walk)
            elif verdict == "exit":
                walk.leave(End.EXITED, "exit rule")
            else:
                _step(walk, step_facts, now)
        goals.convert(reached, now)
        moving = [walk for walk in moving if walk.moving]
        guarded = False


def _step(walk: Walk, step_facts: Facts, now: Instants) -> None:
    at = instant_of(walk, now)
    try:
        walk.advance(step_facts, at)
    except Exception as error:  # noqa: BLE001 (whatever a step raises concerns this run alone)
        walk.fail(f"{type(error).__name__}: {error}", at)
