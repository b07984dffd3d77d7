"""A new installation, walked from nothing in a real browser until every step is green."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from channels import deciding, delivery, outbox
from contacts import clock, consent, ingest, starter_purposes
from contacts.consent import NewConsent
from contacts.models import Source
from journeys.models import Journey
from tests.browser.conftest import WIDE, Watched
from tests.contracts.smtp_sink import smtp_sink
from tests.factories import make_contact, make_intent, put_in_inbox

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]


def state(watched: Watched, name: str, wanted: str) -> None:
    watched.page.goto("/admin/setup/")
    expect(watched.page.locator(f"[data-step={name}]")).to_have_attribute("data-state", wanted)


@WIDE
def test_every_step_turns_green(signed_in: Watched) -> None:
    starter_purposes.load()
    page = signed_in.page
    state(signed_in, "organisation", "open")
    page.get_by_label("Name of the organisation").fill("Corner Shop")
    page.get_by_label("Postal address").fill("1 Market Street, Springfield")
    page.get_by_label("Address that emails come from").fill("hello@corner.example")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Kept. It stands at the foot of each email.")).to_be_visible()
    state(signed_in, "sender", "trial")
    with smtp_sink() as sink:
        page.get_by_role("link", name="Choose the provider").click()
        page.locator("select[name=kind]").select_option("smtp")
        page.locator("button[name=_continue], input[name=_continue]").first.click()
        expect(page.locator("input[name=value_host]")).to_be_visible()
        page.locator("input[name=value_host]").fill("127.0.0.1")
        page.locator("input[name=value_port]").fill(str(sink.port))
        page.locator("input[name=value_security]").fill("none")
        page.locator("button[name=_continue], input[name=_continue]").first.click()
        expect(page.locator("input[name=value_host]")).to_have_value("127.0.0.1")
        state(signed_in, "sender", "done")
        page.get_by_role("link", name="Check and test…").click()
        page.locator("button[name=check]").click()
        expect(page.locator("main, #main, body").first).to_contain_text("127.0.0.1")
        page.goto("/admin/setup/")
        page.get_by_role("link", name="Add a source").click()
        page.locator("input[name=name]").fill("Shop")
        page.locator("input[name=slug]").fill("shop")
        page.locator("button[name=_save], input[name=_save]").first.click()
        state(signed_in, "source", "trial")
        put_in_inbox(
            Source.objects.get(),
            {"type": "track", "name": "Signed Up", "anonymous_id": "a" * 20},
            now=clock.now(),
        )
        ingest.take_in(clock.now(), limit=10)
        state(signed_in, "source", "done")
        page.get_by_role("button", name="Add the starter templates").click()
        expect(page.get_by_text("templates were added")).to_be_visible()
        page.get_by_role("button", name="Add the ready-made journeys").click()
        expect(page.get_by_text("journeys are there as drafts")).to_be_visible()
        Journey.objects.filter(slug="welcome").update(status=Journey.Status.LIVE)
        state(signed_in, "journey", "done")
        person = make_contact(email="ada@corner.example")
        consent.record([NewConsent(person.pk, "email", "offers", True, "test")], clock.now())
        outbox.intend([make_intent(person, content={"email": "welcome-email"})], clock.now())
        deciding.decide_batch(clock.now())
        delivery.deliver_batch(clock.now)
        assert len(sink.to("ada@corner.example")) == 1
        state(signed_in, "message", "done")
    assert signed_in.faults == []
