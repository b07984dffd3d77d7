"""Monthly partitions of the big tables: made ahead of time, dropped by retention."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from django.db import connection, transaction

_NAME = re.compile(r"^(?P<table>.+)_p(?P<year>\d{4})(?P<month>\d{2})$")


def tables() -> list[str]:
    """Every range-partitioned table of the database, as the catalogue has it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE p.partstrat = 'r' AND n.nspname = current_schema() ORDER BY 1"
        )
        return [row[0] for row in cursor.fetchall()]


def months(first: date, last: date) -> list[date]:
    """First days of the months from ``first`` to ``last``, both included."""
    found, day = [], first.replace(day=1)
    while day <= last:
        found.append(day)
        day = next_month(day)
    return found


def next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def ensure(table: str, first: date, last: date) -> int:
    """Make the missing monthly partitions of ``table``; returns how many were made.

    Rows of a month that already lie in the default partition are moved first, so a late partition is
    as safe as an early one.
    """
    made = 0
    for month in months(first, last):
        name = f"{table}_p{month:%Y%m}"
        if name not in _present(table):
            made += _make(table, name, month)
    return made


def ensure_all(now: datetime, *, back: int = 1, ahead: int = 3) -> int:
    """Partitions of every table from ``back`` months ago to ``ahead`` months from ``now``."""
    first = last = now.astimezone(UTC).date().replace(day=1)
    for _step in range(ahead):
        last = next_month(last)
    for _step in range(back):
        first = date(first.year - (first.month == 1), (first.month - 2) % 12 + 1, 1)
    return sum(ensure(table, first, last) for table in tables())


def missing(at: datetime) -> list[str]:
    """The partitions that rows of the instant ``at`` would need and nobody has made."""
    month = at.astimezone(UTC).date()
    wanted = ((table, f"{table}_p{month:%Y%m}") for table in tables())
    return [name for table, name in wanted if name not in _present(table)]


def older_than(table: str, month: date) -> list[str]:
    """The partitions of ``table`` that end on or before ``month``, oldest first."""
    found = []
    for name in sorted(_present(table)):
        match = _NAME.match(name)
        if match and date(int(match["year"]), int(match["month"]), 1) < month.replace(day=1):
            found.append(name)
    return found


def drop_before(table: str, month: date) -> list[str]:
    """Drop the partitions of ``table`` that end on or before ``month``; returns their names."""
    dropped = older_than(table, month)
    for name in dropped:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP TABLE "{name}"')
    return dropped


def _present(table: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = %s::regclass",
            [table],
        )
        return {row[0] for row in cursor.fetchall()}


def _make(table: str, name: str, month: date) -> bool:
    """Make one partition, whole or not at all; False if another process did so first."""
    bounds = [datetime(day.year, day.month, 1, tzinfo=UTC) for day in (month, next_month(month))]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [table])
        if name in _present(table):
            return False
        cursor.execute(
            "SELECT a.attname FROM pg_partitioned_table p JOIN pg_attribute a"
            " ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] WHERE p.partrelid = %s::regclass",
            [table],
        )
        (key,) = cursor.fetchone() or ("",)
        # Writers to other partitions go on; nobody may add to the default one while rows leave it.
        cursor.execute(f'LOCK TABLE "{table}_default" IN ACCESS EXCLUSIVE MODE')
        cursor.execute(f'CREATE TABLE "{name}" (LIKE "{table}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS)')
        cursor.execute(
            # Names come from the catalogue and the calendar, never from a user.
            f'WITH moved AS (DELETE FROM "{table}_default" WHERE "{key}" >= %s AND "{key}" < %s RETURNING *)'  # noqa: S608
            f' INSERT INTO "{name}" SELECT * FROM moved',
            bounds,
        )
        cursor.execute(
            f'ALTER TABLE "{table}" ATTACH PARTITION "{name}" FOR VALUES FROM (%s) TO (%s)',
            [bound.isoformat() for bound in bounds],
        )
    return True
