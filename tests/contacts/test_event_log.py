"""The log is read in the order of commits, by readers that neither lose nor repeat."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from contacts import event_log
from contacts.event_log import LogEvent, NewEvent
from tests.factories import NOON

pytestmark = pytest.mark.django_db(transaction=True)

READER = "test"


def log(*names: str, contact: int = 1) -> None:
    event_log.append(NewEvent(contact, name, NOON, NOON) for name in names)


def read(limit: int = 100) -> list[LogEvent]:
    with transaction.atomic():
        events = event_log.read_after(READER, limit)
        event_log.advance(READER, events)
    return events


def names(limit: int = 100) -> list[str]:
    return [event.name for event in read(limit)]


@contextmanager
def another_connection() -> Iterator[BaseDatabaseWrapper]:
    """Make ``connection`` a second one for the block, with a transaction that stays open until told."""
    first = connections["default"]
    second = first.copy()
    try:
        yield second
    finally:
        second.close()


def test_each_event_is_read_once_and_in_order() -> None:
    log("a", "b", "c")
    assert [names(2), names(2), names(2)] == [["a", "b"], ["c"], []]


def test_an_event_that_was_written_early_and_committed_late_is_not_lost() -> None:
    with another_connection() as slow:
        slow.set_autocommit(False)
        with slow.cursor() as cursor:
            cursor.execute(
                "INSERT INTO contacts_event (contact_id, lane, slot, kind, name, occurred_at, received_at)"
                " VALUES (1, 1, 1, 1, 'early', %s, %s)",
                [NOON, NOON],
            )
        log("late")
        assert names() == []
        slow.commit()
    assert names() == ["early", "late"]


def test_a_reader_that_fails_reads_the_same_again() -> None:
    log("a")

    def fail() -> None:
        with transaction.atomic():
            event_log.advance(READER, event_log.read_after(READER, 10))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert names() == ["a"]


def test_readers_do_not_move_each_others_cursors() -> None:
    log("a")
    assert names() == ["a"]
    with transaction.atomic():
        assert [event.name for event in event_log.read_after("another", 10)] == ["a"]


def test_a_new_reader_may_begin_at_the_end() -> None:
    log("old")
    event_log.start_at_end(READER)
    log("new")
    assert names() == ["new"]


def test_events_of_any_year_come_back() -> None:
    instants = [NOON.replace(year=year) for year in (1, 1970, 2026, 9999)]
    event_log.append(NewEvent(1, "far", at, NOON, properties=b'{"n": 1}') for at in instants)
    assert [(event.occurred_at, event.properties) for event in read()] == [(at, {"n": 1}) for at in instants]


def test_a_busy_lane_does_not_keep_the_others_waiting() -> None:
    log(*["busy"] * 500, contact=1)
    log("calm", contact=2)
    log(*["busier"] * 500, contact=1)
    assert "calm" in [*names(limit=400), *names(limit=400)]


def test_many_writers_and_readers_share_the_log_without_loss_or_repeat(seed: int) -> None:
    written = 600
    seen: list[str] = []
    busy = threading.Event()

    def write(number: int) -> None:
        dice = random.Random(seed + number)
        for step in range(written // 3):
            with transaction.atomic():
                log(f"{number}/{step}", contact=dice.randrange(1, 200))
                if dice.random() < 0.1:
                    threading.Event().wait(0.005)
        connection.close()

    def follow() -> None:
        while not busy.is_set() or read_some():
            read_some()
        connection.close()

    def read_some() -> bool:
        with transaction.atomic():
            events = event_log.read_after(READER, 20, most_lanes=8)
            event_log.advance(READER, events)
        seen.extend(event.name for event in events)
        return bool(events)

    writers = [threading.Thread(target=write, args=[number]) for number in range(3)]
    readers = [threading.Thread(target=follow) for _ in range(2)]
    for thread in writers + readers:
        thread.start()
    for thread in writers:
        thread.join()
    busy.set()
    for thread in readers:
        thread.join()
    while events := read():
        seen.extend(event.name for event in events)
    assert len(seen) == len(set(seen)) == written


def test_lines_keep_what_they_were_given() -> None:
    happened = NOON - timedelta(hours=1)
    event_log.append(
        [NewEvent(65, "Seen", happened, NOON, event_log.TRACK, 3, "m1", {"a": [1, None]}, {"ip": "::1"})]
    )
    (event,) = read()
    assert (event.lane, event.slot, event.contact_id, event.kind, event.source_id) == (1, 1, 65, 1, 3)
    assert (event.occurred_at, event.received_at) == (happened, NOON)
    assert event.properties == {"a": [1, None]}
