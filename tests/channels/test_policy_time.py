from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import policy_time
from channels.policy_time import QuietHours
from tests.examples import examples

ZONES = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
NIGHT = QuietHours(frozenset({"sms"}), time(20), time(8))
INSTANTS = st.integers(1_262_304_000, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def test_a_duration_is_read_in_words() -> None:
    assert policy_time.duration("7 days") == timedelta(days=7)
    assert policy_time.duration("1 hour") == timedelta(hours=1)


@pytest.mark.parametrize("text", ["", "7", "days", "-1 days", "1.5 hours", "2 months"])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write a number"):
        policy_time.duration(text)


def test_a_time_that_the_clock_jumps_over_is_the_instant_after_the_jump() -> None:
    # Paris, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC.
    at = policy_time.instant(datetime.fromisoformat("2026-03-29T02:30"), "Europe/Paris")
    assert at == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_a_day_that_never_was_begins_after_the_jump() -> None:
    # Samoa went from 29 to 31 December 2011.
    at = policy_time.instant(datetime.fromisoformat("2011-12-30T09:00"), "Pacific/Apia")
    assert at == datetime(2011, 12, 30, 10, 0, tzinfo=UTC)


def test_a_time_that_happens_twice_is_its_first_occurrence() -> None:
    # Paris, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC.
    at = policy_time.instant(datetime.fromisoformat("2026-10-25T02:30"), "Europe/Paris")
    assert at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert policy_time.instant(datetime.fromisoformat("2026-10-25T02:30"), "Europe/Paris", after=at) > at


@pytest.mark.parametrize(
    ("local", "free"),
    [("2026-03-10T07:59", False), ("2026-03-10T08:00", True), ("2026-03-10T20:00", False)],
)
def test_quiet_hours_are_read_from_the_wall_clock(local: str, free: bool) -> None:
    at = policy_time.instant(datetime.fromisoformat(local), "Europe/Paris")
    assert (policy_time.free_of_quiet_hours(at, [NIGHT], ["Europe/Paris"]) == at) is free


def test_quiet_hours_end_on_the_persons_clock_after_the_clocks_change() -> None:
    saturday_night = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
    end = policy_time.free_of_quiet_hours(saturday_night, [NIGHT], ["Europe/Paris"])
    assert end == datetime(2026, 3, 29, 6, 0, tzinfo=UTC)  # 08:00, now two hours ahead of UTC


def test_quiet_days_count_from_the_evening_on_which_they_begin() -> None:
    friday = QuietHours(frozenset({"sms"}), time(20), time(8), frozenset({4}))
    saturday_early = datetime(2026, 3, 14, 5, 0, tzinfo=UTC)
    sunday_early = saturday_early + timedelta(days=1)
    assert policy_time.free_of_quiet_hours(saturday_early, [friday], ["UTC"]) != saturday_early
    assert policy_time.free_of_quiet_hours(sunday_early, [friday], ["UTC"]) == sunday_early


def test_an_unknown_zone_is_free_only_where_every_candidate_is() -> None:
    at = datetime(2026, 3, 10, 13, 0, tzinfo=UTC)  # 09:00 in New York, 06:00 in Los Angeles
    end = policy_time.free_of_quiet_hours(at, [NIGHT], ["America/New_York", "America/Los_Angeles"])
    assert end == datetime(2026, 3, 10, 15, 0, tzinfo=UTC)


def test_hours_that_leave_no_time_are_noticed() -> None:
    always = QuietHours(frozenset({"sms"}), time(8), time(8))
    assert policy_time.free_of_quiet_hours(datetime(2026, 3, 10, tzinfo=UTC), [always], ["UTC"]) is None


def test_all_messages_of_one_person_get_the_same_jitter() -> None:
    at = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
    most = timedelta(minutes=15)
    spread = {policy_time.jitter(contact, at, most) for contact in range(200)}
    assert policy_time.jitter(5, at, most) == policy_time.jitter(5, at, most)
    assert len(spread) > 100
    assert timedelta() <= min(spread) <= max(spread) <= most


@examples(300)
@given(at=INSTANTS, name=st.sampled_from(ZONES), begins=st.times(), ends=st.times())
def test_a_hold_ends_at_the_first_free_instant_in_any_zone(
    at: datetime, name: str, begins: time, ends: time
) -> None:
    hours = [QuietHours(frozenset({"sms"}), begins.replace(microsecond=0), ends.replace(microsecond=0))]
    end = policy_time.free_of_quiet_hours(at, hours, [name])
    if hours[0].begins == hours[0].ends:
        assert end is None
        return
    assert end is not None
    assert end >= at
    place = policy_time.zone(name)
    assert not hours[0].covers(end.astimezone(place).replace(tzinfo=None))
    step = timedelta(minutes=7)
    while (at := at + step) < end:
        assert hours[0].covers(at.astimezone(place).replace(tzinfo=None))


@examples(300)
@given(at=INSTANTS, name=st.sampled_from(ZONES), unit=st.sampled_from(policy_time.PERIODS))
def test_the_next_period_is_later_and_begins_at_once_in_any_zone(at: datetime, name: str, unit: str) -> None:
    following = policy_time.next_period(at, unit, name)
    assert following > at
    assert policy_time.period(following, unit, name) > policy_time.period(at, unit, name)
    assert policy_time.period(following - timedelta(seconds=1), unit, name) <= policy_time.period(
        at, unit, name
    )


def changes(name: str) -> list[datetime]:
    """The instants from 2025 to 2027 at which the clock of a zone is set, to the second."""
    place, found = ZoneInfo(name), []
    day, last = datetime(2025, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    while day < last:
        after = day + timedelta(days=7)
        if day.astimezone(place).utcoffset() != after.astimezone(place).utcoffset():
            early, late = day, after
            while late - early > timedelta(seconds=1):
                middle = (early + (late - early) / 2).replace(microsecond=0)
                if middle.astimezone(place).utcoffset() == early.astimezone(place).utcoffset():
                    early = middle
                else:
                    late = middle
            found.append(late)
        day = after
    return found


def test_every_change_of_every_clock_is_met_to_the_second() -> None:
    """A clock that jumps: hours end as it jumps. One set back: once, at the first occurrence."""
    met = 0
    for name in sorted(policy_time.zone_names()):
        place = ZoneInfo(name)
        for at in changes(name):
            before = (at - timedelta(seconds=1)).astimezone(place).replace(tzinfo=None) + timedelta(seconds=1)
            after = at.astimezone(place).replace(tzinfo=None)
            middle = min(before, after) + abs(after - before) / 2
            meant = policy_time.instant(middle, name)
            if after > before:
                assert meant == at, name  # a time that never was is the instant after the jump
            else:
                first = at - (before - middle)
                assert meant == first, name
                again = policy_time.instant(middle, name, after=first)
                assert again == first + (before - after), name
            hours = (QuietHours(frozenset({"sms"}), time(0), middle.time().replace(microsecond=0)),)
            free = policy_time.free_of_quiet_hours(at - timedelta(minutes=50), hours, (name,))
            assert free is not None, name
            local = free.astimezone(place).replace(tzinfo=None)
            assert not hours[0].covers(local), name
            met += 1
    assert met > 1_000
