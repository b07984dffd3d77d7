"""From the inbox into profiles and the log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

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
