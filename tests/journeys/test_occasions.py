from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys import local_time
from journeys.occasions import Anniversary, Schedule
from journeys.steps.wait_until import UntilHours
from tests.examples import examples

PARIS = ZoneInfo("Europe/Paris")
#: Both hemispheres, odd offsets, and a zone that never changes.
ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Paris",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Asia/Kolkata",
        "Pacific/Chatham",
    )
]
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
three_years = st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@given(
    st.sampled_from(ZONES),
    clocks,
    three_years,
    st.lists(st.integers(1, 60 * 24 * 2), min_size=1, max_size=12),
)
@examples(60)
def test_looking_often_or_seldom_finds_each_daily_occasion_once(
    zone: ZoneInfo, at: time, start: datetime, gaps: list[int]
) -> None:
    schedule = Schedule("day", at)
    looks = [start]
    for gap in gaps:
        looks.append(looks[-1] + timedelta(minutes=min(gap, 23 * 60)))
    found = [due for after, until in itertools.pairwise(looks) if (due := schedule.due(after, until, zone))]
    days = [due.astimezone(zone).date() for due in found]
    assert len(days) == len(set(days))
    first, last = looks[0].astimezone(zone).date(), looks[-1].astimezone(zone).date()
    wanted = [
        day
        for number in range((last - first).days + 1)
        if looks[0] < local_time.instant(day := first + timedelta(days=number), at, zone) <= looks[-1]
    ]
    # Looks are less than a day apart, yet two occasions lie 23 hours apart when the clock goes forward.
    assert len(wanted) - len(days) <= 1
    assert set(days) <= set(wanted)


@given(st.sampled_from(ZONES), clocks, clocks, three_years)
@examples(80)
def test_hours_open_at_once_inside_and_begin_on_the_clock_outside(
    zone: ZoneInfo, start: time, end: time, at: datetime
) -> None:
    opens = UntilHours(start, end, tuple(range(7))).opens(at, zone)
    assert at <= opens <= at + timedelta(hours=26)
    if opens > at:
        day = opens.astimezone(zone).date()
        assert opens == local_time.instant(day, start, zone)


@given(
    st.sampled_from(ZONES),
    st.dates(date(1930, 1, 1), date(2024, 12, 31)),
    clocks,
    three_years,
    st.integers(-400, 400),
)
@examples(80)
def test_an_anniversary_comes_once_a_year_on_its_day(
    zone: ZoneInfo, born: date, at: time, after: datetime, days: int
) -> None:
    found = local_time.occurrence(born.isoformat(), zone, days=days, at=at, after=after)
    assert found is not None
    assert after < found <= after + timedelta(days=368)
    day = found.astimezone(zone).date() - timedelta(days=days)
    if found == local_time.instant(found.astimezone(zone).date(), at, zone):
        assert (day.month, day.day) in {(born.month, born.day), (2, 28)}


def test_29_february_is_kept_on_28_february_in_other_years() -> None:
    birthday = Anniversary("birthday", time(9), yearly=True)
    for year, day in ((2027, 28), (2028, 29)):
        eve, after = datetime(year, 2, day, tzinfo=UTC), datetime(year, 2, day, 12, tzinfo=UTC)
        assert birthday.due("2000-02-29", eve, after, PARIS) == datetime(year, 2, day, 8, tzinfo=UTC)


def test_an_hour_that_does_not_exist_comes_after_the_jump_and_one_that_comes_twice_comes_once() -> None:
    schedule = Schedule("day", time(2, 30))
    spring, autumn = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert schedule.due(spring, spring + timedelta(hours=20), PARIS) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert schedule.due(autumn, autumn + timedelta(hours=20), PARIS) == first
    assert schedule.due(first, first + timedelta(hours=2), PARIS) is None


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        (Schedule("week", time(9), weekdays=(0, 4)), [2, 6, 9, 13, 16, 20, 23, 27, 30]),
        (Schedule("month", time(9), monthdays=(1, 31)), [1, 30]),
        (Schedule("once", time(9), day=date(2026, 11, 5)), [5]),
        (Schedule("weekday", time(9)), [day for day in range(1, 31) if date(2026, 11, day).weekday() < 5]),
    ],
)
def test_a_schedule_falls_on_its_days(schedule: Schedule, days: list[int]) -> None:
    assert [day for day in range(1, 31) if schedule.falls_on(date(2026, 11, day))] == days
