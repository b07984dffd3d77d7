"""What the coming days bring: who comes, who is inside, what the clock begins."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from channels.models import Message
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Contact
from journeys import graph
from journeys.backtest import forecast
from journeys.backtest.forecast import Foreseen
from journeys.models import Run
from tests.factories import NOON, log_event, make_contact, make_provider, make_version
from tests.journeys.backtest.test_running import GRAPH, MAIL, accepted, drafted

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ALL = list(range(64))


def subscriber(**values: Any) -> Contact:
    contact = make_contact(now=NOON - 60 * DAY, **values)
    consent.record([NewConsent(contact.id, "email", "offers", True, "test")], NOON - 50 * DAY)
    return contact


def to_come(data: dict[str, Any], journey_id: int, lots: list[int] = ALL) -> list[Foreseen]:
    return sorted(
        forecast.of_those_to_come(graph.parse(data), journey_id, NOON, lots), key=lambda one: one.at
    )


def days(found: list[Foreseen]) -> list[date]:
    return [one.at.date() for one in found if one.leaves]


def test_who_came_in_the_last_two_weeks_comes_again_in_the_next() -> None:
    contact = subscriber()
    log_event(contact, "Cart", NOON - 13 * DAY)
    log_event(subscriber(), "Cart", NOON - 20 * DAY)
    found = to_come(GRAPH, drafted().pk)
    assert days(found) == [(NOON + DAY).date(), (NOON + 2 * DAY).date()]
    assert {(one.contact_id, one.channel, one.purpose) for one in found} == {(contact.id, "email", "offers")}
    assert not Message.objects.exists()


def test_what_is_beyond_the_two_weeks_is_not_told() -> None:
    log_event(subscriber(), "Cart", NOON - HOUR)
    assert len(to_come(GRAPH, drafted().pk)) == 1


def test_people_inside_go_on_from_where_they_stand() -> None:
    contact = subscriber()
    make_provider("email")
    version = make_version(GRAPH, slug="carts")
    Run.objects.create(
        slot=contact.slot, contact=contact, journey=version.journey, version=version, state=1, step="pause",
        visit=1, due_at=NOON + 5 * DAY, since=NOON - HOUR, entered_at=NOON - HOUR,
    )  # fmt: skip
    found = list(forecast.of_those_inside(version.journey_id, NOON, ALL))
    assert [(one.contact_id, one.at) for one in found] == [(contact.id, NOON + 5 * DAY)]


def test_people_inside_who_did_reach_the_goal_at_that_time_get_no_more() -> None:
    contact = subscriber()
    make_provider("email")
    version = make_version(GRAPH, slug="carts")
    Run.objects.create(
        slot=contact.slot, contact=contact, journey=version.journey, version=version, state=1, step="pause",
        visit=1, due_at=NOON + 5 * DAY, since=NOON - HOUR, entered_at=NOON - HOUR,
        watching=["Order Completed"],
    )  # fmt: skip
    log_event(contact, "Order Completed", NOON - 12 * DAY)
    assert list(forecast.of_those_inside(version.journey_id, NOON, ALL)) == []


def test_what_the_clock_begins_comes_on_its_own_days_for_the_audience_of_now() -> None:
    one, other = subscriber(country="FR"), subscriber(country="DE")
    data = {
        **GRAPH,
        "trigger": {"every": "once", "day": "2026-03-20", "at": "09:00", "clock": "journey"},
        "timezone": "UTC",
        "audience": {"attribute": "country", "op": "is", "value": "FR"},
        "steps": {"mail": MAIL},
    }
    found = to_come(data, drafted().pk)
    assert [(each.contact_id, each.at) for each in found] == [(one.id, datetime(2026, 3, 20, 9, tzinfo=UTC))]
    assert other.id not in {each.contact_id for each in found}


def test_birthdays_come_on_their_day() -> None:
    one = subscriber(attributes={"birthday": "1990-03-22"}, timezone="UTC")
    subscriber(attributes={"birthday": "1990-05-22"}, timezone="UTC")
    data = {
        **GRAPH, "trigger": {"date": "birthday", "at": "10:00", "yearly": True}, "steps": {"mail": MAIL},
    }  # fmt: skip
    found = to_come(data, drafted().pk)
    assert [(each.contact_id, each.at) for each in found] == [(one.id, datetime(2026, 3, 22, 10, tzinfo=UTC))]


def test_whom_a_cap_keeps_from_a_message_is_told_as_pressed() -> None:
    contact = subscriber(timezone="UTC")
    for hours in range(1, 5):
        accepted(contact, NOON - 13 * DAY - hours * HOUR)
    log_event(contact, "Cart", NOON - 13 * DAY)
    first = to_come(GRAPH, drafted().pk)[0]
    assert first.pressed


def test_a_sample_asks_about_its_own_people_alone() -> None:
    contact = subscriber()
    log_event(contact, "Cart", NOON - 13 * DAY)
    others = [lot for lot in ALL if lot != contact.slot]
    journey = drafted()
    assert to_come(GRAPH, journey.pk, others) == []
    assert len(to_come(GRAPH, journey.pk, [contact.slot])) == 2
