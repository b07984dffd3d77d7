"""How long each type of data is kept. Whole months are dropped where a table has them, rows elsewhere.

A period applies to every table of the inventory that names it, by its ``since``. Who was never known and
did not come back for long is erased like anybody else, without a tombstone: they may come back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from contacts import partitions
from contacts.models import RetentionPeriod
from contacts.privacy import erasing
from contacts.privacy.inventory import Table, inventory

_ONCE = 5_000
_CONTACTS_ONCE = 200
_PATIENCE = "5s"
"How long a month's drop waits for readers before it is left for the next hour."


@dataclass(frozen=True, slots=True)
class Period:
    """One setting: ``least`` days it may be, and how many hold until somebody says otherwise."""

    name: str
    title: Any
    help: Any
    least: int
    default: int | None = None


PERIODS: Mapping[str, Period] = {
    period.name: period
    for period in (
        Period("events", _("Events"), _("What people did. Segments and figures see no further back."), 30),
        Period("messages", _("Messages"), _("Messages, decisions, tries and receipts."), 90),
        Period("steps", _("Steps of journeys"), _("Which steps people took, and how they ended."), 30),
        Period("predictions", _("Predictions"), _("Counted from when they were computed."), 1, 400),
        Period("hits", _("Raw hits"), _("Fetches of pixels and links that wait to be read."), 1, 30),
        Period(
            "dead_letters", _("Dead letters"), _("Events that could not be read, kept for replay."), 1, 90
        ),
        Period(
            "anonymous",
            _("Anonymous contacts"),
            _("Never recognised, and not seen for so long: erased with all that is theirs."),
            30,
            400,
        ),
        Period(
            "inactive",
            _("Known contacts"),
            _("Not seen for so long: erased with all that is theirs. Empty: only who asks."),
            365,
        ),
    )
}
_KNOWN = {"anonymous": False, "inactive": True}


@dataclass(frozen=True, slots=True)
class Doomed:
    """What a period would let go: of which table, how many rows, and the months that go whole."""

    table: str
    rows: int
    months: tuple[str, ...] = ()


def days(name: str) -> int | None:
    """The setting in force; None keeps for ever."""
    row = RetentionPeriod.objects.filter(pk=name).first()
    return row.days if row else PERIODS[name].default


def settings() -> dict[str, int | None]:
    """All periods. One statement."""
    saved = dict(RetentionPeriod.objects.values_list("data", "days"))
    return {name: saved.get(name, period.default) for name, period in PERIODS.items()}


def save(name: str, wanted: int | None, now: datetime) -> None:
    """Set one period; raises ValueError below its least."""
    if wanted is not None and wanted < PERIODS[name].least:
        raise ValueError(f"{name} is kept for at least {PERIODS[name].least} days")
    RetentionPeriod.objects.update_or_create(data=name, defaults={"days": wanted, "changed_at": now})


def preview(name: str, wanted: int, now: datetime) -> list[Doomed]:
    """What would go if ``name`` were kept for ``wanted`` days."""
    before = now - timedelta(days=wanted)
    if name in _KNOWN:
        return [Doomed("contacts_contact", _count_inactive(_KNOWN[name], before))]
    return [_doomed(table, before) for table in _tables(name)]


def enforce(now: datetime) -> int:
    """One round over all periods; returns how many rows and months went. Bounded: call until 0."""
    gone = 0
    for name, kept in settings().items():
        if kept is None:
            continue
        before = now - timedelta(days=kept)
        if name in _KNOWN:
            gone += _erase_inactive(_KNOWN[name], before, now)
        else:
            gone += sum(_let_go(table, before) for table in _tables(name))
    return gone


def _tables(name: str) -> Iterator[Table]:
    return (table for table in inventory().people if table.retention == name and table.since)


def _doomed(table: Table, before: datetime) -> Doomed:
    months = _whole_months(table.name, before)
    with psycopg.Cursor(_raw()) as cursor:
        cursor.execute(f"SELECT count(*) FROM {table.name} WHERE {table.since} < %b", [before])
        row = cursor.fetchone()
    return Doomed(table.name, int(row[0]) if row else 0, tuple(months))


def _let_go(table: Table, before: datetime) -> int:
    """Drop whole months; of the rest only what lies outside any month, and of small tables each row."""
    if table.name not in partitions.tables():
        return _delete(table.name, table.since, before)
    month = before.astimezone(UTC).date()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_PATIENCE])
            dropped = len(partitions.drop_before(table.name, month))
    except Exception as error:
        if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise
        return 0
    oldest = datetime(month.year, month.month, 1, tzinfo=UTC)
    return dropped + _delete(f"{table.name}_default", table.since, oldest)


def _delete(name: str, since: str, before: datetime) -> int:
    with psycopg.Cursor(_raw()) as cursor:
        cursor.execute(
            f"WITH old AS MATERIALIZED (SELECT ctid FROM {name} WHERE {since} < %b LIMIT %b)"
            f" DELETE FROM {name} t USING old WHERE t.ctid = old.ctid",
            [before, _ONCE],
        )
        return cursor.rowcount


def _erase_inactive(known: bool, before: datetime, now: datetime) -> int:
    with transaction.atomic(), psycopg.Cursor(_raw()) as cursor:
        # Locked as ingest locks them: who comes back at this moment is passed over.
        cursor.execute(_INACTIVE, [known, before, _CONTACTS_ONCE])
        ids = [row[0] for row in cursor.fetchall()]
        if ids:
            erasing.erase_unasked(ids, now)
    return len(ids)


def _count_inactive(known: bool, before: datetime) -> int:
    with psycopg.Cursor(_raw()) as cursor:
        cursor.execute(
            "SELECT count(*) FROM contacts_contact WHERE known = %b AND last_seen_at < %b", [known, before]
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _whole_months(table: str, before: datetime) -> list[str]:
    return partitions.older_than(table, before.astimezone(UTC).date())


def _raw() -> Any:
    connection.ensure_connection()
    return connection.connection


_INACTIVE = """
SELECT id FROM contacts_contact WHERE known = %b AND last_seen_at < %b
ORDER BY last_seen_at LIMIT %b FOR UPDATE SKIP LOCKED
"""
