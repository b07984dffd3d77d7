"""The copy for a person: everything about them, nothing about others, for machines and for people."""

import io
import json
import zipfile
from datetime import timedelta
from hashlib import sha256

import pytest

from contacts import merging_by_hand, unmerging
from contacts.models import Contact, Merge, PrivacyFile, PrivacyRequest
from contacts.privacy import copying, people, requests
from contacts.privacy.inventory import inventory
from contacts.privacy.inventory_kinds import Kind
from tests.contacts.privacy import cast
from tests.factories import NOON, log_event, make_contact

pytestmark = pytest.mark.django_db


def copy_for(contact: Contact, language: str = "en") -> zipfile.ZipFile:
    request = requests.ask(
        contact, PrivacyRequest.Kind.ACCESS, NOON, origin="staff", by="clerk", language=language
    )
    requests.approve(request, NOON, "officer")
    assert copying.pulse(NOON) == 1
    request.refresh_from_db()
    assert request.state == PrivacyRequest.State.DONE
    return zipfile.ZipFile(io.BytesIO(b"".join(copying.pieces(request))))


def test_every_table_that_knows_the_person_is_in_it_and_adds_up() -> None:
    contact = cast.make_somebody()
    archive = copy_for(contact)
    somebody = people.known([contact.pk])
    expected = {
        f"{table.name}.jsonl"
        for table in inventory().people
        if table.shown() and people.count(table, somebody, NOON)
    }
    manifest = json.loads(archive.read("manifest.json"))
    assert {one["file"] for one in manifest["files"]} == expected
    for one in manifest["files"]:
        text = archive.read(one["file"])
        assert len(text.splitlines()) == one["rows"]
        assert sha256(text).hexdigest() == one["sha256"]
        assert one["heading"]
        assert one["columns"]


def test_each_line_has_what_the_schema_says() -> None:
    archive = copy_for(cast.make_somebody())
    schema = json.loads(archive.read("schema.json"))["$defs"]
    line = json.loads(archive.read("contacts_contact.jsonl"))
    assert line.keys() == schema["contacts_contact.jsonl"]["properties"].keys()
    assert line["email"] == cast.EMAIL
    assert line["attributes"] == {"pet": "canary"}


def test_nothing_technical_and_nobody_else_is_in_it() -> None:
    other = make_contact(email="stranger@example.com")
    log_event(other, "Order Completed", NOON, note="stranger")
    archive = copy_for(cast.make_somebody())
    text = b"".join(archive.read(name) for name in archive.namelist())
    assert b"stranger" not in text
    assert b'"fence"' not in text
    assert all(
        table.classed()[column] is not Kind.TECHNICAL
        for table in inventory().people
        for column in table.shown()
        if column in table.classed()
    )


def test_who_was_parted_again_is_in_nobody_elses_copy() -> None:
    contact, other = make_contact(), make_contact(email="bob@example.com", first_name="Bobinette")
    merging_by_hand.merge_two(contact.pk, other.pk, NOON, by="pia")
    unmerging.undo(Merge.objects.get().pk, NOON)
    archive = copy_for(contact)
    assert not any(b"Bobinette" in archive.read(name) for name in archive.namelist())


def test_the_page_shows_the_same_in_the_persons_language_and_runs_nothing() -> None:
    contact = cast.make_somebody()
    log_event(contact, "<script>alert(1)</script>", NOON)
    page = copy_for(contact, "fr").read("index.html").decode()
    assert '<html lang="fr">' in page
    assert cast.EMAIL in page
    assert "<script" not in page


def test_a_long_history_is_whole_in_the_file_and_cut_on_the_page() -> None:
    contact = make_contact()
    for day in range(700):
        log_event(contact, "Page Viewed", NOON - timedelta(minutes=day), url="https://example.com/")
    archive = copy_for(contact)
    assert len(archive.read("contacts_event.jsonl").splitlines()) == 700
    assert "500" in archive.read("index.html").decode()


def test_a_copy_can_be_fetched_for_some_days_and_is_gone_then() -> None:
    copy_for(make_contact())
    request = PrivacyRequest.objects.get()
    assert request.until == NOON + timedelta(days=7)
    copying.pulse(NOON + timedelta(days=7) - timedelta(seconds=1))
    assert PrivacyFile.objects.exists()
    copying.pulse(NOON + timedelta(days=7))
    assert not PrivacyFile.objects.exists()
