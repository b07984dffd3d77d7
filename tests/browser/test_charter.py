"""A marketer changes a rule in a form, somebody else approves it, and the next message is held."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from channels import charter, deciding, outbox
from channels.lifecycle import State
from channels.models import Message
from channels.smart import Smart
from contacts import clock, consent
from contacts.consent import NewConsent
from tests.config.backoffice import make_person, signed_in
from tests.factories import make_contact, make_intent, make_provider

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]


def page_of(browser: Browser, live_server: LiveServer, name: str, role: str, width: int, dark: bool) -> Page:
    context = browser.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
    )
    session = signed_in(make_person(name, role=role)).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    return context.new_page()


def look(page: Page, name: str) -> None:
    """Nothing is wider than the window; a picture is kept where somebody asks for it."""
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert over <= 0, name
    if folder := os.environ.get("SEGUE_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def choose_for_every_message(page: Page, width: int) -> None:
    """The form of smart choice: it shows what is usual, keeps a share of nothing, and is told in words."""
    page.get_by_role("link", name="Edit: Smart channel and hour").click()
    expect(page.get_by_label("Left as they are, in percent of people")).to_have_value("10")
    look(page, f"smart-{width}")
    page.get_by_label("Try first the channel that the person answers on").select_option("always")
    page.get_by_label("Left to chance, in percent of such messages").fill("0")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("For every message the channel that the person answers on")).to_be_visible()
    expect(page.get_by_text("Of such messages 0 % are left to chance")).to_be_visible()


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)], ids=["wide", "phone"])
def test_a_rule_is_changed_approved_and_obeyed(
    browser: Browser, live_server: LiveServer, settings: object, width: int, dark: bool
) -> None:
    settings.SEGUE_TWO_TO_PUBLISH = True  # type: ignore[attr-defined]
    now = clock.now()
    make_provider("email")
    person = make_contact(timezone="UTC")
    consent.record([NewConsent(person.id, "email", "*", True, "test")], now - timedelta(days=9))
    outbox.intend([make_intent(person)], now - timedelta(days=2))
    outbox.intend([make_intent(person)], now - timedelta(days=1))
    Message.objects.update(
        state=State.ACCEPTED, channel="email", due_at=None, accepted_at=now - timedelta(days=1)
    )
    version = charter.draft({"caps": [{"limit": 9, "rolling": "7 days"}]})

    mona = page_of(browser, live_server, "mona", "Marketer", width, dark)
    mona.goto(f"/admin/channels/charterversion/{version.pk}/change/")
    look(mona, f"draft-{width}")
    mona.get_by_role("link", name="Edit: At most 9 messages in 7 days.").click()
    expect(mona.get_by_label("At most so many messages")).to_have_value("9")
    look(mona, f"rule-{width}")
    mona.get_by_label("At most so many messages").fill("1")
    mona.get_by_role("button", name="Save", exact=True).click()
    expect(mona.get_by_text("At most 1 message in 7 days.")).to_be_visible()
    choose_for_every_message(mona, width)
    mona.goto(f"/admin/channels/charterversion/{version.pk}/publish/")
    expect(mona.get_by_text("1 that left would not have left.")).to_be_visible()
    look(mona, f"question-{width}")
    mona.get_by_label("Note to whoever approves").fill("fewer")
    mona.get_by_role("button", name="Ask somebody else to approve").click()
    expect(mona.get_by_text("Asked. Somebody else can approve it now.")).to_be_visible()
    mona.context.close()

    ada = page_of(browser, live_server, "ada", "Approver", width, dark)
    ada.goto(f"/admin/channels/charterversion/{version.pk}/publish/")
    expect(ada.get_by_text("“fewer”")).to_be_visible()
    ada.get_by_role("button", name="Approve and publish").click()
    expect(ada.get_by_text(f"Charter v{version.number} is published.")).to_be_visible()
    look(ada, f"published-{width}")
    ada.context.close()

    assert charter.current(clock.now()).smart == Smart(channel="always", explore=0)
    later = clock.now()
    outbox.intend([make_intent(person)], later)
    deciding.decide_batch(later, most_slots=64)
    assert Message.objects.latest("id").state == State.HELD
