"""Calls of endpoints: asked for by runs, made by a pulse outside of transactions, answered into the run.

Signed as Standard Webhooks says, with one key for all tries of a call, so that the other side can tell a
repetition: a call may be made twice, where a worker died between the answer and its record. It is never lost.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import psycopg
from django.db import connection, transaction

from channels import retry
from contacts import once
from contacts.crashpoints import crashpoint
from journeys import calling_out
from journeys.calling_out import Told
from journeys.models import EndpointCall
from journeys.versions import Version
from journeys.walking import Walk

BATCH = 64
AT_ONCE = 8
#: Longer than the slowest batch can take; afterwards somebody else tries.
LEASE = timedelta(minutes=5)
SCHEDULE = retry.Schedule((5, 15, 60, 300, 900, 3600), most=30)
State = EndpointCall.State


class Due(NamedTuple):
    """A claimed call. ``attempt`` is its fence: who claimed it later has a higher one."""

    id: int
    run_id: int
    slot: int
    step: str
    visit: int
    attempt: int
    key: Any
    body: str
    give_up_at: datetime
    url: str
    secrets: str


def ask(walks: Sequence[Walk], versions: Mapping[int, Version], now: datetime) -> None:
    """Store the calls that ``walks`` wait for, each visit once. Two statements."""
    if not walks:
        return
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT id, public_id::text FROM contacts_contact WHERE slot = ANY(%b::int2[])"
            " AND id = ANY(%b::int8[])",
            [sorted({walk.slot for walk in walks}), [walk.contact_id for walk in walks]],
        )
        people = dict(cursor.fetchall())
        cursor.execute(_ASK, [now, now, *_columns(walks, versions, people)])


def _columns(walks: Sequence[Walk], versions: Mapping[int, Version], people: Mapping[int, str]) -> list[Any]:
    rows = [
        (
            walk.slot,
            walk.contact_id,
            walk.journey_id,
            walk.run_id,
            walk.step,
            walk.visit,
            walk.call.endpoint,
            once.key("call", walk.run_id, walk.step, walk.visit),
            _json(
                {
                    "type": "journey.step",
                    "data": {
                        "journey": versions[walk.version_id].slug,
                        "version": versions[walk.version_id].number,
                        "step": walk.step,
                        "run": walk.run_id,
                        "contact": people.get(walk.contact_id),
                        "values": dict(walk.call.values),
                    },
                }
            ),
            walk.due_at,
        )
        for walk in walks
        if walk.call
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def make(now: datetime, limit: int = BATCH) -> int:
    """Make the calls that are due; returns how many were tried. The network is never inside a transaction."""
    with transaction.atomic():
        due = _claim(now, limit)
    crashpoint("calling.claimed")
    if not due:
        return 0
    with ThreadPoolExecutor(AT_ONCE, initializer=calling_out.open_connections) as pool:
        told = list(pool.map(lambda each: _call(each, now), due))
    crashpoint("calling.called")
    with transaction.atomic():
        _record(due, told, now)
        crashpoint("calling.written")
    return len(due)


def _call(due: Due, now: datetime) -> Told:
    return calling_out.call(due.url, due.secrets, str(due.key), due.body, now)


def _claim(now: datetime, limit: int) -> list[Due]:
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        # Whoever left the step in the meantime wants no answer any more.
        cursor.execute(_CALL_OFF, [now, now])
        cursor.execute(_CLAIM, [now + LEASE, now, now, limit])
        return [Due._make(row) for row in cursor.fetchall()]


def _record(due: Sequence[Due], told: Sequence[Told], now: datetime) -> None:
    rows = [_row(each, what, now) for each, what in zip(due, told, strict=True)]
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_RECORD, [now, *map(list, zip(*rows, strict=True))])
        ended = {row[0] for row in cursor.fetchall()}
        woken = sorted((each for each in due if each.id in ended), key=lambda each: each.run_id)
        cursor.execute(
            _WAKE,
            [
                now,
                [each.run_id for each in woken],
                [each.step for each in woken],
                [each.visit for each in woken],
            ],
        )


def _row(due: Due, told: Told, now: datetime) -> tuple[Any, ...]:
    again = None
    if told.again:
        # The spread need not be secret.
        chance = random.random()  # noqa: S311
        again = retry.next_attempt(SCHEDULE, due.attempt, now, chance=chance, retry_after=told.retry_after)
        if again and again >= due.give_up_at:
            again = None
    state = State.ANSWERED if told.good else State.WAITING if again else State.FAILED
    answer = None if told.answer is None or again else _json(told.answer)
    return due.id, due.attempt, state.value, again, told.status, answer, told.error[:300].replace("\x00", "")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


_ASK = """
INSERT INTO journeys_endpointcall (slot, contact_id, journey_id, run_id, step, visit, endpoint, key, body,
                                   state, due_at, give_up_at, attempts, error, created_at)
