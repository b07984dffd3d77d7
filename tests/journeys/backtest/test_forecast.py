from __future__ import annotations

from datetime import date, timedelta

import pytest

from channels.models import Message
from contacts import consent
from contacts.consent import NewConsent
from journeys import graph
from journeys.backtest.forecast import forecast, spread
from tests.factories import NOON, log_event, make_contact
from tests.journeys.backtest.test_running import GRAPH, drafted

DAY = timedelta(days=1)


@pytest.mark.django_db
def test_the_coming_days_bring_what_the_same_weekdays_brought() -> None:
    for weeks in (1, 2):
        contact = make_contact(now=NOON - 60 * DAY)
        consent.record([NewConsent(contact.id, "email", "offers", True, "test")], NOON - 50 * DAY)
        log_event(contact, "Cart", NOON - 7 * weeks * DAY + DAY)
    journey = drafted()
    loads = forecast(graph.parse(GRAPH), journey.pk, NOON, days=7, lots=64)
    by_day = {load.day: load.messages for load in loads}
    # One person a week wrote on that weekday, and got a second message on the day after.
    assert by_day == {(NOON + DAY).date(): 1.0, (NOON + 2 * DAY).date(): 1.0}
    assert {(load.channel, load.purpose) for load in loads} == {("email", "offers")}
    assert not Message.objects.exists()


def test_a_sample_is_multiplied() -> None:
    (load,) = spread({(1, "email", "offers"): 3}, date(2026, 3, 9), 7, 8.0)
    assert load == (date(2026, 3, 10), "email", "offers", 24.0)
