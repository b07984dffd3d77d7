"""Clocks that jump, disagree and change for summer: timers once, never early, nobody twice."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from channels.models import Message
from journeys import clockwork, engine, local_time, runs, versions
from journeys.models import Run, StepEntry
from journeys.occasions import Schedule
from journeys.runs import Entry
from journeys.steps.wait import Wait
from tests.factories import NOON, make_contact, make_version
from tests.journeys.test_faults import GRAPH

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZONES = (
    "America/New_York",
    "Europe/Paris",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
    "UTC",
)


@pytest.mark.parametrize("name", ZONES)
def test_three_years_bring_each_local_occurrence_once_however_the_clock_is_looked_at(name: str) -> None:
    zone, first = ZoneInfo(name), datetime(2026, 1, 1, tzinfo=UTC)
    last = first + 3 * 365 * DAY
    # Looks at odd distances, so that they fall before, into and after each hour in question.
    looks = [first + number * 7 * HOUR + (number * 13 % 60) * MINUTE for number in range(3 * 1252)]
    for at in (time(2, 30), time(1, 30), time(0)):
        schedule = Schedule("day", at)
        found = [
            due
            for after, until in itertools.pairwise(looks)
            if (due := schedule.due(after, until, zone)) is not None
        ]
        days = [due.astimezone(zone).date() for due in found]
        assert days == [days[0] + number * DAY for number in range(len(days))]
        assert len(days) in (1093, 1094, 1095, 1096)
        assert found == schedule.every_due(looks[0], looks[-1], zone)
        assert last - found[-1] < 3 * DAY


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("America/New_York", (date(2026, 3, 8), date(2026, 11, 1))),
        ("Europe/Paris", (date(2026, 3, 29), date(2026, 10, 25))),
        ("Australia/Lord_Howe", (date(2026, 4, 5), date(2026, 10, 4))),
    ],
)
def test_each_minute_of_the_days_on_which_clocks_change_comes_once_and_in_order(
    name: str, days: tuple[date, ...]
) -> None:
    zone = ZoneInfo(name)
    for day in days:
        times = [time(minute // 60, minute % 60) for minute in range(1440)]
        found = [local_time.instant(day, at, zone) for at in times]
        assert found == sorted(found)
        for at, instant in zip(times, found, strict=True):
            shown = instant.astimezone(zone)
            assert shown.date() == day
            assert shown.time() == at or shown.time() > at


def test_who_changes_the_zone_while_they_wait_goes_on_once_and_not_before_their_hour() -> None:
    wait = Wait("pause", **_wait(days=1, at=time(9)))
    paris, tokyo = ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Tokyo")
    new_york = ZoneInfo("America/New_York")
    due = wait.wakes_at(NOON, paris)
    assert wait.wakes_at(NOON, new_york) > due
    # Looked at when it was due in Paris, nothing happens until it is nine in New York as well.
    assert wait.wakes_at(NOON, new_york) == datetime(2026, 3, 11, 13, tzinfo=UTC)
    assert wait.wakes_at(NOON, tokyo) <= due


def _wait(**given: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {
        "length": None, "days": None, "weekday": None, "at": time(0), "hours": None, "date": None,
        "next": None, "on_missing": None,
    }  # fmt: skip
    return {**nothing, **given}


def settle(now: datetime) -> None:
    while engine.advance(now):
        pass


@pytest.mark.django_db
@pytest.mark.parametrize(
    "clock",
    [
        [DAY, 2 * DAY, 40 * DAY, 40 * DAY - 2 * HOUR, 40 * DAY + HOUR, 41 * DAY],
        [40 * DAY, -2 * HOUR, 3 * DAY, 2 * DAY - HOUR],
        [2 * DAY - 5 * MINUTE, 2 * DAY, 2 * DAY - 5 * MINUTE, 2 * DAY + MINUTE, 2 * DAY - MINUTE],
        [2 * DAY - timedelta(seconds=1)] * 3 + [2 * DAY + timedelta(seconds=second) for second in (0, 1, 1)],
    ],
    ids=["forty days", "back and forth", "workers five minutes apart", "seconds"],
)
def test_a_wait_ends_once_and_never_early_whatever_the_clock_does(clock: list[timedelta]) -> None:
    version = make_version(GRAPH)
    runs.enter(versions.load([version.id])[version.id], [Entry(make_contact().id, NOON)], NOON)
    settle(NOON)
    for later in clock:
        settle(NOON + later)
        taken = list(StepEntry.objects.filter(step="pause").values_list("at", flat=True))
        assert len(taken) == len(set(taken)) <= 1
        assert all(at >= NOON + 2 * DAY for at in taken)
        assert not Run.objects.filter(state=Run.State.LIVE, due_at=None).exists()
    assert Message.objects.count() == 2
    assert Run.objects.get().state == Run.State.COMPLETED


@pytest.mark.django_db
def test_clocks_that_disagree_let_everybody_in_once_at_their_hour() -> None:
    graph = {
        "trigger": {"every": "day", "at": "13:00", "clock": "journey"}, "timezone": "UTC", "audience": {},
        "start": "bye", "steps": {"bye": {"type": "exit"}},
    }  # fmt: skip
    make_version(graph, now=NOON)
    person = make_contact()
    for minutes in (55, 60, 55, 61, 56, 120, 60):
        clockwork.tick(NOON + minutes * MINUTE)
    assert list(Run.objects.values_list("contact_id", "entered_at")) == [(person.id, NOON + HOUR)]
