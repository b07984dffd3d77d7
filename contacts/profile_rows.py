"""Profiles to and from the table of contacts, a batch at a time."""

from __future__ import annotations

import os
import struct
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

import msgspec
import psycopg
from django.db import connection
from psycopg.types.json import Jsonb

from contacts import arrays, copying, slots
from contacts.profile import COLUMNS, Origin, Profile

_decoder = msgspec.json.Decoder(Profile)


def load(contacts: Collection[int]) -> dict[int, Profile]:
    """The profiles of ``contacts``, by id. Lock them first to change them."""
    with psycopg.Cursor(connection.connection) as cursor:
        ids = sorted(contacts)
        cursor.execute(
            "SELECT to_jsonb(c)::text FROM contacts_contact c"
            " JOIN unnest(%s::int8[], %s::int2[]) AS wanted (id, slot) USING (id, slot)",
            [arrays.literal(ids), arrays.literal(map(slots.of, ids))],
        )
        found = (_decoder.decode(row[0]) for row in cursor)
        return {profile.id: profile for profile in found}


def add(profiles: Iterable[Profile]) -> None:
    """Store profiles of contacts that are new with one COPY, which costs half of what ``save`` would."""
    rows = sorted(profiles, key=lambda profile: profile.id)
    if not rows:
        return
    random = os.urandom(16 * len(rows))
    parts = [copying.HEADER]
    for place, one in enumerate(rows):
        public_id = UUID(bytes=random[16 * place : 16 * place + 16], version=4)
        times = (one.first_seen_at, one.last_seen_at, one.updated_at)
        first, last, updated = map(copying.instant, times)
        parts += (
            _whose(len(_COPIED), 8, one.id, 2, one.slot, 16),
            public_id.bytes,
            _rest(8, first, 8, last, 8, updated, 1, one.known),
            *[copying.text(getattr(one, name)) for name in COLUMNS],
            *[copying.document(msgspec.json.encode(getattr(one, name))) for name in _DOCUMENTS],
        )
    parts.append(copying.TRAILER)
    with psycopg.Cursor(connection.connection) as cursor, cursor.copy(_COPY) as copy:
        copy.write(b"".join(parts))


def save(profiles: Iterable[Profile]) -> None:
    """Store new and changed profiles with one statement."""
    ordered = sorted(profiles, key=lambda profile: profile.id)
    if not ordered:
        return
    rows = msgspec.json.encode(ordered)
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_SAVE, [Jsonb(rows, dumps=bytes)])


def saw(times: Mapping[int, tuple[datetime, datetime]]) -> None:
    """Widen first and last seen of stored contacts to (first, last)."""
    ids = sorted(times)
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "UPDATE contacts_contact c SET first_seen_at = least(c.first_seen_at, seen.first_at),"
            " last_seen_at = greatest(c.last_seen_at, seen.last_at)"
            " FROM unnest(%s::int8[], %s::int2[], %b::timestamptz[], %b::timestamptz[])"
            " AS seen (id, slot, first_at, last_at) WHERE c.id = seen.id AND c.slot = seen.slot",
            [
                arrays.literal(ids),
                arrays.literal(map(slots.of, ids)),
                [times[contact][0] for contact in ids],
                [times[contact][1] for contact in ids],
            ],
        )


def trace(contact: int, names: Collection[str], kept: Collection[str], origin: Origin) -> None:
    """Write down who declared the values ``kept``; of ``names``, those that are not kept have no origin."""
    told = msgspec.json.encode(dict.fromkeys(kept, origin))
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "UPDATE contacts_contact SET origins = jsonb_set(origins, '{declared}',"
            " (coalesce(origins->'declared', '{}') - %b::text[]) || %b) WHERE id = %b AND slot = %b",
            [list(names), Jsonb(told, dumps=bytes), contact, slots.of(contact)],
        )


_whose = struct.Struct("!h iq ih i").pack
_rest = struct.Struct("!iq iq iq i?").pack
_DOCUMENTS = ("attributes", "inferred", "origins")
_COPIED = (
    *("id", "slot", "public_id", "first_seen_at", "last_seen_at", "updated_at", "known"),
    *COLUMNS,
    *_DOCUMENTS,
)
_COPY = f"COPY contacts_contact ({', '.join(_COPIED)}) FROM STDIN (FORMAT BINARY)"
_COLUMNS = [name for name in Profile.__struct_fields__ if name != "public_id"]
_CHANGING = [name for name in _COLUMNS if name not in {"id", "slot"}]
# A list of names from our own class, never from a user.
_SAVE = f"""
INSERT INTO contacts_contact (public_id, {", ".join(_COLUMNS)})
SELECT gen_random_uuid(), {", ".join(_COLUMNS)} FROM jsonb_populate_recordset(NULL::contacts_contact, %b)
ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _CHANGING)}
"""  # noqa: S608
