"""The reason of a held message is found in three clicks, from home, a contact and a journey."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from channels import charter, deciding, outbox
from channels.models import Message
from contacts import clock, consent, preferences
from contacts.consent import NewConsent
from contacts.models import Contact, Purpose
from scripts.browser import too_wide
from tests.browser.conftest import WIDE, Watched
from tests.browser.test_journeys import violations
from tests.factories import make_contact, make_intent, make_provider, make_version

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]
DAY = timedelta(days=1)
WELCOME = {
    "trigger": {"event": "Signed Up"},
    "start": "mail",
    "steps": {
        "mail": {"type": "send", "channels": ["email"], "content": {"email": "x"}, "purpose": "offers"}
    },
}


@pytest.fixture
def ann(transactional_db: None) -> Contact:
    """Somebody with one message let out and one held by a cap of one in seven days."""
    now = clock.now()
    make_provider("email")
    Purpose.objects.update_or_create(slug="offers", defaults={"name": "Offers", "name_fr": "Bons plans"})
    charter.publish(charter.draft({"caps": [{"limit": 1, "rolling": "7 days"}]}), now)
    ann = make_contact(email="ann@example.com", timezone="Europe/Paris", now=now)
    consent.record([NewConsent(ann.id, "email", "*", True, "test")], now)
    journey = make_version(WELCOME, slug="welcome", now=now).journey_id
    wish = {"origin_id": journey, "origin_slug": "welcome", "origin_step": "mail"}
    outbox.intend([make_intent(ann, **wish), make_intent(ann, **wish)], now)
    deciding.decide_batch(clock.now())
    return ann


def test_a_held_message_is_explained_in_three_clicks(signed_in: Watched, ann: Contact) -> None:
    page = signed_in.page
    page.goto("/admin/")
    page.get_by_role("link", name="Held 1").click()
    expect(page.get_by_role("heading", name="Reason")).to_be_visible()
    assert violations(signed_in) == []
    assert too_wide(signed_in.page) == 0
    page.get_by_role("link", name="A cap was reached").click()
    expect(page.get_by_role("heading", name="The latest: A cap was reached")).to_be_visible()
    page.get_by_role("link", name="Second message in 7 days, limit 1").click()
    expect(page.get_by_text("Held: second message in 7 days, limit 1").first).to_be_visible()
    page.get_by_role("link", name="Check again").click()
    expect(page.get_by_text("the same answer")).to_be_visible()


@WIDE
def test_contact_and_journey_lead_there_too(signed_in: Watched, ann: Contact) -> None:
    page = signed_in.page
    page.goto(f"/admin/contacts/contact/{ann.pk}/change/")
    page.get_by_role("link", name="Decisions", exact=True).click()
    expect(page.get_by_text("Second message in 7 days, limit 1; will try").first).to_be_visible()
    message = Message.objects.filter(origin_slug="welcome").latest("id")
    page.goto(f"/admin/journeys/journey/{message.origin_id}/change/")
    page.get_by_role("link", name="Held and not sent").last.click()
    expect(page.get_by_role("link", name="A cap was reached")).to_be_visible()


def test_the_recipient_reads_why_in_both_languages(watched: Watched, ann: Contact) -> None:
    message = Message.objects.filter(reason="allowed").get()
    links = preferences.links(ann.public_id, "email", "offers", clock.now(), message=message.key)
    page = watched.page
    page.goto(urlsplit(links.why_url).path)
    expect(page.get_by_role("heading", name="Why did I get this message?")).to_be_visible()
    assert violations(watched) == []
    assert too_wide(watched.page) == 0
    page.get_by_role("link", name="Français").click()
    expect(page.get_by_role("heading", name="Pourquoi ai-je reçu ce message")).to_be_visible()
