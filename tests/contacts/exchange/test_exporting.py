"""What is taken out: safe in a spreadsheet, the same when it comes in again, and only for who asked."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest

from contacts.exchange import exporting, files, workbooks
from contacts.exchange.export_tables import tables
from contacts.models import Contact, Export, ExportDownload, Segment
from tests.config.backoffice import make_person
from tests.contacts.exchange.makers import make_import, run
from tests.factories import NOON, log_event, make_contact

pytestmark = pytest.mark.django_db(transaction=True)

FORMULAE = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "'=1", "'quoted", "plain", '=HYPERLINK("http://x")']


def make(what: str = "contacts", form: str = "csv", columns: Any = (), **filters: Any) -> Export:
    export = exporting.ask(what, columns, form, filters, None, NOON)
    exporting.work(lambda: NOON, seconds=30)
    export.refresh_from_db()
    assert export.state == Export.State.READY, export.fault
    return export


def read(export: Export) -> list[list[str]]:
    text = files.path_of(export.key, "csv").read_text(encoding="utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_no_cell_is_a_live_formula_and_all_read_back_as_they_were() -> None:
    for number, text in enumerate(FORMULAE):
        make_contact(email=f"p{number}@example.com", first_name=text.strip(), attributes={"plan": text})
    export = make(columns=["email", "first_name", "attribute:plan"])
    rows = read(export)
    assert export.rows == len(FORMULAE)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
    wanted = {one.email: (one.first_name, one.attributes["plan"]) for one in Contact.objects.all()}
    data = files.path_of(export.key, "csv").read_bytes()
    Contact.objects.all().delete()
    text_columns = [{"to": "email"}, {"to": "first_name"}, {"to": "attribute:plan"}]
    run(make_import(data, columns=text_columns))
    found = {one.email: (one.first_name, one.attributes["plan"]) for one in Contact.objects.all()}
    assert found == wanted


def test_a_workbook_holds_texts_only_and_comes_in_again() -> None:
    make_contact(email="a@example.com", first_name="=1+1", phone="+33612345678")
    export = make(form="xlsx", columns=["email", "phone", "first_name"])
    path = files.path_of(export.key, "xlsx")
    with zipfile.ZipFile(path) as book, path.open("rb") as file:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
        assert list(workbooks.rows(file)) == [
            ["email", "phone", "first_name"],
            ["a@example.com", "+33612345678", "=1+1"],
        ]
    job = run(make_import(path.read_bytes()))
    assert (job.lines, job.rejected) == (1, 0)


def test_segments_events_and_days_cut_out_what_was_asked_for() -> None:
    inside, outside = make_contact(email="in@example.com"), make_contact(email="out@example.com")
    segment = Segment.objects.create(name="S", slug="s", kind=Segment.Kind.STATIC)
    segment.memberships.create(contact=inside, slot=inside.slot, entered_at=NOON)
    assert [row[0] for row in read(make(columns=["email"], segment=segment.pk))] == [
        "email",
        "in@example.com",
    ]
    for contact in (inside, outside):
        log_event(contact, "Order Completed", NOON - timedelta(days=3), total=5)
        log_event(contact, "Page Viewed", NOON)
    export = make("events", columns=["email", "event", "attribute:total"], event="Order Completed")
    assert read(export)[1:] == [
        ["in@example.com", "Order Completed", "5"],
        ["out@example.com", "Order Completed", "5"],
    ]
    assert make("events", since=(NOON - timedelta(days=1)).isoformat()).rows == 2


@pytest.mark.parametrize("name", sorted(tables()))
def test_every_table_can_be_taken_out_whole(name: str) -> None:
    make(name, columns=list(tables()[name].columns))


def test_what_is_not_on_offer_is_refused() -> None:
    for what, column in (("users", ""), ("contacts", "c.id; DROP TABLE x"), ("suppressions", "attribute:x")):
        with pytest.raises(exporting.UnknownColumnError):
            exporting.ask(what, [column], "csv", {}, None, NOON)


def test_a_link_works_for_its_person_and_for_some_days_and_each_use_is_written_down() -> None:
    ada, bob = make_person("ada"), make_person("bob")
    export = make()
    ticket = exporting.ticket(export, ada.pk)
    assert exporting.redeem(ticket, ada.pk, NOON) == export
    assert exporting.redeem(ticket, bob.pk, NOON) is None
    assert exporting.redeem(ticket[:-1] + "x", ada.pk, NOON) is None
    assert exporting.redeem(ticket, ada.pk, NOON + timedelta(days=8)) is None
    assert list(ExportDownload.objects.values_list("by__username", flat=True)) == ["ada"]


def test_files_go_when_their_time_has_come() -> None:
    export = make()
    exporting.clear_away(NOON + timedelta(days=8))
    export.refresh_from_db()
    assert export.state == Export.State.EXPIRED
    assert not files.path_of(export.key, "csv").exists()
