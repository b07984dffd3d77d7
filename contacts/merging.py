"""Carry out merges: move all that belongs to the contacts that are no more, and keep what undoes it.

Tables are found, not listed: every model with ``slot`` and ``contact_id`` follows its contact. So apps
above this one need not be known here, and a new table cannot be forgotten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
import psycopg
from django.apps import apps
from django.db import connection, transaction
from django.db.models import CompositePrimaryKey, Field, Model, UniqueConstraint
from psycopg.types.json import Jsonb

from contacts import slots
from contacts.directory import Identifier
from contacts.models import MergeRule
from contacts.profile import Profile

_SWEPT = timedelta(minutes=15)
"Longer than any pulse's transaction may take."


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows belong to contacts."""

    name: str
    key: tuple[str, ...]
    rules: tuple[MergeRule, ...]


@lru_cache(maxsize=1)
def tables() -> tuple[Table, ...]:
    """Every table with the columns ``slot`` and ``contact_id``."""
    return tuple(_table(model) for model in sorted(apps.get_models(), key=_name) if _follows_contact(model))


def merge(
    losers: Mapping[int, int],
    profiles: Mapping[int, Profile],
    now: datetime,
    *,
    reason: str = "an event carried identifiers of both",
    fallen: Mapping[Identifier, int] | None = None,
    rules_version: int = 0,
) -> None:
    """Make each loser part of its winner. Call with the contacts of both locked.

    ``profiles`` holds both as they were before the merge. Statements: a constant number, whatever the number
    of merges.
    """
    if not losers:
        return
    undo = _before(losers, profiles, fallen or {})
    with psycopg.Cursor(connection.connection) as cursor:
        for table in tables():
            for loser, kind, rows in _move(cursor, table, losers, now):
                undo[loser].setdefault(kind, {})[table.name] = rows
        cursor.execute("DELETE FROM contacts_contact WHERE id = ANY(%b::int8[])", [sorted(losers)])
        lines = [
            _line(loser, losers[loser], undo[loser], reason, rules_version, now) for loser in sorted(losers)
        ]
        cursor.execute(_LOG, [Jsonb(msgspec.json.encode(lines), dumps=bytes)])


def sweep(now: datetime) -> int:
    """Move what other pulses wrote for contacts while these were being merged; returns how many rows.

    Such a pulse had read the contact before the merge and committed after it. Looks at the merges of the
    last minutes; repeating does no harm.
    """
    moved = 0
    with transaction.atomic(), psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_RECENT, [now - _SWEPT])
        losers = dict(cursor.fetchall())
        for table in tables() if losers else ():
            moved += sum(
                len(rows) for _loser, kind, rows in _move(cursor, table, losers, now) if kind == "moved"
            )
    return moved


def _before(
    losers: Mapping[int, int], profiles: Mapping[int, Profile], fallen: Mapping[Identifier, int]
) -> dict[int, dict[str, Any]]:
    """What undoing needs to know of each merge before it: both profiles, and identifiers that fell off."""
    remaining = {winner: profiles[winner].copy() for winner in losers.values() if winner in profiles}
    undo: dict[int, dict[str, Any]] = {}
    for loser, winner in losers.items():
        undo[loser] = {"contact": profiles[loser]}
        if winner in remaining:
            undo[loser]["remaining"] = remaining[winner].copy()
            remaining[winner].absorb(profiles[loser])
        lost = [[*one, contact] for one, contact in fallen.items() if contact in (loser, winner)]
        if lost:
            undo[loser]["fallen"] = lost
    return undo


def _line(
    loser: int, winner: int, snapshot: dict[str, Any], reason: str, rules_version: int, now: datetime
) -> dict[str, Any]:
    return {
        "slot": slots.of(winner),
        "winner_id": winner,
        "loser_id": loser,
        "loser_public_id": snapshot["contact"].public_id,
        "reason": reason,
        "snapshot": snapshot,
        "rules_version": rules_version,
        "merged_at": now,
    }


def _move(
    cursor: psycopg.Cursor, table: Table, losers: Mapping[int, int], now: datetime
) -> Iterator[tuple[int, str, list[msgspec.Raw]]]:
    """Yields (loser, "settled" or "moved", rows as JSON) for the snapshot."""
    for rule in table.rules:
        if rule.first:
            cursor.execute(_WHO + rule.first, _people(losers))
        cursor.execute(_settle(table, rule), _people(losers) | {"now": now})
        settled: dict[int, list[msgspec.Raw]] = defaultdict(list)
        # A row of the one that remains may give way too; the first merge into it keeps that row.
        first = {winner: loser for loser, winner in sorted(losers.items(), reverse=True)}
        for contact, row in cursor.fetchall():
            settled[first.get(contact) or contact].append(msgspec.Raw(row.encode()))
        for loser, rows in settled.items():
            yield loser, "settled", rows
    cursor.execute(_follow(table), _people(losers))
    moved: dict[int, list[msgspec.Raw]] = defaultdict(list)
    for loser, key in cursor:
        moved[loser].append(msgspec.Raw(key.encode()))
    for loser, keys in moved.items():
        yield loser, "moved", keys


