"""A campaign in a real browser: written, looked at, sent, followed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from contacts import clock
from journeys.models import Campaign
from tests.browser.conftest import WIDE, Watched
from tests.browser.test_publishing import look
from tests.journeys.campaigns.stage import make_people, prepare, pulse

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]


@WIDE
def test_a_marketer_sends_a_first_campaign(signed_in: Watched) -> None:
    watched, page = signed_in, signed_in.page
    prepare()
    make_people(12, "buyers")
    make_people(1, "staff")
    page.goto("/admin/journeys/campaign/")
    expect(page.get_by_text("No campaign yet")).to_be_visible()
    look(watched, "campaigns-empty")
    page.get_by_role("link", name="Add campaign").last.click()
    page.get_by_label("Name", exact=True).fill("Spring greetings")
    page.get_by_role("group", name="In any of these segments and lists").get_by_label("Buyers").check()
    page.get_by_role("group", name="But nobody in these").get_by_label("Staff").check()
    page.get_by_label("Purpose").select_option("offers")
    page.get_by_label("First choice").select_option("email:spring")
    expect(page.get_by_label("Day", exact=True)).to_be_hidden()
    page.get_by_text("And only those for whom more holds").click()
    page.get_by_role("button", name="Add condition").last.click()
    page.get_by_role("combobox", name="What do you want to ask?").fill("email")
    page.get_by_role("option", name="Allowed Email for Offers").first.click()
    expect(page.locator(".sb-leaf")).to_have_count(1)
    look(watched, "campaign-rule")
    page.get_by_label("When", exact=True).select_option("week")
    expect(page.get_by_label("Monday")).to_be_visible()
    look(watched, "campaign-form")
    page.get_by_label("When", exact=True).select_option("now")
    page.get_by_role("button", name="Save and look before it is sent").click()
    expect(page.get_by_text("Would get it at once")).to_be_visible()
    look(watched, "campaign-review")
    page.get_by_role("button", name="Send to 12 people now").click()
    expect(page.get_by_text("It begins now.")).to_be_visible()
    campaign = Campaign.objects.get()
    assert "'consent': {'channel': 'email', 'purpose': 'offers'}" in str(campaign.rule)
    pulse(clock.now())
    campaign.refresh_from_db()
    # The page follows by itself; what stands in its heading changes only when it is loaded anew.
    expect(page.locator("h1 .segue-pill")).to_have_text(campaign.get_state_display())
    expect(page.get_by_text("12 of 12 people")).to_be_visible()
    look(watched, "campaign-progress")
    page.goto("/admin/journeys/campaign/")
    expect(page.get_by_role("link", name="Spring greetings")).to_be_visible()
    look(watched, "campaigns")
    assert watched.faults == []
    assert watched.foreign == []
