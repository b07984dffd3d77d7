"""Rows of the first sheet of an XLSX file, as text, read as a stream and distrusted throughout. Pure.

Nothing is unpacked to disk and no name inside the archive becomes a path. What the archive declares and
what really comes out of it are both bounded; documents that declare entities are refused; formulae are never
computed, only the values that were stored beside them are taken.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, BinaryIO
from xml.parsers import expat

from contacts.exchange.sheets import MOST_COLUMNS

_MOST_BYTES = 4 << 30
_MOST_TIMES = 150
"No real sheet packs better than that."
_ALWAYS_ALLOWED = 16 << 20
_MOST_TEXT = 96 << 20
"Signs of all distinct texts together, which have to be in memory."
_PIECE = 1 << 16
_BUILT_IN_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_NOT_IN_CODE = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_COLUMN = re.compile(r"[A-Z]{1,3}")


class BadWorkbookError(ValueError):
    """Not a workbook that can be read safely; the argument is the reason's code."""


def rows(file: BinaryIO) -> Iterator[list[str]]:
    """The rows of the first sheet, empty ones too. Raises BadWorkbookError."""
    try:
        with zipfile.ZipFile(file) as archive:
            _weigh(archive)
            path = _first_sheet(archive)
            texts = _texts(archive)
            formats, early = _date_formats(archive)
            yield from _Sheet(texts, formats, early).read(archive, path)
    except (
        zipfile.BadZipFile,
        expat.ExpatError,
        KeyError,
        EOFError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise BadWorkbookError("damaged") from error


def _weigh(archive: zipfile.ZipFile) -> None:
    for entry in archive.infolist():
        if entry.file_size > max(entry.compress_size * _MOST_TIMES, _ALWAYS_ALLOWED):
            raise BadWorkbookError("bomb")
    if sum(entry.file_size for entry in archive.infolist()) > _MOST_BYTES:
        raise BadWorkbookError("bomb")
    if "xl/workbook.xml" not in archive.namelist():
        raise BadWorkbookError("not_a_workbook")


def _feed(archive: zipfile.ZipFile, name: str, parser: expat.XMLParserType) -> Iterator[None]:
    """Parse a part piece by piece; zipfile itself never yields more than the part declares."""
    with archive.open(name) as part:
        while piece := part.read(_PIECE):
            parser.Parse(piece, False)
            yield
        parser.Parse(b"", True)
        yield


def _parser(
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def refuse(*_declared: Any) -> None:
        raise BadWorkbookError("entities")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(" ")[2], attributes)
    if end:
        parser.EndElementHandler = lambda name: end(name.rpartition(" ")[2])
    if text:
        parser.CharacterDataHandler = text
    return parser


def _elements(archive: zipfile.ZipFile, name: str) -> list[tuple[str, dict[str, str]]]:
    """All elements of a small part, without their texts."""
    found: list[tuple[str, dict[str, str]]] = []
    for _piece in _feed(archive, name, _parser(lambda tag, attributes: found.append((tag, attributes)))):
        if len(found) > 200_000:
            raise BadWorkbookError("bomb")
    return found


def _first_sheet(archive: zipfile.ZipFile) -> str:
    sheets = [attributes for tag, attributes in _elements(archive, "xl/workbook.xml") if tag == "sheet"]
    links = {
        attributes.get("Id"): attributes.get("Target", "")
        for tag, attributes in _elements(archive, "xl/_rels/workbook.xml.rels")
        if tag == "Relationship"
    }
    for sheet in sheets:
        link = next((value for key, value in sheet.items() if key.endswith(" id")), "")
        target = links.get(link, "").lstrip("/")
        path = target if target.startswith("xl/") else f"xl/{target}"
        if path in archive.namelist():
            return path
    raise BadWorkbookError("no_sheet")


def _texts(archive: zipfile.ZipFile) -> list[str]:
    """The shared texts; furigana and the like (``rPh``) are left out."""
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    texts: list[str] = []
    parts: list[str] = []
    within = {"t": False, "rPh": False}
    size = 0

    def start(tag: str, _attributes: dict[str, str]) -> None:
        if tag in within:
            within[tag] = True

    def end(tag: str) -> None:
        if tag in within:
            within[tag] = False
        elif tag == "si":
            texts.append("".join(parts))
            parts.clear()

    def text(piece: str) -> None:
        nonlocal size
        if within["t"] and not within["rPh"]:
            parts.append(piece)
            size += len(piece)

    for _piece in _feed(archive, "xl/sharedStrings.xml", _parser(start, end, text)):
        if size > _MOST_TEXT:
            raise BadWorkbookError("too_much_text")
    return texts


def _date_formats(archive: zipfile.ZipFile) -> tuple[list[bool], bool]:
    """Per cell style whether it shows dates, and whether days are counted from 1904."""
    early = any(
        tag == "workbookPr" and attributes.get("date1904") in {"1", "true"}
        for tag, attributes in _elements(archive, "xl/workbook.xml")
    )
    if "xl/styles.xml" not in archive.namelist():
        return [], early
    dates, own, inside = list[bool](), dict[str, bool](), False
    for tag, attributes in _elements(archive, "xl/styles.xml"):
        if tag == "numFmt":
            code = _NOT_IN_CODE.sub("", attributes.get("formatCode", "").lower())
            own[attributes.get("numFmtId", "")] = any(sign in code for sign in "ymdh")
        elif tag in {"cellXfs", "cellStyles", "dxfs"}:
            inside = tag == "cellXfs"
        elif tag == "xf" and inside:
            number = attributes.get("numFmtId", "0")
            dates.append(own.get(number, number.isdigit() and int(number) in _BUILT_IN_DATES))
    return dates, early


class _Sheet:
    """Collects the cells of a row until the row ends."""

    def __init__(self, texts: list[str], dates: list[bool], early: bool) -> None:
        self._texts, self._dates = texts, dates
        self._first_day = datetime(1904, 1, 1) if early else datetime(1899, 12, 30)  # noqa: DTZ001 (days of a sheet have no zone)
        self._done: list[list[str]] = []
        self._row: list[str] = []
        self._place, self._kind, self._style = 0, "", 0
        self._parts: list[str] = []
        self._taking = False

    def read(self, archive: zipfile.ZipFile, path: str) -> Iterator[list[str]]:
        for _piece in _feed(archive, path, _parser(self._start, self._end, self._text)):
            yield from self._done
            self._done = []

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            match = _COLUMN.match(attributes.get("r", ""))
            self._place = _number(match[0]) if match else len(self._row)
            if self._place >= MOST_COLUMNS:
                raise BadWorkbookError("columns")
            self._kind = attributes.get("t", "n")
            style = attributes.get("s", "0")
            self._style = int(style) if style.isdigit() else 0
            self._parts = []
        elif tag == "row":
            self._row = []
        self._taking = tag in {"v", "t"}

    def _text(self, piece: str) -> None:
        if self._taking:
            self._parts.append(piece)

    def _end(self, tag: str) -> None:
        self._taking = False
        if tag == "c":
            self._row.extend([""] * (self._place + 1 - len(self._row)))
            self._row[self._place] = self._value("".join(self._parts))
        elif tag == "row":
            self._done.append(self._row)

    def _value(self, text: str) -> str:
        if self._kind == "s":
            place = int(text) if text.isdigit() else -1
            if not 0 <= place < len(self._texts):
                raise BadWorkbookError("damaged")
            return self._texts[place]
        if self._kind == "b":
            return "true" if text == "1" else "false"
        if self._kind == "n" and text:
            return self._number(text)
        return text

    def _number(self, text: str) -> str:
        try:
            value = float(text)
            if self._style < len(self._dates) and self._dates[self._style]:
                moment = self._first_day + timedelta(seconds=round(value * 86_400))
                whole = value == int(value)
                return moment.date().isoformat() if whole else moment.isoformat(sep=" ")
            # Written as 1.0 or 3.3E10 where people see 1 and 33000000000.
            return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
        except (ValueError, OverflowError):
            return text


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
