"""A marketer brings a messy file in, sees what is wrong, mends it and brings it in again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from contacts import clock
from contacts.exchange import exporting, importing
from contacts.models import Contact
from tests.browser.conftest import WIDE, Watched, fits

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]

MESSY = (
    "E-mail;Prénom;Téléphone;Points\n"
    "ada@example.com;Ada;06 12 34 56 78;1 234,5\n"
    "ADA@example.com;Ada;0612345678;7,5\n"
    "bob@example.com;=1+1;12;3\n"
    "not-an-address;Zoé;;3\n"
)


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.SEGUE_EXCHANGE = tmp_path


def work() -> None:
    importing.work(clock.now, seconds=30)
    exporting.work(clock.now, seconds=30)


def upload(page: Page, name: str, data: bytes) -> None:
    page.goto("/admin/contacts/import/add/")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": data}
    )
    page.get_by_role("button", name="Upload").click()
    page.get_by_label("Country of phone numbers").fill("FR")
    page.get_by_role("button", name="Try it out").click()
    page.wait_for_url("**/change/")
    work()
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible()


@WIDE
def test_a_messy_file_is_tried_imported_mended_and_imported_again(signed_in: Watched, tmp_path: Path) -> None:
    page = signed_in.page
    upload(page, "fair.csv", MESSY.encode("cp1252"))
    assert not Contact.objects.exists()
    expect(page.get_by_text("This is no phone number").first).to_be_visible()
    fits(page)
    page.get_by_role("button", name="Import now").click()
    work()
    expect(page.get_by_text("4 lines = 1 created + 1 updated + 0 unchanged + 2 rejected")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all with their reasons").click()
    kept = Path(tmp_path / "rejected.csv")
    download.value.save_as(kept)
    text = kept.read_text(encoding="utf-8-sig")
    assert "'=1+1" in text
    mended = text.replace(";12;", ";06 98 76 54 32;").replace("not-an-address", "zoe@example.com")
    upload(page, "mended.csv", mended.encode())
    page.get_by_role("button", name="Import now").click()
    work()
    expect(page.get_by_text("2 lines = 2 created + 0 updated + 0 unchanged + 0 rejected")).to_be_visible()
    bob = Contact.objects.get(email="bob@example.com")
    assert (bob.first_name, bob.phone) == ("=1+1", "+33698765432")
    assert signed_in.faults == []


@WIDE
def test_contacts_are_taken_along_by_a_link(signed_in: Watched) -> None:
    page = signed_in.page
    page.goto("/admin/contacts/export/add/")
    page.get_by_role("button", name="Make the file").click()
    page.wait_for_url("**/change/")
    work()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download", exact=True).click()
    assert download.value.suggested_filename.startswith("contacts-")
    page.reload()
    expect(page.get_by_text("root ·").first).to_be_visible()
    assert signed_in.faults == []
