"""Monthly partitions: made ahead, made late, dropped when old."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from contacts import event_log, partitions
from contacts.event_log import NewEvent
from contacts.models import Event
from tests.factories import NOON

pytestmark = pytest.mark.django_db

TABLE = "contacts_event"


def log(*instants: datetime) -> None:
    event_log.append(NewEvent(1, "Seen", at, at) for at in instants)


def rows_in(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM ONLY "{table}"')
        (count,) = cursor.fetchone() or (0,)
    return int(count)


def test_the_months_around_now_are_made_once() -> None:
    made = partitions.ensure_all(NOON)
    assert made == 5 * len(partitions.tables())
    assert partitions.ensure_all(NOON) == 0
    log(NOON, NOON + timedelta(days=60))
    assert (rows_in("contacts_event_p202603"), rows_in("contacts_event_p202605")) == (1, 1)


def test_a_late_partition_takes_over_the_rows_that_came_before_it() -> None:
    log(NOON, NOON.replace(month=4))
    assert rows_in("contacts_event_default") == 2
    partitions.ensure(TABLE, NOON.date(), NOON.date())
    assert (rows_in("contacts_event_default"), rows_in("contacts_event_p202603")) == (1, 1)
    assert Event.objects.count() == 2


def test_months_end_where_the_next_begins() -> None:
    partitions.ensure(TABLE, date(2026, 12, 1), date(2027, 1, 31))
    log(datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert (rows_in("contacts_event_p202612"), rows_in("contacts_event_p202701")) == (1, 1)


def test_old_months_are_dropped_whole() -> None:
    partitions.ensure(TABLE, date(2026, 1, 1), date(2026, 3, 31))
    log(*(NOON.replace(month=month) for month in (1, 2, 3)))
    assert partitions.drop_before(TABLE, date(2026, 3, 15)) == [
        "contacts_event_p202601",
        "contacts_event_p202602",
    ]
    assert [event.occurred_at.month for event in Event.objects.all()] == [3]


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_make_the_same_months_do_not_meet() -> None:
    made: list[int] = []

    def make() -> None:
        try:
            made.append(partitions.ensure(TABLE, date(2031, 1, 1), date(2031, 6, 1)))
        finally:
            connection.close()

    makers = [threading.Thread(target=make) for _ in range(3)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert sum(made) == 6
    partitions.drop_before(TABLE, date(2031, 7, 1))