SELECT u.slot, u.contact_id, u.journey_id, u.run_id, u.step, u.visit, u.endpoint, u.key, u.body::jsonb, 1,
       %b::timestamptz, u.give_up_at, 0, '', %b::timestamptz
FROM unnest(%b::int2[], %b::int8[], %b::int4[], %b::int8[], %b::text[], %b::int4[], %b::text[], %b::uuid[],
            %b::text[], %b::timestamptz[])
    AS u(slot, contact_id, journey_id, run_id, step, visit, endpoint, key, body, give_up_at)
ON CONFLICT (run_id, visit) DO NOTHING
"""
_CALL_OFF = """
UPDATE journeys_endpointcall c SET state = 4, due_at = NULL, ended_at = %b
WHERE c.id IN (
    SELECT w.id FROM journeys_endpointcall w WHERE w.state = 1 AND w.due_at <= %b AND NOT EXISTS (
        SELECT 1 FROM journeys_run r
        WHERE r.id = w.run_id AND r.state = 1 AND r.step = w.step AND r.visit = w.visit
    ) FOR UPDATE SKIP LOCKED
)
"""
_CLAIM = """
UPDATE journeys_endpointcall c SET due_at = %b, attempts = c.attempts + 1
FROM (
    SELECT w.id, e.url, e.secrets FROM journeys_endpointcall w
    JOIN journeys_endpoint e ON e.slug = w.endpoint AND e.active
    WHERE w.state = 1 AND w.due_at <= %b AND w.give_up_at > %b
    ORDER BY w.due_at LIMIT %b FOR UPDATE OF w SKIP LOCKED
) AS d
WHERE c.id = d.id
RETURNING c.id, c.run_id, c.slot, c.step, c.visit, c.attempts, c.key, c.body::text,
    c.give_up_at, d.url, d.secrets
"""
_RECORD = """
UPDATE journeys_endpointcall c
SET state = u.state, due_at = u.due_at, status = u.status, answer = u.answer::jsonb, error = u.error,
    ended_at = CASE WHEN u.state = 1 THEN NULL ELSE %b::timestamptz END
FROM unnest(%b::int8[], %b::int2[], %b::int2[], %b::timestamptz[], %b::int2[], %b::text[], %b::text[])
    AS u(id, attempt, state, due_at, status, answer, error)
WHERE c.id = u.id AND c.attempts = u.attempt AND c.state = 1
RETURNING CASE WHEN c.state = 1 THEN 0 ELSE c.id END
"""
# Also one that is due: an engine that just looked in vain puts it to sleep first, and finds it due again.
_WAKE = """
UPDATE journeys_run r SET due_at = least(r.due_at, %b)
FROM unnest(%b::int8[], %b::text[], %b::int4[]) AS u(run_id, step, visit)
WHERE r.id = u.run_id AND r.state = 1 AND r.step = u.step AND r.visit = u.visit
"""
