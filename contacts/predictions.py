"""Writing what was learned about people, where every room can read it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from contacts.permission import OBJECTION


@dataclass(frozen=True, slots=True)
class Learned:
    """One prediction of one contact: a number, a value with more in it, and the words that explain it."""

    contact_id: int
    name: str
    number: float | None
    value: dict[str, Any]
    reason: str


def write(rows: Sequence[Learned], names: Collection[str], among: Collection[int], now: datetime) -> int:
    """Let ``rows`` be all predictions with these names of the contacts ``among``; returns how many stand.

    Two statements: what is no longer learned goes, what is learned comes or changes. Of people who object
    to profiling nothing is kept, whatever the rows say.
    """
    if not among:
        return 0
    connection.ensure_connection()
    keys = {(row.contact_id, row.name) for row in rows}
    with transaction.atomic(), psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            _FORGET, [list(among), list(names), [one for one, _name in keys], [n for _id, n in keys]]
        )
        cursor.execute(
            _WRITE,
            [
                OBJECTION,
                [row.contact_id for row in rows],
                [row.name for row in rows],
                [None if row.number is None else float(row.number) for row in rows],
                [Jsonb(row.value) for row in rows],
                [row.reason for row in rows],
                now,
            ],
        )
        return cursor.rowcount


_FORGET = """
DELETE FROM contacts_prediction p WHERE p.contact_id = ANY(%b::int8[]) AND p.name = ANY(%b::text[])
AND NOT EXISTS (SELECT FROM unnest(%b::int8[], %b::text[]) AS k(contact_id, name)
                WHERE k.contact_id = p.contact_id AND k.name = p.name)
"""
# Contacts are read again: somebody may have objected, or be gone, since they were looked at.
_WRITE = """
INSERT INTO contacts_prediction (contact_id, slot, name, number, value, reason, computed_at)
SELECT c.id, c.slot, u.name, u.number, u.value, u.reason, u.at
FROM (SELECT %b::text AS objection) AS o
CROSS JOIN LATERAL (
    SELECT contact_id, name, number, value, reason, at FROM unnest(
        %b::int8[], %b::text[], %b::float8[], %b::jsonb[], %b::text[]
    ) AS n(contact_id, name, number, value, reason), (SELECT %b::timestamptz AS at) AS t
) AS u
JOIN contacts_contact c ON c.id = u.contact_id AND NOT c.attributes ? o.objection
ORDER BY c.id, u.name
ON CONFLICT (contact_id, name) DO UPDATE
SET slot = excluded.slot, number = excluded.number, value = excluded.value, reason = excluded.reason,
    computed_at = excluded.computed_at
"""
