from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from journeys import campaign_times
from journeys.occasions import Schedule

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def _once(day: date, *, own_clock: bool = True) -> Schedule:
    return Schedule("once", time(9), day, own_clock=own_clock)


def test_on_each_persons_clock_it_lasts_from_the_first_clock_on_earth_to_the_last() -> None:
    told = campaign_times.moment(_once(date(2026, 12, 24)), "Europe/Paris", date(2026, 12, 24))
    assert told.first == datetime(2026, 12, 23, 19, tzinfo=UTC)
    assert told.last == datetime(2026, 12, 24, 21, tzinfo=UTC)
    assert told.label == "2026-12-24 09:00"


def test_in_one_zone_it_is_one_instant() -> None:
    told = campaign_times.moment(
        _once(date(2026, 12, 24), own_clock=False), "America/New_York", date(2026, 12, 24)
    )
    assert told.first == told.last == datetime(2026, 12, 24, 14, tzinfo=UTC)


def test_each_occurrence_of_a_week_is_told_once() -> None:
    schedule = Schedule("week", time(18), weekdays=(1, 3), own_clock=False)
    found = list(campaign_times.occurrences(schedule, "Europe/Paris", NOON, NOON + timedelta(days=14)))
    assert [one.label for one in found] == [
        "2026-12-01 18:00",
        "2026-12-03 18:00",
        "2026-12-08 18:00",
        "2026-12-10 18:00",
    ]


def test_a_month_without_that_day_ends_on_its_last() -> None:
    schedule = Schedule("month", time(8), monthdays=(31,), own_clock=False)
    found = campaign_times.occurrences(schedule, "UTC", NOON, NOON + timedelta(days=100))
    assert [one.day for one in found] == [
        date(2026, 11, 30), date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28),
    ]  # fmt: skip


def test_nothing_comes_after_the_last_day() -> None:
    schedule = Schedule("day", time(8), own_clock=False)
    found = list(
        campaign_times.occurrences(schedule, "UTC", NOON, NOON + timedelta(days=30), date(2026, 12, 2))
    )
    assert [one.day.day for one in found] == [30, 1, 2]


def test_once_is_over_once_it_began() -> None:
    schedule = _once(date(2026, 12, 1))
    assert campaign_times.upcoming(schedule, "UTC", NOON)
    assert campaign_times.upcoming(schedule, "UTC", datetime(2026, 11, 30, 19, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        ("Europe/Paris", date(2026, 3, 29), time(2, 30), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Europe/Paris", date(2026, 10, 25), time(2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("America/New_York", date(2026, 3, 8), time(2, 30), datetime(2026, 3, 8, 7, tzinfo=UTC)),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ],
    ids=["gap", "overlap", "gap in New York", "gap of half an hour"],
)
def test_a_turn_is_exact_when_clocks_change(zone: str, day: date, at: time, expected: datetime) -> None:
    schedule = Schedule("once", at, day)
    told = campaign_times.moment(schedule, "UTC", day)
    assert campaign_times.turn(schedule, told, ZoneInfo(zone)) == expected
    assert told.first <= expected <= told.last


def test_no_clock_on_earth_is_outside_of_an_occurrence() -> None:
    schedule = Schedule("once", time(0, 5), date(2026, 12, 24))
    told = campaign_times.moment(schedule, "UTC", date(2026, 12, 24))
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Etc/GMT+12", "Pacific/Chatham", "Asia/Kolkata"):
        assert told.first <= campaign_times.turn(schedule, told, ZoneInfo(zone)) <= told.last
