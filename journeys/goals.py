"""Whether a goal that was reached counts as a conversion, and what it was worth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from contacts import rules_sql_events
from contacts.rules import parse_where
from contacts.rules_sql_events import Found
from journeys.entering import Goal
from journeys.walking import End, Instants, Walk, instant_of

LATE = "goal_late"


def convert(walks: Sequence[Walk], now: Instants) -> None:
    """End the runs of ``walks``, whose goal holds. One statement a version whose goal is an event."""
    by_version: dict[int, list[Walk]] = defaultdict(list)
    for walk in walks:
        by_version[walk.version_id].append(walk)
    for group in by_version.values():
        goal = group[0].graph.goal
        if goal is None:
            continue
        events = _first_events(goal, group, now) if goal.event else {}
        for place, walk in enumerate(group):
            _end(walk, goal, events.get(place), instant_of(walk, now))


def _first_events(goal: Goal, walks: Sequence[Walk], now: Instants) -> dict[int, Found]:
    since = [(walk.contact_id, walk.entered_at) for walk in walks]
    until = now if isinstance(now, datetime) else [now[walk.run_id] for walk in walks]
    return rules_sql_events.first_since(goal.event, parse_where(list(goal.where)), since, until)


def _end(walk: Walk, goal: Goal, found: Found | None, now: datetime) -> None:
    at = found.occurred_at if found else now
    if at > walk.entered_at + goal.window:
        # What was wanted has happened, so nothing more is sent; but the journey cannot claim it.
        walk.leave(End.EXITED, LATE)
        return
    walk.value = _worth(found.properties.get(goal.value)) if found and goal.value else None
    walk.moves += walk.graph.on_goal
    walk.leave(End.CONVERTED, "goal", None if walk.value is None else {"value": walk.value})


def _worth(value: object) -> float | None:
    try:
        worth = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return worth if abs(worth) < 1e12 else None
