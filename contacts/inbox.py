"""The inbox's ends: taking items out, setting aside what cannot be read, and counting both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import msgspec
import psycopg
from django.db import connection
from psycopg.types.json import Jsonb

from contacts import slots
from contacts.arrivals import InboxItem
from contacts.intake_event import Rejection

_PULSE = "ingest"
_MOST_SHARES = 4


def lease(most: int) -> list[int]:
    """Lanes with items that no other worker holds, at most ``most``, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l FROM generate_series(0, %s) AS l"
            " WHERE EXISTS (SELECT FROM contacts_inboxitem i WHERE i.lane = l)",
            [slots.SLOTS - 1],
        )
        lanes = [row[0] for row in cursor.fetchall()]
        return slots.lease(cursor, _PULSE, lanes, most) if lanes else []


def take(lanes: Sequence[int], limit: int) -> list[InboxItem]:
    """Take about ``limit`` items out of leased lanes, the oldest of each lane, in their order."""
    with psycopg.Cursor(connection.connection) as cursor:
        # A lane may give more than its share, so that one long lane does not make many small batches.
        share = _MOST_SHARES * -(-limit // len(lanes))
        cursor.execute(_TAKE, [list(lanes), share, limit], binary=True)
        items = [InboxItem(*row) for row in cursor.fetchall()]
    items.sort(key=lambda item: item.id)
    return items


def take_these(ids: Collection[int]) -> list[InboxItem]:
    """Take the items with these ids, as far as they are still there."""
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "DELETE FROM contacts_inboxitem WHERE id = ANY(%b::int8[])"
            " RETURNING id, source_id, received_at, rejection, payload, server",
            [sorted(ids)],
            binary=True,
        )
        return sorted((InboxItem(*row) for row in cursor.fetchall()), key=lambda item: item.id)


def set_aside(rejected: Iterable[tuple[InboxItem, Rejection]]) -> None:
    """Keep items as dead letters with their reasons, to be read and replayed."""
    rows = [
        {
            "source_id": item.source_id,
            "received_at": item.received_at,
            "code": rejection.code[:64],
            "reason": rejection.message[:2000].replace("\0", "\ufffd"),
            "server": item.server,
            "payload": item.payload.decode(errors="replace").replace("\0", "\ufffd"),
        }
        for item, rejection in rejected
    ]
    if not rows:
        return
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "INSERT INTO contacts_deadletter (source_id, received_at, code, reason, payload, server)"
            " SELECT source_id, received_at, code, reason, payload, server"
            " FROM jsonb_populate_recordset(NULL::contacts_deadletter, %b)"
            " WHERE source_id IN (SELECT id FROM contacts_source)",
            [_json(rows)],
        )


def count(outcomes: Iterable[tuple[InboxItem, str]]) -> None:
    """Add items and their outcome (accepted, duplicate, rejected) to the counts of source and day.

    The last statement of a batch: all workers write the same few rows.
    """
    counts = Counter((item.source_id, item.received_at.date(), outcome) for item, outcome in outcomes)
    days = sorted({(source, day) for source, day, _outcome in counts})
    rows = [
        {
            "source_id": source,
            "day": day,
            "accepted": counts[source, day, "accepted"],
            "duplicate": counts[source, day, "duplicate"],
            "rejected": counts[source, day, "rejected"],
        }
        for source, day in days
    ]
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_COUNT, [_json(rows)])


def _json(rows: Sequence[object]) -> Jsonb:
    return Jsonb(msgspec.json.encode(rows), dumps=bytes)


_TAKE = """
DELETE FROM contacts_inboxitem WHERE id IN (
    SELECT i.id FROM unnest(%b::int2[]) AS l(lane) CROSS JOIN LATERAL (
        SELECT id FROM contacts_inboxitem WHERE lane = l.lane ORDER BY lane, id LIMIT %b
    ) AS i ORDER BY i.id LIMIT %b
)
RETURNING id, source_id, received_at, rejection, payload, server
"""

_COUNT = """
INSERT INTO contacts_sourcecount AS kept (source_id, day, received, accepted, duplicate, rejected)
SELECT source_id, day, accepted + duplicate + rejected, accepted, duplicate, rejected
FROM jsonb_populate_recordset(NULL::contacts_sourcecount, %b)
WHERE source_id IN (SELECT id FROM contacts_source)
ORDER BY source_id, day
ON CONFLICT (source_id, day) DO UPDATE SET received = kept.received + excluded.received,
    accepted = kept.accepted + excluded.accepted, duplicate = kept.duplicate + excluded.duplicate,
    rejected = kept.rejected + excluded.rejected
"""
