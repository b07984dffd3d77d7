"""Find contacts by what a program calls them: a public id, or an identifier. A set at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection

from contacts import normalise
from contacts.directory import ANONYMOUS, DEVICE, EMAIL, PHONE, USER, Identifier

#: How a program names an identifier, and the kind that we keep it under.
KINDS = {
    "user_id": USER,
    "email": EMAIL,
    "phone": PHONE,
    "anonymous_id": ANONYMOUS,
    "device_id": DEVICE,
}
_READERS: Mapping[str, Callable[[str], str | None]] = {
    USER: normalise.identifier,
    EMAIL: normalise.email,
    PHONE: normalise.phone,
    ANONYMOUS: normalise.identifier,
    DEVICE: normalise.identifier,
}

#: What a contact is called: its public id, or an identifier.
Name = UUID | Identifier


def name(called: str, value: Any) -> Name | None:
    """The name in its one form; ``called`` is ``id`` or one of KINDS. None if nobody can be called so."""
    if not isinstance(value, str):
        return None
    if called == "id":
        try:
            return UUID(value)
        except ValueError:
            return None
    kind = KINDS[called]
    found = _READERS[kind](value)
    return Identifier(kind, found) if found else None


def find(names: Sequence[Name | None]) -> list[int | None]:
    """The contact of each name, in order; None for a name that nobody has. Two statements at most.

    A contact that was merged into another is found by its former public id, as the one it became.
    """
    publics = {one for one in names if isinstance(one, UUID)}
    identifiers = {one for one in names if isinstance(one, Identifier)}
    found: dict[Name, int] = {}
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        if publics:
            cursor.execute(_BY_PUBLIC_ID, [list(publics)])
            found |= dict(cursor.fetchall())
        if identifiers:
            rows = list(identifiers)
            cursor.execute(_BY_IDENTIFIER, [[one.kind for one in rows], [one.value for one in rows]])
            found |= {Identifier(kind, value): contact for kind, value, contact in cursor.fetchall()}
    return [found.get(one) if one is not None else None for one in names]


def find_one(called: Name | None) -> int | None:
    return find([called])[0]


_BY_PUBLIC_ID = """
WITH RECURSIVE wanted AS (SELECT unnest(%b::uuid[]) AS public_id),
became AS (
    SELECT w.public_id, m.winner_id, 1 AS steps FROM wanted w
    JOIN contacts_merge m ON m.loser_public_id = w.public_id AND m.undone_at IS NULL
    UNION
    SELECT b.public_id, m.winner_id, b.steps + 1 FROM became b
    JOIN contacts_merge m ON m.loser_id = b.winner_id AND m.undone_at IS NULL
    WHERE b.steps < 100
)
SELECT w.public_id, c.id FROM wanted w JOIN contacts_contact c ON c.public_id = w.public_id
UNION ALL
SELECT b.public_id, c.id FROM became b JOIN contacts_contact c ON c.id = b.winner_id
"""
_BY_IDENTIFIER = (
    "SELECT kind, value, contact_id FROM contacts_identifier"
    " JOIN unnest(%b::text[], %b::text[]) AS wanted (kind, value) USING (kind, value)"
)
