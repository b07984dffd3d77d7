"""Whatever is paused, killed, set forth or back, in whatever order: everybody of the audience once."""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Min
from hypothesis import given
from hypothesis import strategies as st

from channels.models import Message
from journeys import engine
from journeys.campaigns import acts, running
from journeys.models import Campaign, CampaignOccurrence, CampaignRecipient
from journeys.publishing import NotAllowedError
from tests.examples import examples
from tests.factories import NOON
from tests.journeys.campaigns.stage import mails, make_campaign, make_people, prepare, pulse, refreshed, start

pytestmark = pytest.mark.django_db

ZONES = ["", "Europe/Paris", "America/New_York", "Pacific/Auckland", "Asia/Kolkata"]
POINTS = ["campaigns.begun", "campaigns.frozen", "campaigns.released", "campaigns.written"]


class _Dies(Exception):
    """Stands for a worker that is killed: what it had not committed is gone."""


def _tick(now: datetime, dies_at: str, patch: pytest.MonkeyPatch) -> None:
    def point(name: str) -> None:
        if name == dies_at:
            raise _Dies

    patch.setattr(running, "crashpoint", point)
    try:
        running.tick(now)
    except _Dies:
        pass
    finally:
        patch.setattr(running, "crashpoint", lambda _name: None)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("tick"), st.sampled_from([1, 7, 70])),
        st.tuples(st.just("die"), st.sampled_from(POINTS)),
        st.tuples(st.just("engine"), st.integers(1, 8)),
        st.tuples(st.just("clock"), st.integers(-120, 90)),
        st.tuples(st.just("pause"), st.just(0)),
        st.tuples(st.just("resume"), st.just(0)),
        st.tuples(st.just("all"), st.just(0)),
    ),
    max_size=10,
)


@examples(8)
@given(
    steps=STEPS,
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=5),
    throttle=st.sampled_from([None, 2, 60]),
    clock=st.sampled_from(["now", "person", "zone"]),
)
def test_everybody_of_the_audience_exactly_once(
    steps: list[tuple[str, Any]], zones: list[str], throttle: int | None, clock: str
) -> None:
    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        _story(steps, zones, throttle, clock, patch)
        # The next example begins with an empty table.
        transaction.set_rollback(True)


def _story(
    steps: list[tuple[str, Any]],
    zones: list[str],
    throttle: int | None,
    clock: str,
    patch: pytest.MonkeyPatch,
) -> None:
    prepare()
    people = [make_people(1, timezone=zone)[0] for zone in zones]
    day = (NOON + timedelta(days=2)).date()
    when = {"every": "now"} if clock == "now" else {"every": "once", "day": day, "at": time(9)}
    campaign = start(
        make_campaign(
            throttle=throttle, own_clock=clock == "person", misfire_minutes=1440, wait_hours=336, **when
        )
    )
    now = NOON if clock == "now" else NOON + timedelta(days=1, hours=8)
    for act, value in steps:
        if act == "tick":
            for _each in range(value):
                running.tick(now)
        elif act == "die":
            _tick(now, value, patch)
        elif act == "engine":
            engine.advance(now, limit=value)
        elif act == "clock":
            now += timedelta(minutes=value)
        elif act == "all":
            pulse(now)
        else:
            with contextlib.suppress(NotAllowedError):
                getattr(acts, act)(refreshed(campaign), now)
    _end(campaign.pk, now)
    assert Counter(mails()) == Counter(one.email for one in people)
    occurrence = CampaignOccurrence.objects.get()
    assert (occurrence.state, occurrence.audience, occurrence.late) == ("done", len(people), 0)
    assert set(Message.objects.values_list("state", flat=True)) == {Message.State.ACCEPTED}
    assert not CampaignRecipient.objects.exclude(state=CampaignRecipient.State.RELEASED).exists()


def _end(pk: int, now: datetime) -> None:
    """Let it come to its end, on a clock that goes on to whatever is due next."""
    for _turn in range(40):
        campaign = Campaign.objects.select_related("journey").get(pk=pk)
        if campaign.state == "done":
            return
        if campaign.state == "paused":
            acts.resume(campaign, now)
        pulse(now)
        waiting = CampaignRecipient.objects.filter(state=CampaignRecipient.State.WAITING)
        due = waiting.aggregate(next=Min("due_at"))["next"] or campaign.next_at or now
        now = max(now + timedelta(minutes=1), due)
