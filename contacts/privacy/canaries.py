"""Looks for names of erased people where nobody kept the names: by their tombstones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection

from contacts.auditing.promise import Found
from contacts.privacy import tombstones


def named_again(now: datetime, after: int, upto: int) -> Iterator[Found]:
    """Contacts that carry a name by which an erased person was known. Three statements at most."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM contacts_tombstone)")
        row = cursor.fetchone()
        if row and row[0]:
            cursor.execute(_NAMES, {"after": after, "upto": upto})
            rows = cursor.fetchall()
            erased = _erased(cursor, ((kind, value) for _contact, kind, value, _at in rows))
            for contact, kind, value, at in rows:
                if (kind, value) in erased:
                    yield Found(f"{contact}-{kind}", at, {"contact": contact, "kind": kind}, contact)


def _erased(cursor: psycopg.Cursor[Any], names: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of (kind, value) that have a tombstone which nobody lifted."""
    asked: dict[UUID, tuple[str, str]] = {
        digest: name for name in names for digest in tombstones.digests(*name)
    }
    cursor.execute(
        "SELECT key FROM contacts_tombstone WHERE lifted_at IS NULL AND key = ANY(%b::uuid[])", [list(asked)]
    )
    return {asked[key] for (key,) in cursor.fetchall()}


_NAMES = """
SELECT contact_id, kind, value, created_at FROM contacts_identifier
WHERE contact_id > %(after)b AND contact_id <= %(upto)b
UNION SELECT contact_id, channel, address, created_at FROM contacts_channeladdress
WHERE contact_id > %(after)b AND contact_id <= %(upto)b
UNION SELECT id, unnest(ARRAY['email', 'phone']), unnest(ARRAY[email, phone]), first_seen_at
FROM contacts_contact WHERE id > %(after)b AND id <= %(upto)b
"""
