"""From the inbox into profiles and the log."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from contacts import ingest
from contacts.models import Contact, DeadLetter, Event, Identifier, InboxItem, Merge, Source, SourceCount
from tests.factories import NOON, make_source, put_in_inbox
from tests.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> Source:
    return make_source()


def track(name: str = "Product Viewed", **values: Any) -> dict[str, Any]:
    return {"type": "track", "name": name, **values}


def identify(**values: Any) -> dict[str, Any]:
    return {"type": "identify", **values}


def take_in(source: Source, *calls: dict[str, Any]) -> int:
    put_in_inbox(source, *calls)
    return ingest.drain(lambda: NOON, seconds=60)


def names() -> list[str]:
    return list(Event.objects.order_by("id").values_list("name", flat=True))


def test_an_event_of_a_stranger_makes_a_contact_and_lines_in_the_log(source: Source) -> None:
    assert take_in(source, track(anonymous_id="a1", properties={"sku": "7"})) == 1
    contact = Contact.objects.get()
    assert (contact.slot, contact.known) == (contact.id % 64, False)
    assert names() == ["Contact Created", "Product Viewed"]
    line = Event.objects.get(name="Product Viewed")
    assert (line.contact_id, line.slot, line.properties) == (contact.id, contact.slot, {"sku": "7"})
    assert not InboxItem.objects.exists()


def test_a_message_id_counts_once_for_each_source(source: Source) -> None:
    again = track(user_id="u1", message_id="m1")
    take_in(source, again, again)
    take_in(source, again)
    take_in(make_source("App"), again)
    assert Event.objects.filter(name="Product Viewed").count() == 2
    count = SourceCount.objects.get(source=source)
    assert (count.received, count.accepted, count.duplicate, count.rejected) == (3, 1, 2, 0)


def test_what_cannot_be_read_becomes_a_dead_letter_and_its_neighbours_go_in(source: Source) -> None:
    InboxItem.objects.create(lane=1, source_id=source.id, received_at=NOON, payload=b"\xff{not json")
    InboxItem.objects.create(
        lane=1, source_id=source.id, received_at=NOON, payload=b"{}", rejection="too_large: 40 KB"
    )
    take_in(source, track(user_id="u1"), track(user_id="null"))
    assert set(DeadLetter.objects.values_list("code", flat=True)) == {
        "decode_error",
        "too_large",
        "no_identity",
    }
    assert names() == ["Contact Created", "Product Viewed"]
    count = SourceCount.objects.get()
    assert (count.received, count.accepted, count.rejected) == (4, 1, 3)


def test_identify_links_what_the_browser_did_before(source: Source) -> None:
    take_in(source, track(anonymous_id="a1"))
    take_in(source, identify(user_id="u1", properties={"email": "Ada@Example.org", "firstName": "Ada"}))
    take_in(source, identify(user_id="u1", anonymous_id="a1"))
    contact = Contact.objects.get()
    assert (contact.email, contact.first_name, contact.known) == ("ada@example.org", "Ada", True)
    assert set(Event.objects.values_list("contact_id", "slot")) == {(contact.id, contact.slot)}
    assert Identifier.objects.filter(contact=contact).count() == 3
    assert Merge.objects.get().winner_id == contact.id


def test_statements_do_not_grow_with_the_batch(source: Source) -> None:
    people = range(1_500)
    take_in(source, *[call for n in people for call in (track(anonymous_id=f"a{n}"), track(user_id=f"u{n}"))])
    put_in_inbox(
        source,
        *[
            call
            for n in people
            for call in (
                identify(user_id=f"u{n}", anonymous_id=f"a{n}", properties={"age": n}),
                track(user_id=f"u{n}"),
                track(anonymous_id=f"new{n}"),
                track(user_id="undefined"),
            )
        ],
        lane=7,
    )
    counts = []
    for size in (10, 1_000):
        merges, letters = Merge.objects.count(), DeadLetter.objects.count()
        with statements() as count:
            assert ingest.take_in(NOON, limit=size) == size
        assert Merge.objects.count() > merges
        assert DeadLetter.objects.count() > letters
        counts.append(count.total)
    assert counts[0] == counts[1]


def test_first_and_last_seen_follow_the_events_time(source: Source) -> None:
    take_in(source, track(user_id="u1"))
    take_in(source, track(user_id="u1", occurred_at=NOON - timedelta(days=3)))
    contact = Contact.objects.get()
    assert (contact.first_seen_at, contact.last_seen_at) == (NOON - timedelta(days=3), NOON)


def test_a_profile_that_changes_without_an_identify_says_so_in_the_log(source: Source) -> None:
    take_in(source, track(anonymous_id="a1"))
    take_in(source, track(user_id="u1", anonymous_id="a1"))
    take_in(source, track(user_id="u1", context={"traits": {"email": "Ada@example.org"}}))
    lines = Event.objects.filter(name="Identified").order_by("id")
    assert [line.properties for line in lines] == [{"known": True}, {"email": "ada@example.org"}]
    take_in(source, identify(user_id="u1", properties={"plan": "gold"}))
    assert lines.all().count() == 3


@pytest.mark.parametrize(
    "occurred_at",
    [
        NOON.replace(year=1),
        NOON.replace(year=1969),
        NOON.replace(year=2036),
        NOON.replace(year=9999),
        NOON + timedelta(days=1, seconds=1),
    ],
    ids=str,
)
def test_a_time_that_nobody_can_mean_is_the_time_of_arrival(source: Source, occurred_at: datetime) -> None:
    take_in(source, track(user_id="u1", occurred_at=occurred_at))
    assert set(Event.objects.values_list("occurred_at", flat=True)) == {NOON}
    contact = Contact.objects.get()
    assert (contact.first_seen_at, contact.last_seen_at) == (NOON, NOON)


@pytest.mark.parametrize(
    ("call", "name", "properties"),
    [
        (
            {"type": "page", "name": "Shoes", "properties": {"path": "/"}},
            "Page Viewed",
            {"name": "Shoes", "path": "/"},
        ),
        ({"type": "page", "name": "Shoes"}, "Page Viewed", {"name": "Shoes"}),
        ({"type": "page", "name": "A", "properties": {"name": "B"}}, "Page Viewed", {"name": "B"}),
        ({"type": "screen", "name": 'Q "1"'}, "Screen Viewed", {"name": 'Q "1"'}),
        (
            {"type": "group", "group_id": "g1", "properties": {"plan": "x"}},
            "Group Joined",
            {"group_id": "g1", "plan": "x"},
        ),
        ({"type": "alias", "previous_id": "a9"}, "Aliased", {"previous_id": "a9"}),
        ({"type": "identify", "properties": {"plan": "x"}}, "Identified", {"plan": "x"}),
        (
            {"type": "track", "name": "Order Completed", "properties": {"total": 9.5}},
            "Order Completed",
            {"total": 9.5},
        ),
    ],
)
def test_each_call_has_its_line_in_the_log(
    source: Source, call: dict[str, Any], name: str, properties: dict[str, Any]
) -> None:
    take_in(source, {"user_id": "u1", **call})
    line = Event.objects.exclude(message_id=None).get()
    assert (line.name, line.properties) == (name, properties)


@pytest.mark.django_db(transaction=True)
def test_the_same_messages_in_many_hands_count_once(source: Source) -> None:
    calls = [track(user_id=f"u{n}", message_id=f"m{n}") for n in range(80)]
    for lane in range(6):
        put_in_inbox(source, *calls, lane=lane)

    def work() -> None:
        try:
            while InboxItem.objects.exists():
                ingest.take_in(NOON, limit=50)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Event.objects.filter(name="Product Viewed").count() == Contact.objects.count() == 80
    count = SourceCount.objects.get()
    assert (count.received, count.accepted, count.duplicate) == (480, 80, 400)