def _people(losers: Mapping[int, int]) -> dict[str, Any]:
    ids = sorted(losers)
    winners = [losers[loser] for loser in ids]
    return {"losers": ids, "winners": winners, "slots": [slots.of(winner) for winner in winners]}


def _settle(table: Table, rule: MergeRule) -> str:
    """SQL that leaves one row where the merged contact would have several. Names come from our models."""
    key = ", ".join(f"t.{column}" for column in table.key)
    same = " AND ".join(f"t.{column} = ranked.{column}" for column in table.key)
    order = ", ".join(filter(None, [rule.keep, "t.contact_id <> who.winner", key]))
    act = _ACT[bool(rule.instead)].format(table.name, rule.instead)
    group = ", ".join(["who.winner", *(f"t.{column}" for column in rule.once)])
    return f"""{_WHO}, ranked AS (
    SELECT {key}, row_number() OVER (PARTITION BY {group} ORDER BY {order}) AS place
    FROM {table.name} t JOIN who ON t.contact_id = who.contact_id WHERE {rule.among}
)
{act} ranked WHERE {same} AND ranked.place > 1
RETURNING t.contact_id, to_jsonb(t)::text
"""  # noqa: S608


_WHO = """
WITH who (contact_id, winner) AS (
    SELECT * FROM unnest(%(losers)b::int8[], %(winners)b::int8[])
    UNION SELECT w, w FROM unnest(%(winners)b::int8[]) AS w
)"""
_ACT = {False: "DELETE FROM {0} t USING", True: "UPDATE {0} t SET {1} FROM"}


def _follow(table: Table) -> str:
    key = ", ".join(f"'{column}', t.{column}" for column in table.key if column != "contact_id")
    return f"""
UPDATE {table.name} t SET contact_id = who.winner, slot = who.slot
FROM unnest(%(losers)b::int8[], %(winners)b::int8[], %(slots)b::int2[]) AS who (loser, winner, slot)
WHERE t.contact_id = who.loser
RETURNING who.loser, jsonb_build_object({key})::text
"""  # noqa: S608


def _name(model: type[Model]) -> str:
    return model._meta.db_table


def _follows_contact(model: type[Model]) -> bool:
    columns = {field.column for field in model._meta.concrete_fields}
    return {"slot", "contact_id"} <= columns and not model._meta.proxy


def _table(model: type[Model]) -> Table:
    declared = getattr(model, "on_merge", None)
    key = tuple(_columns(model, [field.name for field in model._meta.pk_fields]))
    rules = (declared,) if declared else tuple(MergeRule(once) for once in _once_a_contact(model))
    return Table(model._meta.db_table, key, rules)


def _once_a_contact(model: type[Model]) -> Iterator[tuple[str, ...]]:
    """Columns that, with the contact, are unique."""
    sets = [
        constraint.fields
        for constraint in model._meta.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    if isinstance(model._meta.pk, CompositePrimaryKey):
        sets.append(model._meta.pk.field_names)
    for names in sets:
        columns = _columns(model, names)
        if "contact_id" in columns:
            yield tuple(column for column in columns if column != "contact_id")


def _columns(model: type[Model], names: Iterable[str]) -> list[str]:
    fields = (model._meta.get_field(name) for name in names)
    return [str(field.column) for field in fields if isinstance(field, Field)]


# Of several merges in a row the last one's winner counts; an id is the loser of one merge at most.
_RECENT = """
WITH RECURSIVE chain AS (
    SELECT m.loser_id AS loser, m.winner_id AS winner FROM contacts_merge m
    -- Ids grow with time, so the newest are found without an index on the time.
    WHERE m.id > (SELECT max(id) FROM contacts_merge) - 5000 AND m.merged_at > %s AND m.undone_at IS NULL
    UNION ALL
    SELECT chain.loser, m.winner_id FROM chain JOIN contacts_merge m ON m.loser_id = chain.winner
)
SELECT chain.loser, chain.winner FROM chain JOIN contacts_contact c ON c.id = chain.winner
"""

_LOG = """
INSERT INTO contacts_merge
    (slot, winner_id, loser_id, loser_public_id, reason, snapshot, rules_version, merged_at)
SELECT slot, winner_id, loser_id, loser_public_id, reason, snapshot, rules_version, merged_at
FROM jsonb_populate_recordset(NULL::contacts_merge, %b)
"""
