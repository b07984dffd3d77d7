"""The pages for the people we write to, in a real browser."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from channels import delivery
from contacts import clock, consent, permission, preferences
from contacts.consent import NewConsent
from contacts.models import Contact, Purpose
from scripts.browser import too_wide
from tests.browser.conftest import Watched
from tests.factories import make_contact, make_provider, make_queued

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def alice(transactional_db: None) -> Contact:
    Purpose.objects.update_or_create(slug="offers", defaults={"name": "Offers", "name_fr": "Bons plans"})
    contact = make_contact(email="alice@example.com", phone="+33612345678", now=clock.now())
    consent.record([NewConsent(contact.id, "email", "*", True, "test")], clock.now())
    return contact


def paths(contact: Contact) -> tuple[str, str]:
    links = preferences.links(contact.public_id, "email", "offers", clock.now())
    return urlsplit(links.unsubscribe_url).path, urlsplit(links.preferences_url).path


def may(contact: Contact, channel: str = "email") -> bool | None:
    return permission.of(consent.states([contact.id])[contact.id], channel, "offers")


def test_a_person_unsubscribes_by_keyboard(watched: Watched, alice: Contact) -> None:
    page = watched.page
    page.goto(paths(alice)[0])
    expect(page.get_by_role("heading", name="Unsubscribe?")).to_be_visible()
    assert may(alice) is True
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    assert may(alice) is False
    assert page.context.cookies() == []
    assert (watched.faults, watched.foreign) == ([], [])


def test_a_person_chooses_and_reads_french(watched: Watched, alice: Contact) -> None:
    page = watched.page
    page.goto(paths(alice)[1])
    page.get_by_label("Text message").check()
    page.get_by_label("Email").uncheck()
    page.get_by_label("Write to me in").select_option("fr")
    page.get_by_role("button", name="Save my choices").click()
    expect(page.get_by_role("status")).to_have_text(re.compile("Vos choix sont enregistrés"))
    assert (may(alice), may(alice, "sms")) == (False, True)
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", name="What you hear from us")).to_be_visible()
    assert (watched.faults, watched.foreign) == ([], [])


def test_a_withdrawal_in_the_preference_centre_stops_the_waiting_send(
    signed_in: Watched, alice: Contact
) -> None:
    make_provider("email")
    message = make_queued(alice, now=clock.now())
    page = signed_in.page
    page.goto(paths(alice)[1])
    page.get_by_role("button", name="Unsubscribe from everything").click()
    expect(page.get_by_role("status")).to_contain_text("unsubscribed from everything")
    delivery.deliver_batch(clock.now)
    message.refresh_from_db()
    assert (message.state, message.reason) == (message.State.DROPPED, "no_consent")
    page.goto("/admin/channels/decision/")
    expect(page.get_by_text("“offers” by Email was refused")).to_be_visible()
    page.goto(f"/admin/contacts/consententry/person/{alice.pk}/")
    expect(page.get_by_text("preference page").first).to_be_visible()
    assert (signed_in.faults, signed_in.foreign) == ([], [])


def test_own_limits_are_chosen_on_a_phone_without_scripts(watched: Watched, alice: Contact) -> None:
    page = watched.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(paths(alice)[1])
    page.get_by_label("At most").select_option("2")
    page.get_by_label("from", exact=True).fill("21:30")
    page.get_by_label("to", exact=True).fill("08:00")
    page.get_by_label("You may measure").check()
    page.get_by_role("button", name="Save my choices").click()
    expect(page.get_by_role("status")).to_contain_text("saved")
    expect(page.get_by_label("At most")).to_have_value("2")
    alice.refresh_from_db()
    assert alice.attributes == {"own_weekly_maximum": 2, "own_quiet_hours": "21:30-08:00"}
    assert too_wide(page) <= 0
    assert (watched.faults, watched.foreign) == ([], [])


def test_the_public_pages_fit_any_screen(watched: Watched, alice: Contact) -> None:
    for path in (*paths(alice), "/u/nonsense"):
        watched.page.goto(path)
        assert too_wide(watched.page) <= 0
