"""Measuring needs its own consent; withdrawing it reaches back, and totals stay right."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Sum

from channels import actors, engagement, hits, unmeasuring
from channels.hits import NewHit
from channels.models import EngagementTotal, LastOpen, Message, Receipt
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import ConsentState, Contact, Event, TrackingRule
from tests.factories import NOON, make_contact, make_queued

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_1) AppleWebKit/605.1.15 Safari/605.1.15"


def fetched(contact: Contact, kind: str = "open", at: Any = NOON + HOUR) -> Message:
    message = make_queued(contact, state=Message.State.ACCEPTED, due_at=None, accepted_at=NOON)
    data = {"method": "GET", "agent": BROWSER, "purpose": ""}
    hits.write([NewHit(at, kind, message.id, message.created_at, data=data)])
    engagement.absorb(at + actors.SETTLED)
    message.refresh_from_db()
    return message


def answer(contact: Contact, given: bool, at: Any) -> None:
    consent.record([NewConsent(contact.id, "email", "tracking", given, "test")], at)


def test_a_country_asks_for_a_yes_from_its_day_on() -> None:
    TrackingRule.objects.bulk_create(
        TrackingRule(country=country, effective_on=day, unasked=unasked)
        for country, day, unasked in (
            ("", NOON.date() - timedelta(days=900), True),
            ("FR", NOON.date() - timedelta(days=900), True),
            ("FR", NOON.date() + timedelta(days=1), False),
        )
    )
    paul, jean = make_contact(country="GB"), make_contact(country="FR")
    tomorrow = NOON + timedelta(days=1)
    assert fetched(paul, at=tomorrow).opened_at is not None
    assert fetched(jean, at=tomorrow).opened_at is None
    assert fetched(jean).opened_at is not None


def test_where_a_rule_asks_for_a_yes_a_yes_is_enough() -> None:
    jean = make_contact(country="FR")
    answer(jean, True, NOON)
    assert fetched(jean).opened_at == NOON + HOUR


def test_a_yes_says_nothing_of_what_was_fetched_before() -> None:
    jean = make_contact(country="FR")
    answer(jean, True, NOON + 2 * HOUR)
    assert fetched(jean).opened_at is None


def test_a_withdrawal_counts_for_what_was_fetched_before_and_not_yet_read() -> None:
    paul = make_contact()
    answer(paul, False, NOON + 2 * HOUR)
    assert fetched(paul).opened_at is None


def test_withdrawing_takes_everything_off_the_name_and_keeps_the_totals() -> None:
    paul, other = make_contact(), make_contact()
    answer(paul, True, NOON)
    for kind in ("open", "click", "open"):
        fetched(paul, kind)
    fetched(other)
    answer(paul, False, NOON + 2 * HOUR)
    assert unmeasuring.follow(NOON + 2 * HOUR) == 0  # what came a moment ago may not have been counted yet
    assert unmeasuring.follow(NOON + 3 * HOUR) == 1
    assert unmeasuring.follow(NOON + 3 * HOUR) == 0
    assert not Receipt.objects.filter(contact_id=paul.id).exists()
    assert not Message.objects.filter(contact=paul, opened_at__isnull=False).exists()
    assert not Event.objects.filter(
        contact_id=paul.id, name__in=["Message Opened", "Message Clicked"]
    ).exists()
    assert EngagementTotal.objects.aggregate(Sum("hits"))["hits__sum"] == 3
    assert not EngagementTotal.objects.filter(named=False).exists()
    assert LastOpen.objects.get().contact_id == paul.id
    assert Receipt.objects.get().contact_id == other.id
    assert ConsentState.objects.get(contact=paul, purpose="tracking").settled


def test_withdrawing_on_one_channel_leaves_the_others() -> None:
    paul = make_contact()
    fetched(paul)
    consent.record([NewConsent(paul.id, "sms", "tracking", False, "test")], NOON + 2 * HOUR)
    unmeasuring.follow(NOON + 3 * HOUR)
    assert Receipt.objects.filter(contact_id=paul.id).count() == 1
