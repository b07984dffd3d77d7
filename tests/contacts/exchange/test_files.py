"""Files of any encoding and shape are settled; what is dangerous or no table is refused."""

from __future__ import annotations

import io
import zipfile

import pytest
import xlsxwriter

from contacts.exchange import files, workbooks
from contacts.models import Contact, Import
from tests.contacts.exchange.makers import make_import, run

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "email;prénom\na@example.com;Zoé\nb@example.com;Léa\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("cp1252"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace("\n", "\r").encode("utf-16"),
        TEXT.replace(";", "\t").encode(),
        TEXT.replace(";", "|").encode(),
    ],
    ids=["utf8", "bom", "utf16", "le", "be", "cp1252", "crlf", "cr", "cr in utf16", "tabs", "bars"],
)
def test_the_same_people_come_in_whatever_the_bytes(data: bytes) -> None:
    job = run(make_import(data))
    assert (job.lines, job.created, job.rejected) == (2, 2, 0)
    assert set(Contact.objects.values_list("first_name", flat=True)) == {"Zoé", "Léa"}
    assert not files.path_of(job.key, "csv").exists()


def test_repeated_headers_ragged_rows_and_nul_are_accounted_for() -> None:
    text = "email,plan,plan\na@example.com,x,y\nb@example.com\nc@example.com,1,2,3\nd@example.com,\0,z\n"
    job = run(make_import(text, columns=[{"to": "email"}, {"to": "attribute:a"}, {"to": "attribute:b"}]))
    assert (job.lines, job.created, job.rejected) == (4, 2, 2)
    assert sorted(job.rejects.values_list("code", flat=True)) == ["columns", "nul"]


def workbook(**options: object) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["email", "points", "since", "sum"])
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.write(1, 0, "a@example.com")
    sheet.write_number(1, 1, 12)
    sheet.write_number(1, 2, 46054, day)
    sheet.write_formula(1, 3, "=1+1", None, 2)
    book.close()
    return out.getvalue()


def test_a_workbook_gives_values_dates_and_no_formula() -> None:
    run(make_import(workbook()))
    assert Contact.objects.get().attributes == {"points": 12, "since": "2026-02-01", "sum": 2}


def rewritten(**parts: bytes) -> bytes:
    """The workbook with some of its parts replaced."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook())) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            new.writestr(
                entry.filename,
                parts.get(entry.filename.rpartition("/")[2].partition(".")[0], old.read(entry)),
            )
    return out.getvalue()


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (rewritten(sheet1=b"<a>" + b" " * (40 << 20) + b"</a>"), "bomb"),
        (rewritten(sheet1=ENTITIES), "entities"),
        (rewritten(sheet1=b"<worksheet><row>"), "damaged"),
        (rewritten()[:500], "damaged"),
        (b"PK\x03\x04" + b"x" * 100, "damaged"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "markup"),
        (b"\x89PNG\r\n\x1a\n", "binary"),
        (b"  \n", "empty"),
    ],
    ids=["bomb", "entities", "cut xml", "cut zip", "no zip", "html", "image", "blank"],
)
def test_what_is_dangerous_or_no_table_fails_with_a_reason(data: bytes, fault: str) -> None:
    job = make_import(data)
    assert (job.state, job.fault) == (Import.State.FAILED, fault)


def test_names_inside_an_archive_never_become_paths() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../../evil.txt", "x")
    with pytest.raises(workbooks.BadWorkbookError, match="not_a_workbook"):
        list(workbooks.rows(out))


def test_more_than_the_installation_takes_leaves_nothing(settings: object) -> None:
    settings.SEGUE_IMPORT_MEGABYTES = 1  # type: ignore[attr-defined]
    with pytest.raises(files.TooLargeError):
        make_import(b"email\n" + b"x" * (2 << 20))
    assert not list(files.folder().iterdir())
