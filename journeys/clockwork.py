"""Starts runs when a schedule's hour or a person's date has come: each occasion once, whoever looks.

A journey's mark says up to when it was followed. A turn goes on from there in shares of people, each share
one transaction that moves the mark; so a death loses and repeats nothing, and a second worker passes by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.db import transaction
from django.db.models import F, Func, JSONField, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Left, NullIf, Substr

from contacts import once, rules_sql
from contacts.crashpoints import crashpoint
from contacts.models import Contact
from contacts.rules import parse
from journeys import local_time, runs, versions
from journeys.graph import Graph
from journeys.models import ClockMark
from journeys.occasions import Anniversary, Schedule
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
    found = list(_people(graph, mark.at, mark.until).filter(id__gt=mark.after_id).order_by("id")[:limit])
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
    return schedule is None or bool(_due_zones(schedule, graph.zone, after, until))


def _people(graph: Graph, after: datetime, until: datetime) -> QuerySet[Contact, tuple[Any, ...]]:
    """(id, zone, the date's text) of everybody who may be meant."""
    trigger = graph.trigger
    found = rules_sql.matching(graph.audience.rule if graph.audience else parse({}), as_of=until)
    own = KeyTextTransform("timezone", "inferred")
    found = found.annotate(
        zone=Coalesce(NullIf(F("timezone"), Value("")), own, Value(""), output_field=TextField())
    )
    if trigger.schedule:
        if trigger.schedule.own_clock:
            due = _due_zones(trigger.schedule, graph.zone, after, until)
            wanted = Q(zone__in=due)
            if graph.zone in due:
                wanted |= ~Q(zone__in=_zones())
            found = found.filter(wanted)
        return found.values_list("id", "zone", Value("", TextField()))
    if trigger.date is None:
        return found.none().values_list("id", "zone", Value("", TextField()))
    both = Func(
        F("inferred"),
        F("attributes"),
        template="(%(expressions)s)",
        arg_joiner=" || ",
        output_field=JSONField(),
    )
    found = found.annotate(told=KeyTextTransform(trigger.date.attribute, both))
    days = trigger.date.dates(after, until)
    if trigger.date.yearly:
        named = {f"{day:%m-%d}" for day in days}
        found = found.annotate(day=Substr("told", 6, 5)).filter(
            day__in=named | ({"02-29"} if "02-28" in named else set())
        )
    else:
        found = found.annotate(day=Left("told", 10)).filter(day__in={day.isoformat() for day in days})
    return found.values_list("id", "zone", "told")


def _entries(
    version: Version, graph: Graph, people: Sequence[Any], after: datetime, until: datetime, now: datetime
) -> list[Entry]:
    """Those whose occasion fell in between, each occasion of a person once for good."""
    due = {}
    for contact_id, at, local in _occasions(graph, people, after, until):
        key = once.key("occasion", version.journey_id, contact_id, local.date().isoformat())
        due[key] = Entry(contact_id, at, {"occasion": local.date().isoformat()})
    claimed = once.claim(due, now)
    return [entry for key, entry in due.items() if key in claimed]


def _occasions(
    graph: Graph, people: Sequence[Any], after: datetime, until: datetime
) -> Iterator[tuple[int, datetime, datetime]]:
    schedule, date = graph.trigger.schedule, graph.trigger.date
    for contact_id, zone_name, told in people:
        where = local_time.zone(zone_name, graph.zone)
        if schedule and not schedule.own_clock:
            where = local_time.zone(graph.zone)
        at = _when(schedule, date, told, after, until, where)
        if at:
            yield contact_id, at, at.astimezone(where)


def _when(
    schedule: Schedule | None,
    date: Anniversary | None,
    told: str,
    after: datetime,
    until: datetime,
    where: ZoneInfo,
) -> datetime | None:
    if schedule:
        return schedule.due(after, until, where)
    return date.due(told, after, until, where) if date else None


def _due_zones(schedule: Schedule, zone: str, after: datetime, until: datetime) -> set[str]:
    """Zones on whose clocks an occasion fell in between."""
    names = _zones() if schedule.own_clock else {zone}
    return {name for name in {*names, zone} if schedule.due(after, until, local_time.zone(name))}


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
