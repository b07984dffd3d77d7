"""Speed limits, warm-up and breakers, as functions of time."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.flow_rules import FIRST_SHUT, LONGEST_SHUT, Breaker, Bucket, Warmup, read_rates, written_rates
from channels.retry import LONGEST_WAIT

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


@given(
    st.floats(0.1, 200),
    st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 60)), min_size=1, max_size=30),
)
def test_no_span_of_time_sees_more_than_the_rate_and_one_bucket(
    rate: float, asked: list[tuple[int, int]]
) -> None:
    bucket, now, went = Bucket(rate), NOW, list[datetime]()
    for milliseconds, messages in asked:
        now += timedelta(milliseconds=milliseconds)
        went += [now for _message in range(messages) if bucket.take(now) is None]
    for first in range(0, len(went), 7):
        seconds = (went[-1] - went[first]).total_seconds()
        assert len(went) - first <= seconds * rate + bucket.holds + 1e-6


def test_what_finds_no_room_is_spread_at_the_rate() -> None:
    bucket = Bucket(10)
    asked = [bucket.take(NOW) for _message in range(35)]
    assert asked[:10] == [None] * 10
    later = [until for until in asked if until is not None]
    assert [b - a for a, b in itertools.pairwise(later)] == [_SECOND / 10] * 24
    assert later[0] == NOW + _SECOND / 10


def test_a_clock_that_went_back_gives_nothing_and_takes_nothing() -> None:
    bucket = Bucket(5)
    assert [bucket.take(NOW) for _message in range(5)] == [None] * 5
    assert bucket.take(NOW - timedelta(hours=2)) is not None
    assert bucket.take(NOW + _SECOND) is None


def test_a_new_sender_grows_day_by_day_until_its_target() -> None:
    ramp = Warmup(date(2026, 3, 1), first=100, growth=50, target=500)
    assert ramp.plan() == [100, 150, 225, 337]
    assert ramp.allowed(date(2026, 2, 28)) == 0
    assert ramp.allowed(date(2026, 3, 3)) == 225
    assert ramp.allowed(date(2026, 3, 9)) is None
    # Growth that rounds to nothing still grows, so that each ramp ends.
    assert len(Warmup(date(2026, 3, 1), first=1, growth=0, target=5).plan()) == 4


def test_a_breaker_shuts_tries_one_and_opens_by_itself() -> None:
    breaker = Breaker(3)
    for _failure in range(2):
        breaker.failed(NOW)
    assert breaker.admit(NOW, _SECOND) is None
    breaker.failed(NOW)
    assert breaker.state(NOW) == "shut"
    assert breaker.admit(NOW, _SECOND) == NOW + FIRST_SHUT
    later = NOW + FIRST_SHUT
    assert breaker.state(later) == "half_open"
    assert breaker.admit(later, _SECOND) is None
    assert breaker.admit(later, _SECOND) is not None
    breaker.worked(later)
    assert (breaker.state(later), breaker.failures, breaker.trips) == ("closed", 0, 0)


def test_a_probe_that_fails_shuts_for_longer_each_time() -> None:
    breaker, now, waits = Breaker(1), NOW, list[timedelta]()
    for _trip in range(8):
        breaker.failed(now)
        assert breaker.shut_until is not None
        waits.append(breaker.shut_until - now)
        now = breaker.shut_until
    assert waits[:3] == [FIRST_SHUT, FIRST_SHUT * 2, FIRST_SHUT * 4]
    assert waits[-1] == LONGEST_SHUT


def test_a_probe_that_is_never_heard_of_again_is_followed_by_another() -> None:
    breaker = Breaker(1)
    breaker.failed(NOW)
    later = NOW + FIRST_SHUT
    assert breaker.admit(later, _SECOND) is None
    assert breaker.admit(later + _SECOND, _SECOND) is None


@pytest.mark.parametrize(
    ("asked", "wait"),
    [(120.0, timedelta(seconds=120)), (10 * 365 * 86_400.0, LONGEST_WAIT), (float("inf"), LONGEST_WAIT)],
)
def test_a_server_that_says_when_is_left_alone_until_then(asked: float, wait: timedelta) -> None:
    breaker = Breaker(3)
    breaker.failed(NOW, retry_after=asked)
    assert breaker.shut_until == NOW + wait
    # Somebody else's success, which was on its way, does not end what was asked.
    breaker.worked(NOW + _SECOND)
    assert breaker.shut_until == NOW + wait


@pytest.mark.parametrize("asked", [-5.0, 0.0, None])
def test_a_time_that_has_gone_shuts_nothing_at_once(asked: float | None) -> None:
    breaker = Breaker(3)
    breaker.failed(NOW, retry_after=asked)
    assert breaker.state(NOW) == "closed"


def test_rates_are_read_line_by_line_and_a_bad_one_is_named() -> None:
    rates = read_rates("gmail.com 20\n\n* 0.5\n")
    assert rates == {"gmail.com": 20, "*": 0.5}
    assert read_rates(written_rates(rates)) == rates
    for bad in ("gmail.com", "gmail.com fast", "gmail.com 0", "com 5", "gmail.com nan", "a.b -1"):
        with pytest.raises(ValueError, match="line 2"):
            read_rates("ok.example 1\n" + bad)


def test_who_was_asked_back_at_a_time_needs_no_probe_until_it_was_asked_too_often() -> None:
    breaker, now = Breaker(most=3), NOW
    for time in range(1, 4):
        breaker.failed(now, retry_after=10)
        breaker.failed(now + timedelta(seconds=1), retry_after=9)  # told to another worker: the same
        assert breaker.failures == time
        assert breaker.state(now + timedelta(seconds=9)) == "shut"
        now += timedelta(seconds=10)
        assert breaker.state(now) == ("half_open" if time == 3 else "closed")
    breaker.worked(now)
    assert breaker.state(now) == "closed"
