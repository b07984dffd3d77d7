"""Exports: rows streamed into a file that no spreadsheet can be tricked by, kept for some days.

A file is written beside its place and moved there when it is whole; after a crash it is written anew.
"""

from __future__ import annotations

import csv
import time
import uuid
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec
import xlsxwriter
from django.core import signing
from django.db import DatabaseError, connection, transaction

from contacts.exchange import files, importing
from contacts.exchange.export_tables import ExportTable, tables
from contacts.exchange.guarding import guard
from contacts.models import Export, ExportDownload

KEPT = timedelta(days=7)
_NAMESPACE = zlib.crc32(b"exports") & 0x7FFFFFFF
_ROWS = 2_000
_MOST_ROWS_OF_A_SHEET = 1_048_575
_LONGEST_CELL = 32_767
_SALT = "contacts.export"
_ORPHANED = timedelta(hours=6)


class UnknownColumnError(ValueError):
    """A column or a table that is not on offer; the argument is its name."""


class _Stopped(Exception):
    pass


def ask(
    what: str, columns: Sequence[str], form: str, filters: dict[str, Any], by: int | None, now: datetime
) -> Export:
    """Ask for a file. Raises UnknownColumnError."""
    table = tables().get(what)
    if table is None:
        raise UnknownColumnError(what)
    chosen = list(dict.fromkeys(columns)) or list(table.usual)
    for name in chosen:
        if table.column(name) is None:
            raise UnknownColumnError(name)
    return Export.objects.create(
        what=what,
        columns=chosen[:500],
        format=form,
        filters=filters,
        by_id=by,
        made_at=now,
        expires_at=now + KEPT,
    )


def work(clock: Callable[[], datetime], *, seconds: float) -> int:
    """Write the files that were asked for; returns how many."""
    until, done = time.monotonic() + seconds, 0
    for number in Export.objects.filter(state__in=Export.WORK).order_by("pk").values_list("pk", flat=True):
        with importing.alone(_NAMESPACE, number) as mine:
            if mine and time.monotonic() < until:
                _write(Export.objects.get(pk=number), clock)
                done += 1
    return done


def _write(export: Export, clock: Callable[[], datetime]) -> None:
    if not Export.objects.filter(pk=export.pk, state__in=Export.WORK).update(state=Export.State.RUNNING):
        return
    target = files.path_of(export.key, export.format)
    unfinished = target.with_suffix(".part")
    try:
        with _sheet(export, unfinished) as sheet:
            rows = _fill(export, sheet)
    except _Stopped:
        unfinished.unlink(missing_ok=True)
        return
    except (DatabaseError, OSError, _TooManyRows) as error:
        unfinished.unlink(missing_ok=True)
        Export.objects.filter(pk=export.pk).update(
            state=Export.State.FAILED, fault=str(error)[:200], ended_at=clock()
        )
        return
    unfinished.replace(target)
    now = clock()
    Export.objects.filter(pk=export.pk, state=Export.State.RUNNING).update(
        state=Export.State.READY, rows=rows, size=target.stat().st_size, ended_at=now, expires_at=now + KEPT
    )


def _fill(export: Export, sheet: Sheet) -> int:
    table = tables()[export.what]
    statement, values = select(table, export.columns, export.filters)
    sheet.write(export.columns)
    count = 0
    # A named cursor keeps the rows with the server; reading takes no transaction number, so nobody waits.
    with transaction.atomic(), connection.connection.cursor(name=f"export_{export.pk}") as cursor:
        cursor.itersize = _ROWS
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(_ROWS):
            for row in rows:
                sheet.write([_text(value) for value in row])
            count += len(rows)
            if Export.objects.filter(pk=export.pk, state=Export.State.CANCELLED).exists():
                raise _Stopped
    return count


def select(table: ExportTable, columns: Sequence[str], filters: dict[str, Any]) -> tuple[str, list[Any]]:
    """The statement of an export and its parameters. Names come from the table, values travel beside it."""
    chosen, values = [], list[Any]()
    for name in columns:
        found = table.column(name)
        if found is None:
            raise UnknownColumnError(name)
        chosen.append(found[0])
        values += found[1]
    tests = []
    if filters.get("segment") and " c" in f" {table.source} ":
        tests.append(
            "EXISTS (SELECT FROM contacts_segmentmembership m"
            " WHERE m.contact_id = c.id AND m.segment_id = %s)"
        )
        values.append(filters["segment"])
    if filters.get("event") and table.name == "events":
        tests.append("e.name = %s")
        values.append(filters["event"])
    for key, sign in (("since", ">="), ("until", "<")):
        if filters.get(key) and table.by_time:
            tests.append(f"{table.by_time} {sign} %s::timestamptz")
            values.append(filters[key])
    where = f" WHERE {' AND '.join(tests)}" if tests else ""
    return f"SELECT {', '.join(chosen)} FROM {table.source}{where} ORDER BY {table.order}", values  # noqa: S608


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return str(value)


class Sheet(Protocol):
    def write(self, cells: Sequence[str]) -> None: ...


class _TooManyRows(Exception):
    pass


class _Csv:
    def __init__(self, file: Any) -> None:
        self._writer = csv.writer(file, lineterminator="\r\n")

    def write(self, cells: Sequence[str]) -> None:
        self._writer.writerow([guard(cell) for cell in cells])


class _Xlsx:
    """Every cell is a text cell: no formula, no link, no number that loses its zeros."""

    def __init__(self, book: Any) -> None:
        self._sheet, self._row = book.add_worksheet(), 0

    def write(self, cells: Sequence[str]) -> None:
        if self._row > _MOST_ROWS_OF_A_SHEET:
            raise _TooManyRows("too_many_rows")
        for place, cell in enumerate(cells):
            if cell:
                self._sheet.write_string(self._row, place, cell[:_LONGEST_CELL])
        self._row += 1


@contextmanager
def _sheet(export: Export, path: Path) -> Iterator[Sheet]:
    if export.format == Export.Format.XLSX:
        book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": str(files.folder())})
        try:
            yield _Xlsx(book)
        finally:
            book.close()
    else:
        # The mark at the beginning tells spreadsheets that it is UTF-8.
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            yield _Csv(file)


def ticket(export: Export, user: int) -> str:
    """What makes a link work: for this file, this person and some days only."""
    return signing.dumps([str(export.key), user], salt=_SALT, compress=False)


def redeem(text: str, user: int, now: datetime) -> Export | None:
    """The ready export of a ticket, if it is this person's and not too old; writes the download down."""
    try:
        key, owner = signing.loads(text, salt=_SALT, max_age=KEPT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    found = Export.objects.filter(key=key, state=Export.State.READY, expires_at__gt=now).first()
    if owner != user or found is None or not files.path_of(found.key, found.format).exists():
        return None
    ExportDownload.objects.create(export=found, by_id=user, at=now)
    return found


def clear_away(now: datetime) -> int:
    """Let exports expire, and remove every file that no import or export needs; returns how many."""
    Export.objects.filter(state=Export.State.READY, expires_at__lte=now).update(state=Export.State.EXPIRED)
    needed = importing.keys_in_use() | set(
        Export.objects.filter(state__in=[*Export.WORK, Export.State.READY]).values_list("key", flat=True)
    )
    removed = 0
    for path in files.folder().iterdir():
        key, young = _key_of(path), path.stat().st_mtime > (now - _ORPHANED).timestamp()
        being_written = young and (key is None or path.suffix in {".upload", ".part"})
        if key not in needed and not being_written:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _key_of(path: Path) -> uuid.UUID | None:
    try:
        return uuid.UUID(path.stem)
    except ValueError:
        return None
