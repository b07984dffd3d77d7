import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from analytics import kpis, rollup
from analytics.models import DailyKpi
from channels.models import Message
from contacts import event_log
from contacts.event_log import NewEvent
from contacts.models import Contact
from journeys.models import Journey
from tests.factories import make_contact

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


def happened(name: str, *, at: datetime = NOW, contact: int = 1, **properties: object) -> None:
    with transaction.atomic():
        event_log.append([NewEvent(contact, name, at, at, properties=properties)])


def figure(kpi: str, **where: object) -> tuple[int, Decimal]:
    row = DailyKpi.objects.get(kpi=kpi, **where)
    return row.count, row.amount


def test_messages_count_by_day_channel_and_journey() -> None:
    happened("Message Sent", channel="email", journey_id=7)
    happened("Message Sent", channel="email", journey_id=7, contact=2)
    happened("Message Sent", channel="sms", at=NOW - timedelta(days=1))
    rollup.follow(NOW)
    assert figure("sent", channel="email", journey_id=7, day=date(2026, 3, 4))[0] == 2
    assert figure("sent", channel="sms", journey_id=0, day=date(2026, 3, 3))[0] == 1


def test_an_event_is_counted_once_however_often_the_pulse_runs() -> None:
    happened("Message Sent", channel="email")
    rollup.follow(NOW)
    happened("Message Sent", channel="email")
    rollup.follow(NOW)
    rollup.follow(NOW)
    assert figure("sent")[0] == 2


def test_what_a_source_calls_by_our_names_is_in_no_figure() -> None:
    with transaction.atomic():
        event_log.append(
            NewEvent(1, name, NOW, NOW, event_log.TRACK, properties={"channel": "email", "value": 9})
            for name in ("Message Sent", "Message Opened", "Journey Converted")
        )
    assert rollup.follow(NOW) == 3
    assert not DailyKpi.objects.exists()


def test_a_second_open_of_the_same_message_is_no_second_opened_message() -> None:
    happened("Message Opened", channel="email", message=1)
    happened("Message Opened", channel="email", message=1)
    happened("Message Opened", channel="email", message=2)
    rollup.follow(NOW)
    assert figure("opened")[0] == 2


def sent(journey: Journey, contact: Contact, at: datetime, channel: str = "sms") -> None:
    Message.objects.create(
        slot=contact.slot, contact=contact, created_at=at, accepted_at=at, key=uuid.uuid4(), channel=channel,
        state=Message.State.ACCEPTED, origin_id=journey.pk, origin_slug=journey.slug,
    )  # fmt: skip


def converted(journey: Journey, contact: Contact, value: object) -> None:
    happened("Journey Converted", contact=contact.pk, journey=journey.slug, value=value)


def test_goals_add_up_their_value_with_and_without_a_message() -> None:
    journey, contact = Journey.objects.create(name="Cart", slug="cart"), make_contact()
    converted(journey, contact, 19.99)
    converted(journey, contact, "5.01")
    rollup.follow(NOW)
    assert figure("goals", journey_id=journey.pk) == (2, Decimal("25.00"))


def test_a_conversion_is_credited_to_the_channel_of_the_last_message_before() -> None:
    journey, contact = Journey.objects.create(name="Cart", slug="cart"), make_contact()
    sent(journey, contact, NOW - timedelta(days=2), "email")
    sent(journey, contact, NOW - timedelta(days=1), "sms")
    converted(journey, contact, 10)
    rollup.follow(NOW)
    assert figure("converted", channel="sms", journey_id=journey.pk) == (1, Decimal("10.00"))


def test_a_goal_without_a_message_before_is_no_conversion() -> None:
    journey, contact = Journey.objects.create(name="Cart", slug="cart"), make_contact()
    sent(journey, contact, NOW - timedelta(days=rollup.CREDIT_DAYS + 1))
    converted(journey, contact, 10)
    rollup.follow(NOW)
    assert not DailyKpi.objects.filter(kpi="converted").exists()


@pytest.mark.parametrize("value", ["much", None, [], {"a": 1}, "NaN", "1e400"])
def test_a_value_that_is_no_number_counts_as_nothing(value: object) -> None:
    assert rollup.money(value) == 0


def test_every_kpi_has_a_key_of_its_own() -> None:
    assert len(kpis.BY_KEY) == len(kpis.CATALOGUE)
