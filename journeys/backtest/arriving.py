"""Reads from the log who would have entered, and what may have woken them. A set at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from django.db import connection

from contacts import event_log, rules_sql, rules_sql_events, slots
from contacts.rules import parse_where
from contacts.rules_sql import Subject
from journeys.backtest import arriving_by_clock
from journeys.backtest.lives import Arrival, Earlier, Heard, Life
from journeys.backtest.question import Question


def lives(question: Question, lots: Sequence[int]) -> list[Life]:
    """Everybody of some slots who would have come to the door of the journey, with what their log holds."""
    return [life for some in crowds(question, lots, 1 << 30) for life in some]


def one(question: Question, contact_id: int) -> list[Life]:
    """One person alone, if they would have come to the door."""
    return [life for life in lives(question, [slots.of(contact_id)]) if life.contact_id == contact_id]


def crowds(question: Question, lots: Sequence[int], most: int) -> Iterator[list[Life]]:
    """The same in groups of at most ``most`` people, whose logs are read when a group is taken up."""
    trigger = question.graph.trigger
    if trigger.schedule or trigger.date:
        for arrivals in arriving_by_clock.arrivals(question, lots, most):
            yield _people(_let_in(question, arrivals))
        return
    people = _people(_let_in(question, _arrivals(question, lots)))
    for first in range(0, len(people), most):
        yield people[first : first + most]


def _people(arrivals: Sequence[Arrival]) -> list[Life]:
    by_contact: dict[int, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        by_contact[arrival.contact_id].append(arrival)
    return [
        Life(contact_id, slots.of(contact_id), sorted(theirs))
        for contact_id, theirs in sorted(by_contact.items())
    ]


def furnish(question: Question, people: Sequence[Life]) -> None:
    """Give people the events that may wake their runs, and the runs they had before."""
    by_id = {life.contact_id: life for life in people}
    watched = question.graph.watched()
    heard: dict[int, list[Heard]] = defaultdict(list)
    if watched:
        late = question.graph.trigger.fresh
        for contact_id, at, name in _read(
            _HEARD, [late, list(by_id), sorted(watched), question.start, question.end]
        ):
            heard[contact_id].append(Heard(at, name))
    earlier: dict[int, list[Earlier]] = defaultdict(list)
    for contact_id, *run in _read(_EARLIER, [list(by_id), question.journey_id, question.start]):
        earlier[contact_id].append(Earlier(*run))
    for contact_id, life in by_id.items():
        life.heard = sorted(heard[contact_id])
        life.earlier = earlier[contact_id]


def _arrivals(question: Question, lots: Sequence[int]) -> list[Arrival]:
    trigger = question.graph.trigger
    if trigger.inactive_days:
        return _quiet(question, lots)
    if trigger.on_request:
        return _asked_for(question, lots)
    key = question.graph.entry.key
    values = [
        trigger.fresh, key, trigger.event, question.start, question.end, slots.SLOTS, list(lots),
        event_log.IMPORTED, event_log.SYSTEM, event_log.HISTORY,
        trigger.own_event, event_log.SYSTEM, trigger.segment, trigger.segment,
    ]  # fmt: skip
    found = [Arrival(*row) for row in _read(_ARRIVALS, values)]
    if not trigger.where:
        return found
    properties: list[dict[str, Any]] = [msgspec.json.decode(one.entry_json) for one in found]
    passed = rules_sql_events.passing(
        parse_where(list(trigger.where)), properties, [one.known_at for one in found]
    )
    return [one for place, one in enumerate(found) if place in passed]


def _quiet(question: Question, lots: Sequence[int]) -> list[Arrival]:
    """People of whom nothing was heard for so long, at the instant when that time was over."""
    trigger = question.graph.trigger
    values = [
        slots.SLOTS, list(lots), question.end, trigger.inactive_days, question.start,
        trigger.inactive_days_most, trigger.inactive_days_most, question.start, question.end,
    ]  # fmt: skip
    return [Arrival(at, at, contact_id, "{}", "") for contact_id, at in _read(_QUIET, values)]


def _asked_for(question: Question, lots: Sequence[int]) -> list[Arrival]:
    """Those whom somebody really let in: who was turned away left no trace."""
    values = [question.journey_id, question.start, question.end, list(lots)]
    return [Arrival(*row) for row in _read(_ASKED_FOR, values)]


def _let_in(question: Question, arrivals: list[Arrival]) -> list[Arrival]:
    """Those of the audience, as it was when they came; to look ahead, as it is at the end."""
    if question.graph.audience is None or not arrivals:
        return arrivals
    last = question.end if question.ahead else None
    asked = [Subject(one.contact_id, slots.of(one.contact_id), at=last or one.known_at) for one in arrivals]
    (inside,) = rules_sql.verdicts([question.graph.audience.rule], asked, None, past=True)
    return [one for place, one in enumerate(arrivals) if place in inside]


def _read(statement: str, values: Collection[Any]) -> list[tuple[Any, ...]]:
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, list(values))
        return cursor.fetchall()


def last_event(until: datetime) -> datetime | None:
    """When the last thing happened that the log knows of, until ``until``."""
    rows = _read("SELECT max(occurred_at) FROM contacts_event WHERE occurred_at <= %b", [until])
    found: datetime | None = rows[0][0]
    return found


# What came in later than it would have been news is taken as if it had come in when it happened.
_ARRIVALS = """
SELECT CASE WHEN e.received_at < e.occurred_at + %b::interval THEN greatest(e.received_at, e.occurred_at)
            ELSE e.occurred_at END AS known_at,
       e.occurred_at, e.contact_id, e.properties::text, left(coalesce(e.properties ->> %b::text, ''), 200)
