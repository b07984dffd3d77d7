"""Whom a schedule or a date means, and when on their clock. Used by the clock, and to play it.

Asked set by set: a queryset of those who may be meant, then, without the database, the occasions of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.db.models import F, Func, JSONField, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Left, NullIf, Substr

from contacts.models import Contact
from journeys import local_time
from journeys.graph import Graph
from journeys.occasions import Anniversary, Schedule

#: (id, name of the zone, the text of the date, first seen).
Meant = tuple[int, str, str, datetime]


def meant(
    everybody: QuerySet[Contact], graph: Graph, after: datetime, until: datetime
) -> QuerySet[Contact, Meant]:
    """Those of ``everybody`` to whom an occasion may have come after ``after``, up to ``until``."""
    trigger = graph.trigger
    if not (trigger.schedule or trigger.date):
        everybody = everybody.none()
    own = KeyTextTransform("timezone", "inferred")
    found = everybody.annotate(
        zone=Coalesce(NullIf(F("timezone"), Value("")), own, Value(""), output_field=TextField()),
        told=_told(trigger.date) if trigger.date else Value("", TextField()),
    )
    if trigger.schedule and trigger.schedule.own_clock:
        due = due_zones(trigger.schedule, graph.zone, after, until)
        wanted = Q(zone__in=due)
        if graph.zone in due:
            wanted |= ~Q(zone__in=_zones())
        found = found.filter(wanted)
    if trigger.date:
        days = trigger.date.dates(after, until)
        if trigger.date.yearly:
            named = {f"{day:%m-%d}" for day in days}
            wanted_days = named | ({"02-29"} if "02-28" in named else set())
            found = found.annotate(day=Substr("told", 6, 5)).filter(day__in=wanted_days)
        else:
            found = found.annotate(day=Left("told", 10)).filter(day__in={day.isoformat() for day in days})
    return found.values_list("id", "zone", "told", "first_seen_at")


def _told(date: Anniversary) -> KeyTextTransform:
    """The text of the date among the attributes; what the person declared wins."""
    both = Func(
        F("inferred"),
        F("attributes"),
        template="(%(expressions)s)",
        arg_joiner=" || ",
        output_field=JSONField(),
    )
    return KeyTextTransform(date.attribute, both)


def latest(
    graph: Graph, people: Sequence[Meant], after: datetime, until: datetime
) -> Iterator[tuple[int, datetime, datetime]]:
    """(contact's id, when, the same on their clock): of several occasions of a person the last."""
    schedule, date = graph.trigger.schedule, graph.trigger.date
    for contact_id, zone_name, told, _first_seen in people:
        where = _clock(graph, zone_name)
        at = None
        if schedule:
            at = schedule.due(after, until, where)
        elif date:
            at = date.due(told, after, until, where)
        if at:
            yield contact_id, at, at.astimezone(where)


def every(
    graph: Graph, people: Sequence[Meant], after: datetime, until: datetime
) -> Iterator[tuple[int, datetime, datetime]]:
    """The same, but all occasions of each person who was there by then."""
    schedule, date = graph.trigger.schedule, graph.trigger.date
    told_zones: dict[str, list[datetime]] = {}
    for contact_id, zone_name, told, first_seen in people:
        where = _clock(graph, zone_name)
        times: Sequence[datetime] = ()
        if schedule:
            if where.key not in told_zones:
                told_zones[where.key] = schedule.every_due(after, until, where)
            times = told_zones[where.key]
        elif date:
            times = date.every_due(told, after, until, where)
        for at in times:
            if at >= first_seen:
                yield contact_id, at, at.astimezone(where)


def due_zones(schedule: Schedule, zone: str, after: datetime, until: datetime) -> set[str]:
    """Zones on whose clocks an occasion fell in between."""
    names = _zones() if schedule.own_clock else {zone}
    return {name for name in {*names, zone} if schedule.due(after, until, local_time.zone(name))}


def _clock(graph: Graph, zone_name: str) -> ZoneInfo:
    schedule = graph.trigger.schedule
    shared = schedule is not None and not schedule.own_clock
    return local_time.zone(graph.zone) if shared else local_time.zone(zone_name, graph.zone)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
