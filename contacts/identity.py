"""Find, create and join the contacts of a batch: the rules of ``contacts.directory`` on the database.

Other workers may meet the same people at the same time. So contacts are locked in the order of their ids
before they are changed, new identifiers are claimed in order by the primary key, and whoever finds that
the ground has moved raises ``ContendedError``: the batch is undone and taken again on what holds now.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import psycopg
from django.db import connection

from contacts import arrays, copying, slots
from contacts.directory import Directory, Identifier
from contacts.identifier_kinds import Kinds


class ContendedError(Exception):
    """Another worker changed these contacts or identifiers meanwhile; undo the batch and take it again."""


class Seen(NamedTuple):
    """When a stored contact was first and last seen, as read under its lock."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Resolved:
    """Who the events of a batch belong to. ``contacts`` has one stored id for each event, in order."""

    contacts: list[int]
    created: list[int]
    #: Contact that is no more, and the one it became.
    merged: dict[int, int]
    #: Contacts that a user id, email or phone was added to.
    recognised: set[int]
    seen: dict[int, Seen]
    #: Identifiers that fell off because newer ones came, and the contact that held each.
    fallen: dict[Identifier, int]


def resolve(
    events: Sequence[tuple[Identifier, ...]], origins: Sequence[str], now: datetime, kinds: Kinds
) -> Resolved:
    """Decide the contact of each event, in order, and store new identifiers.

    Each event comes as its identifiers, strongest first, at least one, and who told it (``origins``, one an
    event). A constant number of statements.
    Call in a transaction. The caller stores ``created`` contacts and carries out ``merged``.
    """
    with psycopg.Cursor(connection.connection) as cursor:
        owners = _owners(cursor, {identifier for event in events for identifier in event})
        seen = _lock(cursor, set(owners.values()))
        directory = Directory(owners, _held(cursor, _changing(events, owners)), kinds)
        found = [directory.find(event) for event in events]
        stored = _store_ids(cursor, directory, found)
        added = {one: stored[directory.final(contact)] for one, contact in directory.added.items()}
        _remove(cursor, directory.fallen)
        _add(cursor, added, _tellers(events, origins, added), now)
    return Resolved(
        contacts=[stored[directory.final(contact)] for contact in found],
        created=sorted(stored[contact] for contact in stored if contact < 0),
        merged={loser: stored[winner] for loser, winner in directory.merged().items()},
        recognised={contact for one, contact in added.items() if one.kind in kinds.known},
        seen=seen,
        fallen=directory.fallen,
    )


def owners(identifiers: Iterable[Identifier]) -> dict[Identifier, int]:
    """The stored contacts of those identifiers that have one."""
    with psycopg.Cursor(connection.connection) as cursor:
        return _owners(cursor, set(identifiers))


def _owners(cursor: psycopg.Cursor, wanted: Iterable[Identifier]) -> dict[Identifier, int]:
    rows = list(wanted)
    cursor.execute(
        "SELECT place - 1, contact_id FROM contacts_identifier"
        " JOIN unnest(%s::text[], %s::text[]) WITH ORDINALITY AS wanted (kind, value, place)"
        " USING (kind, value)",
        [arrays.texts(one.kind for one in rows), arrays.texts(one.value for one in rows)],
        binary=True,
    )
    return {rows[place]: contact for place, contact in cursor.fetchall()}


def _changing(events: Sequence[tuple[Identifier, ...]], owners: dict[Identifier, int]) -> set[int]:
    """Stored contacts that may gain identifiers or be merged: those of events that name not just one."""
    changing: set[int] = set()
    for event in events:
        found = {owners.get(identifier) for identifier in event}
        if len(found) > 1:
            changing.update(contact for contact in found if contact is not None)
    return changing