FROM contacts_event e
WHERE e.name = %b::text AND e.occurred_at >= %b::timestamptz AND e.occurred_at < %b::timestamptz
  AND e.contact_id %% %b::int8 = ANY(%b::int8[])
  AND e.kind <> %b::int2 AND NOT (e.kind = %b::int2 AND e.properties ? %b::text)
  AND (NOT %b::bool OR e.kind = %b::int2)
  AND (%b::text = '' OR e.properties ->> 'segment' = %b::text)
"""
_ASKED_FOR = """
SELECT r.entered_at, r.entered_at, r.contact_id, r.entry::text, r.key FROM journeys_run r
WHERE r.journey_id = %b::int8 AND r.entered_at >= %b::timestamptz AND r.entered_at < %b::timestamptz
  AND r.slot = ANY(%b::int2[])
"""
_HEARD = """
SELECT e.contact_id,
       CASE WHEN e.received_at < e.occurred_at + %b::interval THEN greatest(e.received_at, e.occurred_at)
            ELSE e.occurred_at END,
       e.name
FROM contacts_event e
WHERE e.contact_id = ANY(%b::int8[]) AND e.name = ANY(%b::text[])
  AND e.occurred_at >= %b::timestamptz AND e.occurred_at < %b::timestamptz
"""
_EARLIER = """
SELECT r.contact_id, r.key, r.entered_at, r.ended_at FROM journeys_run r
WHERE r.contact_id = ANY(%b::int8[]) AND r.journey_id = %b::int8 AND r.entered_at < %b::timestamptz
"""
# A sign of life, until the next one; who was quiet already when the time began came in at its beginning.
_QUIET = """
SELECT contact_id, greatest(over_at, begins) FROM (
    SELECT s.contact_id, s.at + make_interval(days => d.days) AS over_at, s.at,
           lead(s.at) OVER (PARTITION BY s.contact_id ORDER BY s.at) AS next_at, d.begins
    FROM (
        SELECT e.contact_id, e.occurred_at AS at FROM contacts_event e
        JOIN contacts_contact c ON c.id = e.contact_id AND c.known
        WHERE e.contact_id %% %b::int8 = ANY(%b::int8[]) AND e.kind <> 7 AND e.occurred_at < %b::timestamptz
    ) s CROSS JOIN (SELECT %b::int4 AS days, %b::timestamptz AS begins) d
) q
WHERE (next_at IS NULL OR next_at > greatest(over_at, begins))
  AND (%b::int4 IS NULL OR greatest(over_at, begins) < at + make_interval(days => %b::int4))
  AND greatest(over_at, begins) >= %b::timestamptz AND greatest(over_at, begins) < %b::timestamptz
"""
