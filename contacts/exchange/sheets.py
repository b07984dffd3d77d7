"""Rows of a CSV file, from any byte at which a row begins, whatever else is wrong with the file. Pure.

A row that cannot be read is told with its reason, and reading goes on at the next line: a quote that is
never closed costs its own line, not the rest of the file. Memory does not grow with the file or its lines.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import msgspec

LONGEST_LINE = 262_144
"Bytes; a longer line is rejected whole."
MOST_COLUMNS = 1_000
_MOST_LINES = 100
"A row with line breaks inside quotes may go over so many lines."

csv.field_size_limit(LONGEST_LINE)


class Format(msgspec.Struct, frozen=True):
    """How a settled file is to be read. ``start`` is the byte and ``line`` the number of the first row."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    header: bool = True
    columns: tuple[str, ...] = ()
    start: int = 0
    line: int = 1
    decimal: str = "."
    dates: str = "ymd"


class Row(NamedTuple):
    """One row. ``end`` is the byte at which the next one begins, ``next_line`` its line."""

    line: int
    cells: list[str]
    end: int
    next_line: int


class Broken(NamedTuple):
    """A row that cannot be read: ``cells`` is what there was, as far as it could be shown."""

    line: int
    cells: list[str]
    end: int
    next_line: int
    code: str


class _Runaway(Exception):
    """A quoted cell goes on for longer than any real one does."""


class _TooLong(Exception):
    pass


class _Lines:
    """Lines for csv.reader, which takes only as many as the row in its hands needs."""

    def __init__(self, file: BinaryIO, encoding: str, start: int, line: int) -> None:
        self._file = file
        self._encoding = encoding
        self.end, self.line = start, line
        file.seek(start)
        self.begin(start, line)

    def begin(self, end: int, line: int) -> None:
        """The next line taken is the first of a row."""
        self.first: bytes = b""
        self.taken = 0
        self.after_first = (end, line)

    def restart(self) -> None:
        """Go on with the line after the first of the row at hand."""
        self.end, self.line = self.after_first
        self._file.seek(self.end)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        raw = self._file.readline(LONGEST_LINE + 1)
        if not raw:
            raise StopIteration
        long = len(raw) > LONGEST_LINE
        self.end += len(raw) + (self._skip() if long else 0)
        self.line += 1
        self.taken += 1
        if self.taken == 1:
            self.first = raw
            self.after_first = (self.end, self.line)
        if long:
            raise _TooLong
        if self.taken > _MOST_LINES:
            raise _Runaway
        return raw.decode(self._encoding)

    def _skip(self) -> int:
        skipped = 0
        while raw := self._file.readline(LONGEST_LINE):
            skipped += len(raw)
            if raw.endswith(b"\n"):
                break
        return skipped

    def shown(self) -> list[str]:
        """The first line of the row at hand, cut, with signs in place of what cannot be decoded."""
        return [self.first[:2_000].decode(self._encoding, "replace").rstrip("\r\n")]


def rows(
    file: BinaryIO, form: Format, start: int | None = None, line: int | None = None
) -> Iterator[Row | Broken]:
    """Rows from byte ``start`` on (by default all), without those that are blank."""
    lines = _Lines(
        file, form.encoding, form.start if start is None else start, form.line if line is None else line
    )
    reader = _reader(lines, form)
    while True:
        began, code = lines.line, ""
        lines.begin(lines.end, lines.line)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except UnicodeDecodeError:
            code = "encoding"
        except _TooLong:
            code = "line_too_long"
        except (csv.Error, _Runaway):
            code = "quotes"
        if code:
            shown = lines.shown()
            lines.restart()
            reader = _reader(lines, form)
            yield Broken(began, shown, lines.end, lines.line, code)
        elif any(cells):
            yield Row(began, cells, lines.end, lines.line)


def _reader(lines: _Lines, form: Format) -> Iterator[list[str]]:
    if form.quote:
        return csv.reader(lines, delimiter=form.delimiter, quotechar=form.quote, strict=True)
    return csv.reader(lines, delimiter=form.delimiter, quoting=csv.QUOTE_NONE)
