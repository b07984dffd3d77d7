"""How a campaign is told: in reports, on a contact's page, in the drawing of its life."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from analytics import reports, rollup
from analytics.reports import Period
from channels.models import Message
from config import timeline_names, timeline_words
from journeys.campaigns import acts
from tests.factories import NOON, log_event
from tests.journeys.campaigns.stage import make_campaign, make_people, prepare, pulse, start


@pytest.mark.django_db(transaction=True)
def test_the_engagement_report_lists_campaigns_beside_journeys_with_what_they_brought() -> None:
    prepare()
    people = make_people(3)
    campaign = start(make_campaign(goal={"event": "Order Completed", "value": "total"}))
    pulse(NOON)
    soon = NOON + timedelta(hours=1)
    log_event(people[0], "Journey Converted", soon, journey=campaign.journey.slug, value=30)
    while rollup.follow(soon):
        pass
    report = reports.engagement(Period(NOON.date(), NOON.date()))
    figures = report.by_journey[campaign.pk]
    assert report.journey_names[campaign.pk] == "Spring"
    assert figures.counts["sent"] == 3
    assert figures.amounts["converted"] == 30
    assert report.by_channel["email"].counts["converted"] == 1


@pytest.mark.django_db
def test_a_contacts_page_says_which_campaign_and_which_time() -> None:
    prepare()
    make_people(1)
    start(make_campaign())
    pulse(NOON)
    message = Message.objects.get()
    names = timeline_names.Names(journeys={message.origin_id: "Spring"})
    assert timeline_words.origin_words(message, names) == "Campaign “Spring”, 2026-03-10 13:00"


def test_the_life_of_a_campaign_is_drawn_as_it_is() -> None:
    document = Path(__file__).resolve().parents[3] / "docs" / "lifecycles.md"
    assert f"```mermaid\n{acts.drawing()}```\n" in document.read_text(encoding="utf-8")
