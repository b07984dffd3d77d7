"""The calendar in a real browser: a month on a desk, day after day on a phone, and a draft's load."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from contacts.models import Purpose
from journeys.outlook import keeping
from scripts.browser import too_wide
from tests.browser.conftest import WIDE, Watched
from tests.browser.test_journeys import violations
from tests.factories import make_template
from tests.journeys.outlook.test_pages import lived

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]


def test_a_month_on_a_desk_and_days_on_a_phone_lead_to_the_load_of_a_draft(signed_in: Watched) -> None:
    journey, now = lived(), datetime.now(UTC)
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    make_template("hello")
    keeping.work(now)
    page = signed_in.page
    day = (now + timedelta(days=3)).date()
    page.goto(f"/admin/journeys/outlook/?view=month&at={day}")
    phone = (page.viewport_size or {"width": 0})["width"] < 900
    expect(page.locator(".calendar-month")).to_be_visible(visible=not phone)
    expect(page.locator(".calendar-agenda")).to_be_visible(visible=phone)
    shown = page.locator(".calendar-agenda" if phone else ".calendar-month")
    expect(shown.get_by_role("link", name="Carts").first).to_be_visible()
    assert too_wide(page) == 0
    page.get_by_role("link", name="Agenda").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Agenda")).to_have_attribute("aria-current", "true")
    page.goto(f"/admin/journeys/journey/{journey.pk}/act/publish/")
    expect(page.get_by_text("about 2 in all")).to_be_visible()
    assert too_wide(page) == 0
    assert signed_in.faults == []


@WIDE
def test_the_calendar_and_a_drafts_load_can_be_used_by_everyone(signed_in: Watched) -> None:
    journey, now = lived(), datetime.now(UTC)
    keeping.work(now)
    page = signed_in.page
    page.goto("/admin/")
    context = page.context.browser.new_context(bypass_csp=True) if page.context.browser else None
    assert context
    context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    addresses = ("outlook/?view=agenda", f"outlook/before/{journey.pk}/")
    for theme in ("light", "dark"):
        for address in addresses:
            free = context.new_page()
            free.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            free.goto(page.url + f"journeys/{address}")
            assert violations(Watched(free)) == []
    context.close()
