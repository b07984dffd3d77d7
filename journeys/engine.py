"""The engine: takes the runs that are due, one batch in one transaction, and moves each as far as it goes.

Lease slots, claim, load, decide in pure functions, write back. The number of statements depends on the
journeys and steps met, never on the number of people. A batch that fails is halved until the one run that
spoils it stands alone and is set aside with its cause; its neighbours go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
from django.db import connection, transaction

from contacts import contention, slots
from contacts.crashpoints import crashpoint
from journeys import advancing, recording, versions
from journeys.models import Journey
from journeys.versions import Version
from journeys.walking import End, Walk

BATCH = 5000
#: Slots one worker takes at a time, so that others find some.
SHARE = 32
#: While more is due than fits into a batch, one part in so many besides goes to those due last.
FRESH_SHARE = 8
#: A paused journey's run is looked at again after this; resuming wakes it at once.
PARKED = timedelta(hours=1)
STOPPED = "stopped"


class Due(NamedTuple):
    """A claimed run as its row has it."""

    run_id: int
    slot: int
    contact_id: int
    journey_id: int
    version_id: int
    step: str
    visit: int
    since: datetime
    entered_at: datetime
    entry_json: str


def advance(now: datetime, limit: int = BATCH) -> int:
    """Move up to about ``limit`` due runs; returns how many were handled."""
    with transaction.atomic():
        due = _claim(now, limit)
        if not due:
            return 0
        crashpoint("engine.claimed")
        known = versions.load({each.version_id for each in due})
        _settle(due, known, now)
        crashpoint("engine.written")
    crashpoint("engine.committed")
    return len(due)


def _claim(now: datetime, limit: int) -> list[Due]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s FROM generate_series(0, %s) AS s WHERE EXISTS (SELECT 1 FROM journeys_run r"
            " WHERE r.slot = s::int2 AND r.state = 1 AND r.due_at <= %s)",
            [slots.SLOTS - 1, now],
        )
        leased = slots.lease(cursor, "journeys.engine", [row[0] for row in cursor.fetchall()], SHARE)
    if not leased:
        return []
    each = -(-limit // len(leased))
    found = {due.run_id: due for due in _take(_CLAIM, leased, now, each)}
    counts = Counter(due.slot for due in found.values())
    if crowded := [slot for slot, count in counts.items() if count == each]:
        # More is due than fits: who came last, on a fresh event, does not wait behind all the others.
        found |= {due.run_id: due for due in _take(_NEWEST, crowded, now, max(each // FRESH_SHARE, 1))}
    return list(found.values())


def _take(statement: str, leased: Sequence[int], now: datetime, each: int) -> list[Due]:
    with psycopg.Cursor(connection.connection) as raw:
        # Binary, because instants in text form cost more to read than all the rest.
        raw.execute(statement, [list(leased), now, each], binary=True)
        return [Due(*row) for row in raw.fetchall()]


def _settle(due: Sequence[Due], known: Mapping[int, Version], now: datetime) -> None:
    try:
        with transaction.atomic():
            recording.record(_walk(due, known, now), known, now)
    except contention.AWAY:
        # The database's trouble, not a run's: the whole batch is tried again later.
        raise
    except Exception as error:  # noqa: BLE001 (whatever it is, it must not stop the neighbours)
        if len(due) == 1:
            recording.set_aside(due[0].run_id, due[0].slot, f"{type(error).__name__}: {error}", now)
            return
        half = len(due) // 2
        _settle(due[:half], known, now)
        _settle(due[half:], known, now)


def _walk(due: Sequence[Due], known: Mapping[int, Version], now: datetime) -> list[Walk]:
    """Move every run as far as it goes."""
    walks = [_begin(each, known[each.version_id], now) for each in due]
    advancing.advance(walks, now)
    return walks


def _begin(due: Due, version: Version, now: datetime) -> Walk:
    if version.graph is None or due.step not in version.graph.steps:
        raise LookupError(
            f"version {version.number} of {version.slug} has no step {due.step!r} that can be read"
        )
    walk = Walk(*due, version.graph)
    if version.status == Journey.Status.PAUSED:
        walk.rest(now + PARKED)
    elif version.status != Journey.Status.LIVE:
        walk.leave(End.EXITED, STOPPED)
    return walk


_CLAIM = """
SELECT r.* FROM unnest(%b::int2[]) AS s(slot) CROSS JOIN LATERAL (
    SELECT id, slot, contact_id, journey_id, version_id, step, visit, since, entered_at, entry::text
    FROM journeys_run r
    WHERE r.slot = s.slot AND r.state = 1 AND r.due_at <= %b
    ORDER BY r.due_at
    LIMIT %b::int8
    FOR NO KEY UPDATE SKIP LOCKED
) AS r
"""
_NEWEST = _CLAIM.replace("ORDER BY r.due_at", "ORDER BY r.due_at DESC")
