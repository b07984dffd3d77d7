"""What a file is, judged by its content and never by its name. Pure."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence

from contacts.exchange.sheets import LONGEST_LINE, MOST_COLUMNS, Broken, Format, Row, rows

HEAD = 2 * LONGEST_LINE
"Bytes that are looked at."
ENCODINGS = (
    "utf-8", "utf-16-le", "utf-16-be", "cp1252", "iso8859-15", "cp1250", "cp1251", "mac-roman", "shift_jis"
)  # fmt: skip
DELIMITERS = (",", ";", "\t", "|")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARKUP = re.compile(rb"\s*<(!doctype|html|svg|\?xml|script|body|table)", re.IGNORECASE)
_NOT_A_TABLE = (
    b"%PDF",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"\xd0\xcf\x11\xe0",
    b"\x1f\x8b",
    b"Rar!",
    b"7z\xbc",
)
_ZIP = b"PK\x03\x04"
_DATE = re.compile(r"\s*(\d{1,4})[/.\-](\d{1,2})[/.\-](\d{1,4})(?:[ T].*)?")
_COMMA_NUMBER = re.compile(r"-?\d{1,3}(?:[ .\u00a0\u202f']?\d{3})*,\d{1,2}|-?\d+,\d+")
_POINT_NUMBER = re.compile(r"-?\d{1,3}(?:[ ,\u00a0\u202f']?\d{3})*\.\d{1,2}|-?\d+\.\d+")
_DATA_LIKE = re.compile(r".*@.*\..*|[-+]?\d[\d .,/:\-]*")


class NotATableError(ValueError):
    """The file holds no table; the text says what it seems to be."""


def is_workbook(head: bytes) -> bool:
    """An XLSX file, as far as its first bytes tell."""
    return head.startswith(_ZIP)


def encoding(head: bytes) -> tuple[str, int]:
    """The encoding and the length of its mark. Raises NotATableError for what is plainly something else."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, len(mark)
    if not head.strip():
        raise NotATableError("empty")
    if head.startswith(_NOT_A_TABLE):
        raise NotATableError("binary")
    if _MARKUP.match(head):
        raise NotATableError("markup")
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 5:
        return ("utf-16-le", 0) if odd > even else ("utf-16-be", 0)
    if _is_utf8(head):
        return "utf-8", 0
    return ("cp1252", 0) if not re.search(rb"[\x81\x8d\x8f\x90\x9d]", head) else ("mac-roman", 0)


def _is_utf8(head: bytes) -> bool:
    try:
        # The last sign may be cut in two.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def table(head: bytes, name: str | None = None, delimiter: str | None = None) -> Format:
    """The format of a settled file: one byte or UTF-8 a sign, lines that end in LF."""
    found, mark = encoding(head)
    name = name or found
    whole = head[mark:] if len(head) < HEAD else head[mark : head.rfind(b"\n") + 1] or head[mark:]
    text = whole.decode(name, "replace")
    delimiter = delimiter or _delimiter(text)
    quote = _quote(text, delimiter)
    form = Format(name, delimiter, quote, start=mark)
    sample = list(rows(io.BytesIO(head[:mark] + whole), form, mark, 1))[:500]
    if not sample:
        raise NotATableError("empty")
    first = sample[0]
    if isinstance(first, Broken) and first.code == "line_too_long":
        raise NotATableError("line_too_long")
    if len(first.cells) > MOST_COLUMNS:
        raise NotATableError("columns")
    header = _is_header(first.cells)
    values = [row.cells for row in sample[1 if header else 0 :] if isinstance(row, Row)]
    columns = tuple(
        (cell.strip()[:255] if header else "") or f"{number}" for number, cell in enumerate(first.cells, 1)
    )
    return Format(
        name, delimiter, quote, header, columns,
        start=first.end if header else mark,
        line=first.next_line if header else 1,
        decimal=_decimal(values), dates=date_order(cell for row in values for cell in row),
    )  # fmt: skip


def _delimiter(text: str) -> str:
    """The sign that cuts the first lines into equally many cells, and into most."""
    lines = text.splitlines()[:200]
    best, found = (0.0, 0), ","
    for sign in DELIMITERS:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=sign) if any(row))
        except csv.Error:
            continue
        if not widths:
            continue
        width, often = widths.most_common(1)[0]
        score = (often / sum(widths.values()) if width > 1 else 0.0, width)
        if score > best:
            best, found = score, sign
    return found


def _quote(text: str, delimiter: str) -> str:
    single = len(
        re.findall(
            rf"(?:^|{re.escape(delimiter)})'[^'\n]*'(?={re.escape(delimiter)}|\r?$)", text, re.MULTILINE
        )
    )
    return "'" if single > text.count('"') and single > 2 else '"'


def _is_header(cells: Sequence[str]) -> bool:
    named = [cell.strip() for cell in cells if cell.strip()]
    return bool(named) and not any(_DATA_LIKE.fullmatch(cell) for cell in named)


def _decimal(values: Sequence[Sequence[str]]) -> str:
    cells = [cell.strip() for row in values for cell in row]
    commas = sum(1 for cell in cells if _COMMA_NUMBER.fullmatch(cell))
    points = sum(1 for cell in cells if _POINT_NUMBER.fullmatch(cell) and not _DATE.fullmatch(cell))
    return "," if commas > points else "."


def date_order(cells: object) -> str:
    """``ymd``, ``dmy`` or ``mdy``, by the values that leave no doubt; day first where none does."""
    counts = Counter[str]()
    for cell in cells:  # type: ignore[attr-defined]
        if (match := _DATE.fullmatch(cell)) is None:
            continue
        first, second = int(match[1]), int(match[2])
        if len(match[1]) == 4:
            counts["ymd"] += 1
        elif first > 12 >= second:
            counts["dmy"] += 1
        elif second > 12 >= first:
            counts["mdy"] += 1
        else:
            counts["either"] += 1
    if counts["mdy"] > counts["dmy"]:
        return "mdy"
    return "dmy" if counts["dmy"] or counts["either"] > counts["ymd"] else "ymd"


def sample(head: bytes, form: Format, most: int = 20) -> list[list[str]]:
    """The first rows, for people to look at."""
    whole = head if len(head) < HEAD else head[: head.rfind(b"\n") + 1]
    found = rows(io.BytesIO(whole), form)
    return [row.cells for row, _count in zip(found, range(most), strict=False)]
