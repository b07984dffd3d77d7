"""Ingest under poison, races and death: nothing accepted is lost, nothing is stored twice."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from django.db import connection

from contacts import ingest
from contacts.models import Contact, DeadLetter, Event, InboxItem, Source, SourceCount
from tests import elsewhere
from tests.factories import NOON, make_source, put_in_inbox


@pytest.fixture
def source(transactional_db: None) -> Source:
    return make_source()


def track(user: str, **values: Any) -> dict[str, Any]:
    return {"type": "track", "name": "Seen", "user_id": user, **values}


@pytest.mark.parametrize(
    ("point", "left"), [("ingest.before_commit", 3), ("ingest.after_commit", 0), ("ingest.inside", 3)]
)
def test_a_death_at_any_point_loses_nothing_and_doubles_nothing(
    source: Source, point: str, left: int
) -> None:
    put_in_inbox(source, *(track(f"u{n}") for n in range(3)), lane=1)
    died = elsewhere.run("from contacts import ingest; ingest.take_in(now)", now=NOON, crashpoint=point)
    assert died == 137
    assert InboxItem.objects.count() == left
    ingest.drain(lambda: NOON, seconds=30)
    assert Event.objects.filter(name="Seen").count() == Contact.objects.count() == 3
    count = SourceCount.objects.get()
    assert (count.received, count.accepted, count.duplicate) == (3, 3, 0)


def test_poison_that_only_the_database_notices_is_found_and_set_aside(source: Source) -> None:
    good = put_in_inbox(source, *(track(f"u{n}") for n in range(30)), lane=1)
    for position in (3, 17):
        payload = bytes(good[position].payload).replace(b'"props":{}', b'"props":{"big":1e999999}')
        InboxItem.objects.filter(id=good[position].id).update(payload=payload)
    assert ingest.take_in(NOON) == 30
    assert Event.objects.filter(name="Seen").count() == 28
    assert list(DeadLetter.objects.values_list("code", flat=True)) == ["ingest_error"] * 2
    count = SourceCount.objects.get()
    assert (count.received, count.accepted, count.rejected) == (30, 28, 2)
    assert not InboxItem.objects.exists()


@pytest.mark.parametrize(
    "properties",
    [b'{"a":"\\u0000"}', b'{"\\u0000":1}', b'{"a":"\\ud800"}', b'{"a":' + b"[" * 9_000 + b"]" * 9_000 + b"}"],
    ids=["NUL in a value", "NUL in a key", "lone surrogate", "9,000 levels"],
)
def test_what_slipped_past_intake_harms_only_itself(source: Source, properties: bytes) -> None:
    items = put_in_inbox(source, track("u1"), track("u2"), track("u3"), lane=1)
    payload = bytes(items[1].payload).replace(b'"props":{}', b'"props":' + properties)
    InboxItem.objects.filter(id=items[1].id).update(payload=payload)
    assert ingest.take_in(NOON) == 3
    assert Event.objects.filter(name="Seen").count() == 2
    assert DeadLetter.objects.count() == 1


def test_a_fault_of_the_store_leaves_the_items_where_they_are(source: Source) -> None:
    put_in_inbox(source, track("u1"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE contacts_oncekey RENAME TO elsewhere")
    try:
        with pytest.raises(Exception, match="contacts_oncekey"):
            ingest.take_in(NOON)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO contacts_oncekey")
    assert InboxItem.objects.count() == 1
    assert not DeadLetter.objects.exists()
    assert ingest.take_in(NOON) == 1


def test_events_of_a_source_that_is_gone_are_kept(source: Source) -> None:
    put_in_inbox(source, track("u1"), track("null"), lane=1)
    Source.objects.all().delete()
    assert ingest.take_in(NOON) == 2
    assert Event.objects.filter(name="Seen").count() == 1


def test_a_lane_in_other_hands_is_left_alone(source: Source) -> None:
    put_in_inbox(source, track("u1"), lane=1)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, s) FROM generate_series(0, 63) AS s",
            [zlib.crc32(b"ingest") & 0x7FFFFFFF],
        )
        assert ingest.take_in(NOON) == 0
        cursor.execute("ROLLBACK")
    other.close()
    assert ingest.take_in(NOON) == 1
