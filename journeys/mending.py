"""Runs that do not go on by themselves: which, why, and what can be done about many of them at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Max, Min, QuerySet

from journeys import runs, versions
from journeys.models import Journey, Run

MOST = 10_000
"Runs that are mended at once."
LATE = timedelta(minutes=15)
"A run that is due for longer than this is overdue: the engine does not keep up, or cannot."


@dataclass(frozen=True, slots=True)
class Health:
    """How the runs stand. Without a wake-up and astray must be 0 always."""

    live: int
    due: int
    overdue: int
    oldest_due: datetime | None
    without_wakeup: int
    #: Live on a step that their version does not have, or in a journey that was put away.
    astray: int
    failed: int

    @property
    def good(self) -> bool:
        return not (self.overdue or self.without_wakeup or self.astray)


@dataclass(frozen=True, slots=True)
class Cause:
    """Failed runs of one journey that stand on one step for one reason."""

    journey_id: int
    journey: str
    step: str
    cause: str
    count: int
    first: datetime
    last: datetime


def health(now: datetime) -> Health:
    """Count what stands how. Two statements that read all live runs, so for people and monitors only."""
    with connection.cursor() as cursor:
        cursor.execute(_HEALTH, {"now": now, "late": now - LATE})
        live, due, overdue, oldest, without, failed = cursor.fetchone() or (0, 0, 0, None, 0, 0)
        cursor.execute(_ASTRAY)
        (astray,) = cursor.fetchone() or (0,)
    return Health(live, due, overdue, oldest, without, astray, failed)


def causes(journey: Journey | None = None, most: int = 100) -> list[Cause]:
    """Why runs failed, the most frequent first. One statement."""
    failed = Run.objects.filter(state=Run.State.FAILED)
    if journey is not None:
        failed = failed.filter(journey=journey)
    rows = (
        failed.values_list("journey_id", "journey__name", "step", "outcome")
        .annotate(count=Count("id"), first=Min("ended_at"), last=Max("ended_at"))
        .order_by("-count", "journey_id", "step", "outcome")
    )
    return [Cause(*row) for row in rows[:most]]


def failed(journey_id: int, step: str, cause: str) -> QuerySet[Run]:
    """The runs behind a ``Cause``, the oldest first."""
    found = Run.objects.filter(state=Run.State.FAILED, journey_id=journey_id, step=step, outcome=cause)
    return found.order_by("ended_at", "id")


def retry(run_ids: Collection[int], now: datetime) -> int:
    """Let failed runs try their step again; returns how many."""
    return runs.retry(run_ids, now)


def skip(run_ids: Collection[int], now: datetime) -> int:
    """Let failed runs go on after their step; returns how many. Where no step follows they stay."""
    chosen = Run.objects.filter(id__in=run_ids, state=Run.State.FAILED)
    rows = list(chosen.values_list("id", "version_id", "step"))
    known = versions.load({version_id for _id, version_id, _step in rows})
    found = ((run_id, runs.step_after(known[version_id], step)) for run_id, version_id, step in rows)
    after = {run_id: step for run_id, step in found if step}
    return runs.skip(list(after), after, now)


_HEALTH = """
SELECT count(*) FILTER (WHERE r.state = 1),
       count(*) FILTER (WHERE r.state = 1 AND r.due_at <= %(now)s),
       count(*) FILTER (WHERE r.state = 1 AND r.due_at <= %(late)s),
       min(r.due_at) FILTER (WHERE r.state = 1 AND r.due_at <= %(now)s),
       count(*) FILTER (WHERE r.state = 1 AND r.due_at IS NULL),
       count(*) FILTER (WHERE r.state = 5)
FROM journeys_run r WHERE r.state IN (1, 5)
"""
# By version and step first: the graphs are looked into once for each, not once for each run.
_ASTRAY = """
SELECT coalesce(sum(standing.people), 0)::bigint
FROM (SELECT version_id, step, count(*) AS people FROM journeys_run WHERE state = 1 GROUP BY 1, 2) AS standing
JOIN journeys_journeyversion v ON v.id = standing.version_id
JOIN journeys_journey j ON j.id = v.journey_id
WHERE j.status IN ('draft', 'archived') OR NOT coalesce(v.graph -> 'steps' ? standing.step, false)
"""
