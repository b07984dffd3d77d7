from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys import local_time

PARIS = ZoneInfo("Europe/Paris")
ZONES = sorted(available_timezones())
DAYS = st.floats(0, 20 * 365 * 86400).map(
    lambda seconds: datetime(2015, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def test_monday_evening_plus_one_day_at_nine_is_tuesday_morning() -> None:
    monday = datetime(2026, 3, 9, 21, 0, tzinfo=PARIS)
    assert local_time.days_later(monday, 1, time(9), PARIS) == datetime(2026, 3, 10, 9, tzinfo=PARIS)


def test_zero_days_means_today_while_the_time_is_still_to_come_and_tomorrow_after() -> None:
    noon = datetime(2026, 3, 10, 12, 0, tzinfo=PARIS)
    assert local_time.days_later(noon, 0, time(18), PARIS) == datetime(2026, 3, 10, 18, tzinfo=PARIS)
    assert local_time.days_later(noon, 0, time(9), PARIS) == datetime(2026, 3, 11, 9, tzinfo=PARIS)


def test_the_next_weekday_is_today_only_while_its_time_is_to_come() -> None:
    tuesday = datetime(2026, 3, 10, 12, 0, tzinfo=PARIS)
    assert local_time.next_weekday(tuesday, 1, time(18), PARIS) == datetime(2026, 3, 10, 18, tzinfo=PARIS)
    assert local_time.next_weekday(tuesday, 1, time(9), PARIS) == datetime(2026, 3, 17, 9, tzinfo=PARIS)
    assert local_time.next_weekday(tuesday, 0, time(9), PARIS) == datetime(2026, 3, 16, 9, tzinfo=PARIS)


def test_a_time_the_clock_jumps_over_becomes_the_first_instant_after_the_jump() -> None:
    # Clocks in Paris went from 02:00 to 03:00.
    found = local_time.instant(date(2026, 3, 29), time(2, 30), PARIS)
    assert found == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert found.astimezone(PARIS).time() == time(3, 0)


def test_a_time_that_comes_twice_means_its_first_occurrence() -> None:
    found = local_time.instant(date(2026, 10, 25), time(2, 30), PARIS)
    assert found == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_jump_of_half_an_hour_is_exact_too() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    found = local_time.instant(date(2026, 10, 4), time(2, 10), lord_howe)
    assert found.astimezone(lord_howe).time() == time(2, 30)


def test_a_day_that_a_zone_skipped_becomes_the_start_of_the_next() -> None:
    apia = ZoneInfo("Pacific/Apia")
    found = local_time.instant(date(2011, 12, 30), time(9), apia)
    assert found == datetime(2011, 12, 31, tzinfo=apia)


def test_a_second_passing_of_the_same_wall_clock_time_is_not_waited_for() -> None:
    between = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)  # 02:45, before the clocks go back
    found = local_time.days_later(between, 0, time(2, 30), PARIS)
    assert found.astimezone(PARIS).date() == date(2026, 10, 26)


@given(st.sampled_from(ZONES), DAYS.map(lambda moment: moment.replace(tzinfo=None)))
def test_an_instant_shows_the_asked_time_or_is_the_end_of_a_jump(name: str, wall: datetime) -> None:
    where = ZoneInfo(name)
    found = local_time.instant(wall.date(), wall.time(), where)
    shown = found.astimezone(where)
    if shown.replace(tzinfo=None) == wall:
        assert shown.fold == 0
    else:
        before = (found - timedelta(seconds=1)).astimezone(where)
        assert before.utcoffset() != shown.utcoffset()
        assert before.replace(tzinfo=None) < wall < shown.replace(tzinfo=None)


@given(st.sampled_from(ZONES), DAYS, st.integers(0, 40), st.times())
def test_a_wait_on_the_clock_always_ends_later_and_within_its_days(
    name: str, start: datetime, days: int, at: time
) -> None:
    where = ZoneInfo(name)
    found = local_time.days_later(start, days, at.replace(microsecond=0), where)
    assert start < found <= start + timedelta(days=days + 2, hours=4)


@pytest.mark.parametrize(
    ("text", "length"),
    [("2 days", timedelta(days=2)), ("48 hours", timedelta(hours=48)), ("1 minute", timedelta(minutes=1))],
)
def test_a_length_of_time_is_read_from_words(text: str, length: timedelta) -> None:
    assert local_time.span(text) == length


@pytest.mark.parametrize("text", ["", "0 days", "2", "-1 day", "2 moons", "99999 days", None, 5, ["1 day"]])
def test_a_length_of_time_that_cannot_be_read_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"length of time|longer than nothing"):
        local_time.span(text)


def test_a_zone_that_does_not_exist_falls_back_to_the_default() -> None:
    assert local_time.zone("Mars/Olympus", "Europe/Paris") == PARIS
    assert local_time.zone("../../etc/passwd") == ZoneInfo("UTC")
