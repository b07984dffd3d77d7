"""Everything by which some people can be found, and the statements that find and end what is theirs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from django.db import connection, transaction

from contacts import slots
from contacts.privacy.inventory import Table
from contacts.privacy.inventory_kinds import Act

_FEWEST_DIGITS, _DIGITS = 7, 9
"A national number without its leading zero; fewer digits would find prices and dates."
_ONCE = 5_000
"Rows that one statement ends, so that no lock and no transaction is long."


@dataclass(frozen=True, slots=True)
class People:
    """Some people (mostly one) with all that ever named them."""

    contacts: tuple[int, ...]
    publics: tuple[UUID, ...]
    #: (kind, value) of identifiers and addresses, as stored.
    names: tuple[tuple[str, str], ...]

    def parameters(self, now: datetime) -> dict[str, Any]:
        values = sorted({value for _kind, value in self.names if value})
        phones = [re.sub(r"\D", "", value) for kind, value in self.names if kind in ("phone", "sms")]
        return {
            "contacts": list(self.contacts),
            "slots": sorted({slots.of(contact) for contact in self.contacts}),
            "publics": list(self.publics),
            "values": values,
            "needles": [f'"{value.lower()}"' for value in values],
            "digits": [one[-_DIGITS:] for one in phones if len(one) >= _FEWEST_DIGITS],
            "now": now,
        }


def known(contact_ids: Collection[int]) -> People:
    """These contacts, those that were merged into them, and all their names. Three statements."""
    with psycopg.Cursor(_raw()) as cursor:
        cursor.execute(_FORMER, [sorted(contact_ids)])
        former = cursor.fetchall()
        ids = sorted({*contact_ids, *(row[0] for row in former)})
        publics = {row[1] for row in former}
        cursor.execute(
            "SELECT public_id, email, phone FROM contacts_contact WHERE id = ANY(%b::int8[])", [ids]
        )
        names: set[tuple[str, str]] = set()
        for public, email, phone in cursor.fetchall():
            publics.add(public)
            names |= {("email", email), ("phone", phone)}
        cursor.execute(
            "SELECT kind, value FROM contacts_identifier WHERE contact_id = ANY(%(ids)b::int8[])"
            " UNION SELECT channel, address FROM contacts_channeladdress"
            " WHERE contact_id = ANY(%(ids)b::int8[])",
            {"ids": ids},
        )
        names.update(cursor.fetchall())
    names = {(kind, value) for kind, value in names if value}
    return People(tuple(ids), tuple(sorted(publics)), tuple(sorted(names)))


def count(table: Table, people: People, now: datetime) -> int:
    """How many rows of ``table`` are about these people."""
    with psycopg.Cursor(_raw()) as cursor:
        cursor.execute(f"SELECT count(*) FROM {table.name} t WHERE {table.find}", people.parameters(now))
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def left(table: Table, people: People, now: datetime) -> int:
    """How many rows of ``table`` an erasure of these people has still to end."""
    with psycopg.Cursor(_raw()) as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {table.name} t WHERE ({table.find}) {_untouched(table)}",
            people.parameters(now),
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def rows(table: Table, people: People, now: datetime) -> Iterator[dict[str, Any]]:
    """What a copy for the person shows of ``table``, row by row, oldest first, without holding all of it."""
    columns = table.shown()
    if not columns:
        return
    listed = ", ".join(f"'{column}', t.\"{column}\"" for column in columns)
    first = f't."{table.since}"' if table.since else "1"
    # A server-side cursor: a hundred thousand events pass through, not into, the memory.
    with transaction.atomic(), _raw().cursor("privacy_rows") as cursor:
        cursor.itersize = 1_000
        cursor.execute(
            f"SELECT jsonb_build_object({listed})::text"
            f" FROM {table.name} t WHERE ({table.find}) AND {table.copied} ORDER BY {first}",
            people.parameters(now),
        )
        for (row,) in cursor:
            yield msgspec.json.decode(row)


def end(table: Table, people: People, now: datetime) -> int:
    """Delete or anonymise these people's rows of ``table``, some thousands at a time; returns how many.

    Each turn is a statement of its own: outside a transaction each is durable by itself, so a crash loses
    nothing and the next call goes on.
    """
    if table.act is Act.KEEP:
        return 0
    done = 0
    with psycopg.Cursor(_raw()) as cursor:
        while True:
            cursor.execute(_ending(table), people.parameters(now) | {"most": _ONCE})
            done += cursor.rowcount
            if cursor.rowcount < _ONCE:
                return done


def _ending(table: Table) -> str:
    # tableoid beside ctid: partitions count their rows each for itself.
    chosen = (
        f"WITH chosen AS MATERIALIZED (SELECT t.tableoid AS part, t.ctid AS place FROM {table.name} t"
        f" WHERE ({table.find}) {_untouched(table)} LIMIT %(most)b)"
    )
    which = "t.tableoid = chosen.part AND t.ctid = chosen.place"
    if table.act is Act.DELETE:
        return f"{chosen} DELETE FROM {table.name} t USING chosen WHERE {which}"
    return f"{chosen} UPDATE {table.name} t SET {table.change} FROM chosen WHERE {which}"


def _untouched(table: Table) -> str:
    return f"AND NOT ({table.done})" if table.done else ""


def _raw() -> Any:
    connection.ensure_connection()
    return connection.connection


# Whoever was parted again is somebody else.
_FORMER = """
WITH RECURSIVE former AS (
    SELECT loser_id, loser_public_id FROM contacts_merge
    WHERE winner_id = ANY(%b::int8[]) AND undone_at IS NULL
    UNION
    SELECT m.loser_id, m.loser_public_id FROM contacts_merge m JOIN former f ON m.winner_id = f.loser_id
    WHERE m.undone_at IS NULL
)
SELECT loser_id, loser_public_id FROM former
"""
