"""What starts runs and what wakes them: a reader of the event log, and the clock for quiet people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import psycopg
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Least

from contacts import event_log, rules_sql, rules_sql_events, slots
from contacts.crashpoints import crashpoint
from contacts.event_log import LogEvent
from contacts.models import Contact
from contacts.rules import parse, parse_where
from contacts.rules_sql import Subject
from journeys import runs, versions
from journeys.graph import Graph
from journeys.models import Run
from journeys.runs import Entry
from journeys.versions import Version

READER = "triggers"
BATCH = 2000


def follow(now: datetime, limit: int = BATCH) -> int:
    """Read on in the log: start runs and wake those that watch; returns how many events were read."""
    with transaction.atomic():
        events = event_log.read_after(READER, limit)
        if not events:
            return 0
        _start(events, now)
        _wake(events, now)
        event_log.advance(READER, events)
        crashpoint("triggers.written")
    crashpoint("triggers.committed")
    return len(events)


def _start(events: Sequence[LogEvent], now: datetime) -> None:
    by_name: dict[str, list[LogEvent]] = defaultdict(list)
    for event in events:
        by_name[event.name].append(event)
    for version in versions.live():
        graph = version.graph
        if graph and graph.trigger.event in by_name:
            fitting = _fitting(graph, by_name[graph.trigger.event], now)
            runs.enter(version, [_entry(graph, event) for event in fitting], now)


def _fitting(graph: Graph, events: Sequence[LogEvent], now: datetime) -> list[LogEvent]:
    """The events that start a run: fresh, of the right segment or properties, of people in the audience."""
    trigger = graph.trigger
    found = [event for event in events if event.occurred_at > now - trigger.fresh and not event.is_history]
    if trigger.own_event:
        # Written by Segue: whoever has a key may send an event of the same name.
        found = [event for event in found if event.kind == event_log.SYSTEM]
    if trigger.segment:
        found = [event for event in found if event.properties.get("segment") == trigger.segment]
    passed = rules_sql_events.passing(
        parse_where(list(trigger.where)), [event.properties for event in found], now
    )
    found = [event for place, event in enumerate(found) if place in passed]
    if not graph.audience or not found:
        return found
    subjects = [Subject(event.contact_id, event.slot) for event in found]
    (inside,) = rules_sql.verdicts([graph.audience.rule], subjects, now)
    return [event for place, event in enumerate(found) if place in inside]


def _entry(graph: Graph, event: LogEvent) -> Entry:
    value = event.properties.get(graph.entry.key) if graph.entry.key else ""
    key = "" if value is None else str(value)
    return Entry(event.contact_id, event.occurred_at, event.properties, key)


def _wake(events: Iterable[LogEvent], now: datetime) -> None:
    """Make runs due that watch for one of ``events``.

    Rows are locked first: an engine that is just putting a run to sleep finishes before the look at
    ``watching``, so no event falls between. A run that is due already, but not yet taken, waits until the
    event is past: an engine whose clock is a little behind would not see it, and nothing would wake the run
    again.
    """
    watched = versions.watched()
    pairs, latest = set[tuple[int, str]](), dict[int, datetime]()
    for event in events:
        if event.name in watched:
            pairs.add((event.contact_id, event.name))
            latest[event.contact_id] = max(event.occurred_at, latest.get(event.contact_id, event.occurred_at))
    if not pairs:
        return
    contact_ids, names = (list(column) for column in zip(*sorted(pairs), strict=True))
    leased = sorted({slots.of(contact_id) for contact_id in latest})
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM journeys_run WHERE slot = ANY(%b::int2[])"
            " AND contact_id = ANY(%b::int8[]) AND state = 1 ORDER BY id FOR NO KEY UPDATE) AS locked",
            [leased, list(latest)],
        )
        cursor.execute(
            _WAKE, [now, contact_ids, names, [latest[contact_id] for contact_id in contact_ids], leased, now]
        )


# A contact's events share one `latest`, so whichever of them a run meets, the outcome is the same.
_WAKE = """
UPDATE journeys_run r
SET due_at = CASE WHEN r.due_at < u.latest THEN u.latest ELSE greatest(u.latest, %b) END
FROM unnest(%b::int8[], %b::text[], %b::timestamptz[]) AS u(contact_id, name, latest)
WHERE r.slot = ANY(%b::int2[]) AND r.contact_id = u.contact_id AND r.state = 1
  AND (r.due_at < u.latest OR (r.watching ? u.name AND r.due_at > greatest(u.latest, %b)))
"""


def inactivity(now: datetime, limit: int = BATCH) -> int:
    """Start runs for people nobody heard of; returns how many began."""
    began = 0
    for version in versions.live():
        if version.graph and version.graph.trigger.inactive_days:
            with transaction.atomic():
                quiet = _quiet(version, version.graph, now)[:limit]
                entries = [Entry(contact_id, now) for contact_id in quiet.values_list("id", flat=True)]
                began += runs.enter(version, entries, now)
    return began


def _quiet(version: Version, graph: Graph, now: datetime) -> QuerySet[Contact]:
    """Known people last seen so long ago, and whom the entry rule would let in since they went quiet."""
    trigger = graph.trigger
    rule = graph.audience.rule if graph.audience else parse({})
    quiet = rules_sql.matching(rule, as_of=now).filter(
        known=True, last_seen_at__lte=now - timedelta(days=trigger.inactive_days)
    )
    if trigger.inactive_days_most:
        quiet = quiet.filter(last_seen_at__gt=now - timedelta(days=trigger.inactive_days_most))
    blocking = runs.blocking_since(graph.entry, now)
    earlier = Run.objects.filter(contact_id=OuterRef("pk"), journey_id=version.journey_id, key="").filter(
        Q(state=Run.State.LIVE) | Q(entered_at__gt=Least(OuterRef("last_seen_at"), blocking))
    )
    return quiet.filter(~Exists(earlier)).order_by("last_seen_at", "id")
