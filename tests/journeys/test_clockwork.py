"""Schedules and dates: who enters, when on their clock, and each occasion once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from journeys import clockwork
from journeys.models import Run
from tests.factories import NOON, make_contact, make_version

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BIRTHDAY = {"date": "birthday", "at": "09:00", "yearly": True}


def live(trigger: dict[str, Any], **top: Any) -> None:
    steps = {"bye": {"type": "exit"}}
    graph = {"trigger": trigger, "audience": {}, "start": "bye", "steps": steps, "timezone": "UTC", **top}
    make_version(graph, now=NOON)


def run_clock(start: datetime, end: datetime, step: timedelta = 10 * MINUTE) -> None:
    at = start
    while at <= end:
        while clockwork.tick(at, 2):
            pass
        Run.objects.filter(state=1).update(state=4, due_at=None)
        at += step


def entered() -> list[tuple[int, datetime]]:
    return list(Run.objects.order_by("entered_at", "contact_id").values_list("contact_id", "entered_at"))


def test_a_birthday_starts_at_its_hour_on_the_persons_clock_each_year() -> None:
    live(BIRTHDAY)
    anna = make_contact(attributes={"birthday": "1990-03-11"}, timezone="America/New_York")
    make_contact(attributes={"birthday": "1990-03-12"})
    make_contact(attributes={"birthday": "soon"})
    run_clock(NOON, NOON + DAY + 2 * HOUR, HOUR)
    year = timedelta(days=365)
    run_clock(NOON + year - HOUR, NOON + year + DAY + 2 * HOUR, HOUR)
    assert entered()[0] == (anna.id, datetime(2026, 3, 11, 13, tzinfo=UTC))
    assert [contact for contact, _at in entered()].count(anna.id) == 2


def test_days_before_a_date_that_comes_once() -> None:
    live({"date": "renewal", "before": "3 days", "at": "08:00", "yearly": False})
    one = make_contact(attributes={"renewal": "2026-03-14T10:00:00Z"})
    run_clock(NOON, NOON + 2 * DAY, HOUR)
    assert entered() == [(one.id, datetime(2026, 3, 11, 8, tzinfo=UTC))]


def test_a_schedule_reaches_everybody_of_the_audience_at_their_own_hour_and_each_once() -> None:
    live({"every": "day", "at": "09:00"}, audience={"attribute": "country", "op": "is", "value": "FR"})
    paris = make_contact(country="FR", timezone="Europe/Paris")
    tokyo = make_contact(country="FR", inferred={"timezone": "Asia/Tokyo"})
    nowhere = make_contact(country="FR")
    odd = make_contact(country="FR", timezone="Not/AZone")
    make_contact(country="DE")
    run_clock(NOON, NOON + DAY)
    assert entered() == [
        (tokyo.id, datetime(2026, 3, 11, 0, tzinfo=UTC)),
        (paris.id, datetime(2026, 3, 11, 8, tzinfo=UTC)),
        (nowhere.id, datetime(2026, 3, 11, 9, tzinfo=UTC)),
        (odd.id, datetime(2026, 3, 11, 9, tzinfo=UTC)),
    ]


def test_what_nobody_looked_after_for_too_long_is_not_made_up_for() -> None:
    live({"every": "day", "at": "09:00", "clock": "journey", "misfire": "2 hours"})
    make_contact()
    run_clock(NOON, NOON)
    run_clock(NOON + DAY, NOON + DAY)  # three hours late
    assert entered() == []
    run_clock(NOON + 2 * DAY - 2 * HOUR, NOON + 2 * DAY - 2 * HOUR)  # one hour late
    assert len(entered()) == 1


def test_a_clock_that_is_set_back_brings_no_occasion_twice() -> None:
    live({"every": "day", "at": "09:00", "clock": "journey"})
    make_contact()
    run_clock(NOON, NOON + DAY, HOUR)
    run_clock(NOON + DAY - 6 * HOUR, NOON + DAY, HOUR)
    assert len(entered()) == 1


def test_people_who_move_to_another_zone_have_their_day_once() -> None:
    live({"every": "day", "at": "09:00"})
    one = make_contact(timezone="Asia/Tokyo")
    run_clock(NOON, NOON + DAY / 2, HOUR)
    type(one).objects.update(timezone="America/New_York")
    run_clock(NOON + DAY / 2, NOON + DAY + 2 * HOUR, HOUR)
    assert entered() == [(one.id, datetime(2026, 3, 11, 0, tzinfo=UTC))]


@pytest.mark.django_db(transaction=True)
def test_three_that_look_at_once_let_everybody_in_once() -> None:
    live({"every": "day", "at": "09:00", "clock": "journey"})
    people = [make_contact() for _ in range(20)]
    clockwork.tick(NOON)
    gate = threading.Barrier(3)
    errors: list[BaseException] = []

    def look() -> None:
        try:
            gate.wait()
            for _ in range(30):
                clockwork.tick(NOON + DAY, 3)
        except BaseException as error:  # noqa: BLE001 (told by the test)
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert sorted(contact for contact, _at in entered()) == sorted(person.id for person in people)
