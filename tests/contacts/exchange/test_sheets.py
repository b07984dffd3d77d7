"""Rows of files in any shape: each is told, or told why not."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.exchange import sniffing
from contacts.exchange.guarding import guard, unguard
from contacts.exchange.sheets import LONGEST_LINE, Broken, Format, Row, rows
from contacts.exchange.sniffing import NotATableError
from tests.examples import examples


def read(data: bytes, **form: str) -> list[Row | Broken]:
    return list(rows(io.BytesIO(data), Format(**form)))  # type: ignore[arg-type]


def told(data: bytes, **form: str) -> list[list[str] | str]:
    return [row.code if isinstance(row, Broken) else row.cells for row in read(data, **form)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\nc,d\n", [["a", "b"], ["c", "d"]]),
        (b'a,"b\nc",d\n', [["a", "b\nc", "d"]]),
        (b"a,b\r\n\r\n , \nc", [["a", "b"], [" ", " "], ["c"]]),
        (b'a,"never closed\nb,c\n', ["quotes", ["b", "c"]]),
        (b'a,"b"x\nc,d\n', ["quotes", ["c", "d"]]),
        (b'5" pipe,b\n', [['5" pipe', "b"]]),
        (b"a,\xff\nc,d\n", ["encoding", ["c", "d"]]),
        (b"a," + b"x" * LONGEST_LINE + b"\nc,d\n", ["line_too_long", ["c", "d"]]),
        (b"a,b" + b"x" * LONGEST_LINE * 3, ["line_too_long"]),
    ],
)
def test_a_bad_row_costs_itself_and_not_its_neighbours(data: bytes, expected: list[list[str] | str]) -> None:
    assert told(data) == expected


@examples(60)
@given(
    st.lists(st.lists(st.text("ab,;\"'\n\r é=", max_size=6), min_size=2, max_size=3), max_size=8),
    st.integers(0, 8),
)
def test_reading_may_begin_at_any_row(table: list[list[str]], begin: int) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(table)
    data = out.getvalue().encode()
    whole = read(data)
    if not begin or begin > len(whole):
        return
    before = whole[begin - 1]
    rest = rows(io.BytesIO(data), Format(), before.end, before.next_line)
    assert list(rest) == whole[begin:]


@examples(60)
@given(st.binary(max_size=400))
def test_every_line_is_accounted_for_whatever_the_bytes(data: bytes) -> None:
    found = read(data, encoding="utf-8")
    ends = [row.end for row in found]
    assert ends == sorted(set(ends))
    assert not ends or ends[-1] <= len(data)


@pytest.mark.parametrize(
    ("head", "encoding", "delimiter", "columns"),
    [
        (b"email,name\na@b.io,x\n", "utf-8", ",", ("email", "name")),
        ("e-mail;prénom\na@b.io;Zoé\n".encode("cp1252"), "cp1252", ";", ("e-mail", "prénom")),
        ("\ufeffemail\tnom\na@b.io\tx\n".encode(), "utf-8", "\t", ("email", "nom")),
        (b"a@b.io,Ada\nc@d.io,Bob\n", "utf-8", ",", ("1", "2")),
    ],
)
def test_a_file_is_known_by_its_content(
    head: bytes, encoding: str, delimiter: str, columns: tuple[str, ...]
) -> None:
    form = sniffing.table(head)
    assert (form.encoding, form.delimiter, form.columns) == (encoding, delimiter, columns)
    first = next(rows(io.BytesIO(head), form))
    assert first.cells[0] == "a@b.io"


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><table>", "markup"),
        (b"<svg onload=alert(1)>", "markup"),
        (b"%PDF-1.7", "binary"),
        (b"\x89PNG\r\n", "binary"),
        (b"x" * LONGEST_LINE * 2, "line_too_long"),
        (b",".join([b"a"] * 100_000), "columns"),
    ],
)
def test_what_is_no_table_is_refused_whatever_its_name(head: bytes, said: str) -> None:
    with pytest.raises(NotATableError, match=said):
        sniffing.table(head[: sniffing.HEAD])


@examples(200)
@given(st.text("=+-@\t\r\n'a1|", max_size=5))
def test_a_guarded_cell_is_no_formula_and_reads_back_as_it_was(text: str) -> None:
    assert unguard(guard(text)) == text
    assert not guard(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
