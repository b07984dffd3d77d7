"""Starts runs when a schedule's hour or a person's date has come: each occasion once, whoever looks.

A journey's mark says up to when it was followed. A turn goes on from there in shares of people, each share
one transaction that moves the mark; so a death loses and repeats nothing, and a second worker passes by.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction

from contacts import once, rules_sql
from contacts.crashpoints import crashpoint
from contacts.rules import parse
from journeys import clock_people, runs, versions
from journeys.clock_people import Meant
from journeys.graph import Graph
from journeys.models import ClockMark
from journeys.runs import Entry
from journeys.versions import Version

BATCH = 5000
_QUARTER = timedelta(minutes=15)
_GRID = datetime(2000, 1, 1, tzinfo=UTC)


def tick(now: datetime, limit: int = BATCH) -> int:
    """One share of each live journey whose occasion has come; returns how many people were looked at."""
    looked = 0
    for version in versions.live():
        graph = version.graph
        if graph and (graph.trigger.schedule or graph.trigger.date):
            with transaction.atomic():
                looked += _follow(version, graph, now, limit)
                crashpoint("clockwork.written")
            crashpoint("clockwork.committed")
    return looked


def _follow(version: Version, graph: Graph, now: datetime, limit: int) -> int:
    mark = _mark(version, now)
    if mark is None:
        return 0
    if mark.until is None:
        mark.at = max(mark.at, now - graph.trigger.misfire)
        if now <= mark.at or not _may_be_due(graph, mark.at, now):
            _move_on(mark, now)
            return 0
        mark.until, mark.after_id = now, 0
    everybody = rules_sql.matching(graph.audience.rule if graph.audience else parse({}), as_of=mark.until)
    meant = clock_people.meant(everybody, graph, mark.at, mark.until)
    found = list(meant.filter(id__gt=mark.after_id).order_by("id")[:limit])
    runs.enter(version, _entries(version, graph, found, mark.at, mark.until, now), now)
    if len(found) < limit:
        _move_on(mark, mark.until)
    else:
        mark.after_id = found[-1][0]
        mark.save()
    return len(found)


def _mark(version: Version, now: datetime) -> ClockMark | None:
    """The journey's mark, locked; nothing where another worker holds it, or nothing was missed yet."""
    # What fell before the journey was first seen live is not made up for.
    ClockMark.objects.get_or_create(journey_id=version.journey_id, defaults={"at": version.published_at})
    return ClockMark.objects.select_for_update(skip_locked=True).filter(pk=version.journey_id).first()


def _move_on(mark: ClockMark, to: datetime) -> None:
    # A clock that was set back must not let an occasion come twice.
    mark.at, mark.until, mark.after_id = max(mark.at, to), None, 0
    mark.save()


def _may_be_due(graph: Graph, after: datetime, until: datetime) -> bool:
    """Whether some clock on earth can have shown the time in between: they differ by quarters of an hour."""
    told = graph.trigger.schedule or graph.trigger.date
    if told is None:
        return False
    # A time that the clock jumps over comes after the jump, which is on the quarter.
    if not any(
        after - (after - _GRID - timedelta(minutes=minute)) % _QUARTER + _QUARTER <= until
        for minute in (told.at.minute % 15, 0)
    ):
        return False
    schedule = graph.trigger.schedule
    return schedule is None or bool(clock_people.due_zones(schedule, graph.zone, after, until))


def _entries(
    version: Version, graph: Graph, people: Sequence[Meant], after: datetime, until: datetime, now: datetime
) -> list[Entry]:
    """Those whose occasion fell in between, each occasion of a person once for good."""
    due = {}
    for contact_id, at, local in clock_people.latest(graph, people, after, until):
        key = once.key("occasion", version.journey_id, contact_id, local.date().isoformat())
        due[key] = Entry(contact_id, at, {"occasion": local.date().isoformat()})
    claimed = once.claim(due, now)
    return [entry for key, entry in due.items() if key in claimed]
