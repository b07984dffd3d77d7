"""Each promise of campaigns: a planted fault is found, and what is as promised is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from journeys.campaigns import acts, running
from journeys.models import CampaignRecipient
from tests.factories import NOON
from tests.journeys.campaigns.stage import make_campaign, make_people, prepare, pulse, refreshed, start
from tests.promises import assert_promises_hold, broken

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _prepared() -> None:
    prepare()


def test_a_campaign_from_its_begin_to_its_end_keeps_every_promise() -> None:
    make_people(5)
    campaign = start(make_campaign(throttle=60))
    for second in range(10):
        pulse(NOON + timedelta(seconds=second))
    assert refreshed(campaign).state == "done"
    assert_promises_hold(NOON + timedelta(seconds=11))


def test_a_campaign_that_nobody_looks_after_is_named_and_a_paused_one_is_not() -> None:
    make_people(3)
    campaign = start(make_campaign(throttle=1))
    assert list(broken(NOON + 10 * MINUTE)) == ["campaigns_followed"]
    for _step in range(70):
        running.tick(NOON)
    assert "campaigns_followed" in broken(NOON + 10 * MINUTE)
    acts.pause(refreshed(campaign), NOON)
    assert "campaigns_followed" not in broken(NOON + 10 * MINUTE)


def test_somebody_who_still_waits_when_it_is_done_is_missed() -> None:
    make_people(3)
    start(make_campaign())
    pulse(NOON)
    one = CampaignRecipient.objects.order_by("pk")[0]
    CampaignRecipient.objects.filter(pk=one.pk).update(state=CampaignRecipient.State.WAITING)
    assert list(broken(NOON + MINUTE / 10)) == ["audience_accounted"]
