from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from analytics import kpis, rollup
from analytics.models import DailyKpi
from contacts import event_log
from contacts.event_log import NewEvent

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


def test_a_second_open_of_the_same_message_is_no_second_opened_message() -> None:
    happened("Message Opened", channel="email", message=1)
    happened("Message Opened", channel="email", message=1)
    happened("Message Opened", channel="email", message=2)
    rollup.follow(NOW)
    assert figure("opened")[0] == 2


def test_conversions_add_up_their_value() -> None:
    happened("Journey Converted", journey_id=3, value=19.99)
    happened("Journey Converted", journey_id=3, value="5.01")
    rollup.follow(NOW)
    assert figure("converted", journey_id=3) == (2, Decimal("25.00"))


@pytest.mark.parametrize("value", ["much", None, [], {"a": 1}, "NaN", "1e400"])
def test_a_value_that_is_no_number_counts_as_nothing(value: object) -> None:
    assert rollup.money(value) == 0


def test_every_kpi_counts_an_event_of_its_own() -> None:
    assert len(kpis.BY_EVENT) == len(kpis.CATALOGUE)
