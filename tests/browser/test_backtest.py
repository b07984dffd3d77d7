"""A draft is played against the past in a real browser: asked, followed, read, one person looked at."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from contacts import consent
from contacts.consent import NewConsent
from journeys.backtest import playing
from tests.browser.conftest import WIDE, Watched, fits
from tests.browser.test_journeys import violations
from tests.factories import log_event, make_contact
from tests.journeys.backtest.test_running import accepted, drafted

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]

DAY = timedelta(days=1)


def look(watched: Watched, name: str) -> None:
    """Keep a picture where somebody wants to look at it."""
    if folder := os.environ.get("SEGUE_PICTURES"):
        width = (watched.page.viewport_size or {"width": 0})["width"]
        for theme in ("light", "dark"):
            watched.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            watched.page.wait_for_timeout(300)
            watched.page.screenshot(path=f"{folder}/{name}-{width}-{theme}.png", full_page=True)
        watched.page.emulate_media(color_scheme="light")


@WIDE
def test_a_draft_is_played_and_its_pressure_is_seen(signed_in: Watched) -> None:
    now = datetime.now(UTC)
    for number in range(12):
        contact = make_contact(now=now - 40 * DAY, first_name=f"Ada {number}", last_name="Lovelace")
        if number % 4:
            consent.record([NewConsent(contact.id, "email", "offers", True, "test")], now - 30 * DAY)
        log_event(contact, "Cart", now - (number % 6 + 3) * DAY)
        if number % 3 == 0:
            log_event(contact, "Order Completed", now - 2 * DAY - timedelta(hours=number), total=30 + number)
        if number % 5 == 1:
            for days in (3, 4, 5):
                accepted(contact, now - days * DAY)
    journey = drafted()
    page = signed_in.page
    page.goto(f"/admin/journeys/journey/{journey.pk}/change/")
    page.get_by_role("link", name="Play against the past").click()
    look(signed_in, "ask")
    page.get_by_role("button", name="Play").click()
    page.get_by_text("0 of 64 parts are played.").wait_for()
    look(signed_in, "playing")
    while playing.work(lambda: datetime.now(UTC), seconds=20):
        pass
    # The page looks by itself and shows the answer.
    page.get_by_text("Pressure:").wait_for()
    assert page.get_by_role("heading", name="The way, step by step").is_visible()
    look(signed_in, "answer")
    fits(signed_in.page)
    page.get_by_role("link", name="Ada").first.click()
    page.get_by_text("Comes into the journey").wait_for()
    look(signed_in, "person")
    fits(signed_in.page)
    assert signed_in.faults == []


@WIDE
def test_its_pages_can_be_used_by_everyone(signed_in: Watched) -> None:
    contact = make_contact(first_name="Ada")
    log_event(contact, "Cart", datetime.now(UTC) - 3 * DAY)
    journey = drafted()
    page = signed_in.page
    page.goto(f"/admin/journeys/backtestrun/ask/{journey.pk}/")
    page.get_by_role("button", name="Play").click()
    page.get_by_text("parts are played").wait_for()
    while playing.work(lambda: datetime.now(UTC), seconds=20):
        pass
    page.get_by_role("heading", name="The way, step by step").wait_for()
    address = page.url
    signed_in.faults.clear()
    context = page.context.browser.new_context(bypass_csp=True) if page.context.browser else None
    assert context
    context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    for theme in ("light", "dark"):
        free = context.new_page()
        free.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        free.goto(address)
        assert violations(Watched(free)) == []
    context.close()
