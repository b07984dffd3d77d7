"""Workers die while a campaign is sent, it is paused and resumed meanwhile, several work at once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from channels.models import Message
from journeys import engine
from journeys.campaigns import acts, running
from journeys.models import CampaignOccurrence, CampaignRecipient, Run
from tests.factories import NOON
from tests.journeys.campaigns.stage import mails, make_campaign, make_people, prepare, pulse, refreshed, start
from tests.journeys.test_faults import work_elsewhere
from tests.together import together

pytestmark = pytest.mark.django_db(transaction=True)

ALL = """
from channels import deciding, delivery
from journeys.campaigns import running
while (running.tick(now) + engine.advance(now) + deciding.decide_batch(now)
       + delivery.deliver_batch(lambda: now, limit=16)): pass
"""
#: Where it dies, at which passing.
DEATHS = [
    ("campaigns.begun", 1),
    ("campaigns.frozen", 30),
    ("campaigns.committed", 2),
    ("campaigns.written", 66),
    ("campaigns.released", 1),
]


def test_whoever_dies_where_everybody_gets_it_once() -> None:
    prepare()
    people = make_people(60)
    campaign = start(make_campaign())
    for number, (point, hit) in enumerate(DEATHS):
        assert work_elsewhere(NOON, f"{point}:{hit}", ALL) in (137, 0), point
        if number % 3 == 2:
            acts.pause(refreshed(campaign), NOON)
            pulse(NOON)
            acts.resume(refreshed(campaign), NOON)
    pulse(NOON)
    assert Counter(mails()) == Counter(one.email for one in people)
    occurrence = CampaignOccurrence.objects.get()
    assert (occurrence.state, occurrence.audience, occurrence.released) == ("done", 60, 60)
    assert not CampaignRecipient.objects.filter(state=CampaignRecipient.State.WAITING).exists()
    assert not Run.objects.filter(state=Run.State.LIVE).exists()


def test_three_workers_at_once_freeze_and_hand_on_each_person_once() -> None:
    prepare()
    make_people(150)
    start(make_campaign(throttle=6000))

    def work() -> None:
        for second in range(90):
            running.tick(NOON + timedelta(seconds=second / 10))
            engine.advance(NOON + timedelta(seconds=second / 10))

    together(work, work, work)
    pulse(NOON + timedelta(minutes=1))
    assert CampaignRecipient.objects.count() == 150
    assert Message.objects.count() == 150
    assert len(mails()) == len(set(mails())) == 150


def test_a_pause_that_meets_a_worker_waits_for_it_and_then_holds() -> None:
    prepare()
    make_people(80)
    campaign = start(make_campaign())

    def work() -> None:
        for _round in range(80):
            running.tick(NOON)

    def stop() -> None:
        acts.pause(refreshed(campaign), NOON)

    together(work, stop)
    before = CampaignRecipient.objects.filter(state=CampaignRecipient.State.RELEASED).count()
    pulse(NOON)
    assert mails() == []
    assert CampaignRecipient.objects.filter(state=CampaignRecipient.State.RELEASED).count() == before
    acts.resume(refreshed(campaign), NOON)
    pulse(NOON)
    assert len(mails()) == len(set(mails())) == 80
