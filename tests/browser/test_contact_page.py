from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from contacts import clock, event_log
from contacts.event_log import TRACK, NewEvent
from contacts.models import Contact
from tests.browser.conftest import WIDE, Watched, fits
from tests.factories import make_contact

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ada() -> Contact:
    contact = make_contact(first_name="Ada", last_name="Lovelace")
    now = clock.now()
    event_log.append(
        NewEvent(
            contact.pk,
            "Order Completed" if number % 20 == 0 else "Product Viewed",
            now - timedelta(hours=number),
            now,
            kind=TRACK,
            properties={"title": f"Thing {number}"},
        )
        for number in range(70)
    )
    return contact


def test_a_timeline_is_filtered_and_paged_there_and_back(signed_in: Watched, ada: Contact) -> None:
    page = signed_in.page
    page.goto(f"/admin/contacts/contact/{ada.pk}/change/")
    timeline = page.locator(".segue-timeline")
    expect(timeline).to_contain_text("Thing 1")
    page.get_by_role("link", name="Older").click()
    expect(timeline).to_contain_text("Thing 31")
    page.get_by_role("link", name="Newer").first.click()
    expect(timeline).to_contain_text("Thing 1")

    page.locator(".contact-filters > summary").click()
    page.get_by_label("Event", exact=True).select_option("Order Completed")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".segue-timeline-body")).to_have_count(4)
    page.get_by_role("link", name="Clear").click()
    expect(page.get_by_role("link", name="Older")).to_be_visible()
    assert signed_in.faults == []


@WIDE
def test_two_contacts_are_merged_and_parted_by_clicking(signed_in: Watched, ada: Contact) -> None:
    other = make_contact(first_name="Adele", last_name="King", email="")
    page = signed_in.page
    page.goto(f"/admin/contacts/contact/{ada.pk}/change/")
    page.locator(".contact-more summary").click()
    page.get_by_role("link", name="Merge with another contact").click()
    page.get_by_label("Find the other contact").fill("adel")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Compare Adele King").click()
    expect(page.get_by_role("button", name="Merge them")).to_be_visible()
    fits(page)
    page.get_by_role("button", name="Merge them").click()

    expect(page.get_by_text("Adele King became part of this contact")).to_be_visible()
    assert not Contact.objects.filter(pk=other.pk).exists()
    page.get_by_role("link", name="Undo", exact=True).click()
    page.get_by_role("button", name="Undo the merge").click()
    expect(page.get_by_text("The merge with Adele King was undone")).to_be_visible()
    assert Contact.objects.filter(pk=other.pk).exists()
    assert signed_in.faults == []


def test_contacts_are_found_and_put_on_a_list_by_clicking(signed_in: Watched, ada: Contact) -> None:
    page = signed_in.page
    make_contact(first_name="Bob")
    page.goto("/admin/contacts/contact/")
    page.get_by_label("Search", exact=True).fill("velac")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="1 contact")).to_be_visible()
    page.get_by_label("Choose Ada Lovelace").check()
    page.locator("#bulk-act").select_option("suppress")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Suppress")).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()
    expect(page.get_by_role("heading", name="1 contact")).to_be_visible()
    assert signed_in.faults == []