def _lock(cursor: psycopg.Cursor, contacts: set[int]) -> dict[int, Seen]:
    ids = sorted(contacts)
    cursor.execute(
        "SELECT id, first_seen_at, last_seen_at FROM contacts_contact c"
        " JOIN unnest(%s::int8[], %s::int2[]) AS wanted (id, slot) USING (id, slot)"
        " ORDER BY id FOR NO KEY UPDATE OF c",
        [arrays.literal(ids), arrays.literal(map(slots.of, ids))],
        binary=True,
    )
    seen = {contact: Seen(first, last) for contact, first, last in cursor.fetchall()}
    if len(seen) < len(ids):
        raise ContendedError("a contact was merged into another")
    return seen


def _held(cursor: psycopg.Cursor, contacts: set[int]) -> dict[int, dict[Identifier, float]]:
    """All identifiers of ``contacts`` with their ages. Read under their locks, so that limits are exact."""
    cursor.execute(
        "SELECT contact_id, kind, value, extract(epoch FROM created_at)::float8 FROM contacts_identifier"
        " WHERE contact_id = ANY(%s::int8[])",
        [arrays.literal(sorted(contacts))],
    )
    held: dict[int, dict[Identifier, float]] = defaultdict(dict)
    for contact, kind, value, since in cursor.fetchall():
        held[contact][Identifier(kind, value)] = since
    return held


def _remove(cursor: psycopg.Cursor, fallen: dict[Identifier, int]) -> None:
    if fallen:
        cursor.execute(
            "DELETE FROM contacts_identifier i USING unnest(%b::text[], %b::text[]) AS f (kind, value)"
            " WHERE i.kind = f.kind AND i.value = f.value",
            [[one.kind for one in fallen], [one.value for one in fallen]],
        )


def _store_ids(cursor: psycopg.Cursor, directory: Directory, found: list[int]) -> dict[int, int]:
    """A stored id for each contact that remains; new ones get theirs from the sequence, in one go."""
    final = {directory.final(contact) for contact in found}
    new = sorted((contact for contact in final if contact < 0), reverse=True)
    cursor.execute("SELECT nextval('contacts_contact_id_seq') FROM generate_series(1, %b)", [len(new)])
    ids = dict(zip(new, (row[0] for row in cursor.fetchall()), strict=True))
    return {contact: ids.get(contact, contact) for contact in final}


def _tellers(
    events: Sequence[tuple[Identifier, ...]], origins: Sequence[str], added: Collection[Identifier]
) -> dict[Identifier, str]:
    """Who told each new identifier first."""
    tellers: dict[Identifier, str] = {}
    if added:
        for event, origin in zip(events, origins, strict=True):
            for one in event:
                tellers.setdefault(one, origin)
    return tellers


def _add(
    cursor: psycopg.Cursor, added: dict[Identifier, int], tellers: dict[Identifier, str], now: datetime
) -> None:
    """Store new identifiers, in the order of the primary key: so no two workers wait for each other."""
    rows: dict[str, list[tuple[str, int, int, str]]] = defaultdict(list)
    # Those of one batch keep their order, for the oldest falls off first.
    for since, (one, contact) in enumerate(added.items(), copying.instant(now)):
        rows[one.kind].append((one.value, contact, since, tellers.get(one, "")))
    parts = [copying.HEADER]
    for kind in sorted(rows):
        front = _SIX + copying.text(kind)
        for value, contact, since, origin in sorted(rows[kind]):
            whose = _whose(8, contact, 2, slots.of(contact), 8, since)
            parts += (front, copying.text(value), whose, copying.text(origin))
    parts.append(copying.TRAILER)
    try:
        with cursor.copy(_COPY) as copy:
            copy.write(b"".join(parts))
    except psycopg.errors.UniqueViolation as error:
        raise ContendedError("an identifier was claimed by another worker") from error


_COPY = (
    "COPY contacts_identifier (kind, value, contact_id, slot, created_at, origin) FROM STDIN (FORMAT BINARY)"
)
_SIX = b"\x00\x06"
_whose = struct.Struct("!iq ih iq").pack
