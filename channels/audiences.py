"""Retargeting audiences: who is wanted in a list that is kept elsewhere. A sync closes the gap."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import psycopg
from django.db import connection

from contacts import slots


def add(contact_ids: Collection[int], audience_slug: str, reason: str, now: datetime) -> int:
    """Want the contacts in the audience; returns how many were not. One statement.

    An audience that does not exist (any more) takes nobody: publishing a journey checks that it does.
    """
    return _want(_ADD, contact_ids, audience_slug, reason, now)


def remove(contact_ids: Collection[int], audience_slug: str, reason: str, now: datetime) -> int:
    """Want the contacts out of the audience; returns how many were in or on their way in. One statement."""
    return _want(_REMOVE, contact_ids, audience_slug, reason, now)


def _want(statement: str, contact_ids: Collection[int], slug: str, reason: str, now: datetime) -> int:
    ids = sorted(set(contact_ids))
    if not ids:
        return 0
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, [slug, reason[:60], now, ids, [slots.of(contact_id) for contact_id in ids]])
        return cursor.rowcount


_ADD = """
INSERT INTO channels_audiencemember AS m (audience_id, contact_id, slot, state, reason, changed_at)
SELECT a.id, u.contact_id, u.slot, 'adding', w.reason, w.now
FROM (SELECT %b::text AS slug, %b::text AS reason, %b::timestamptz AS now) AS w
JOIN channels_audience a ON a.slug = w.slug
CROSS JOIN unnest(%b::int8[], %b::int2[]) AS u(contact_id, slot)
ON CONFLICT (audience_id, contact_id) DO UPDATE
SET state = excluded.state, reason = excluded.reason, changed_at = excluded.changed_at
WHERE m.state IN ('removing', 'out')
"""

# "Adding" becomes "removing" too: the sync may be telling the other side about it at this moment.
_REMOVE = """
UPDATE channels_audiencemember m SET state = 'removing', reason = w.reason, changed_at = w.now
FROM (SELECT %b::text AS slug, %b::text AS reason, %b::timestamptz AS now) AS w
JOIN channels_audience a ON a.slug = w.slug
CROSS JOIN unnest(%b::int8[], %b::int2[]) AS u(contact_id, slot)
WHERE m.audience_id = a.id AND m.contact_id = u.contact_id AND m.slot = u.slot AND m.state IN ('adding', 'in')
"""
