"""When a message is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.providers import PROVIDERS
from channels.retry import JITTER, LONGEST_WAIT, MARKETING, TRANSACTIONAL, next_attempt

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def test_waits_grow_with_each_attempt() -> None:
    times = [next_attempt(MARKETING, attempts, NOW, chance=0) for attempts in range(1, MARKETING.most)]
    known = [time for time in times if time]
    assert len(known) == MARKETING.most - 1
    assert known == sorted(known)


def test_attempts_end() -> None:
    assert next_attempt(MARKETING, MARKETING.most, NOW, chance=0) is None


def test_service_messages_are_tried_sooner_and_more_often() -> None:
    marketing = next_attempt(MARKETING, 1, NOW, chance=0)
    service = next_attempt(TRANSACTIONAL, 1, NOW, chance=0)
    assert marketing
    assert service
    assert service < marketing
    assert TRANSACTIONAL.most > MARKETING.most


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        (600, timedelta(seconds=600), timedelta(seconds=600)),
        (-5, timedelta(seconds=60), timedelta(seconds=60)),
        (10 * 365 * 86400.0, LONGEST_WAIT, LONGEST_WAIT),
        (float("inf"), LONGEST_WAIT, LONGEST_WAIT),
    ],
)
def test_a_provider_is_heeded_within_reason(asked: float, least: timedelta, most: timedelta) -> None:
    for chance in (0.0, 1.0):
        due = next_attempt(MARKETING, 1, NOW, chance=chance, retry_after=asked)
        assert due
        assert NOW + least <= due <= NOW + most * (1 + JITTER)


def test_a_crowd_to_one_domain_is_spread_further() -> None:
    alone, among = (next_attempt(MARKETING, 1, NOW, chance=1, crowd=crowd) for crowd in (1, 50))
    assert alone == NOW + timedelta(seconds=60 * (1 + JITTER))
    assert among == NOW + timedelta(seconds=60 * (1 + 4 * JITTER))


def test_text_messages_are_tried_again_sooner_than_mails() -> None:
    mail, text = (PROVIDERS[kind].schedules[0] for kind in ("smtp", "http_sms"))
    first = [next_attempt(schedule, 1, NOW, chance=0) for schedule in (mail, text)]
    assert first == [NOW + timedelta(seconds=60), NOW + timedelta(seconds=30)]


def test_who_names_a_time_is_asked_again_then_and_after_some_times_the_schedule_counts_too() -> None:
    due = [next_attempt(MARKETING, attempts, NOW, chance=0, retry_after=4) for attempts in (1, 3, 4)]
    assert due == [NOW + timedelta(seconds=seconds) for seconds in (4, 4, 3600)]
    spread = next_attempt(MARKETING, 1, NOW, chance=1, retry_after=600)
    assert spread == NOW + timedelta(seconds=605)
    assert next_attempt(MARKETING, 1, NOW, chance=0, retry_after=0.01) == NOW + timedelta(seconds=1)
