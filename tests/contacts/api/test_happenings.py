"""Events of a contact, sources, dead letters, merges and attributes by the API."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from contacts import clock, ingest
from contacts.models import Contact, DeadLetter, InboxItem, Merge
from tests.contacts.api.caller import Caller
from tests.factories import NOON, log_event, make_contact, make_source
from tests.statements import statements

pytestmark = pytest.mark.django_db


def test_events_of_a_contact_come_newest_first_page_by_page() -> None:
    caller, contact = Caller(), make_contact()
    for number in range(7):
        log_event(contact, f"Event {number % 2}", NOON + timedelta(minutes=number // 2), n=number)
    address = f"contacts/{contact.public_id}/events"
    seen: list[int] = []
    cursor = None
    while cursor or not seen:
        page = caller.get(address, limit=3, **({"cursor": cursor} if cursor else {})).json()
        seen += [one["properties"]["n"] for one in page["items"]]
        cursor = page["next"]
    assert seen == [6, 5, 4, 3, 2, 1, 0]
    odd = caller.get(address, name="Event 1", after=(NOON + timedelta(minutes=1)).isoformat()).json()
    assert [one["properties"]["n"] for one in odd["items"]] == [5, 3]
    assert caller.get(f"contacts/{uuid.uuid4()}/events").status_code == 404


def test_statements_do_not_grow_with_the_number_of_events() -> None:
    caller, contact = Caller(), make_contact()
    address = f"contacts/{contact.public_id}/events"
    caller.get("me")
    counts = []
    for size in (10, 500):
        for number in range(size):
            log_event(contact, "Visited", NOON + timedelta(seconds=number))
        with statements() as count:
            assert len(caller.get(address, limit=size).json()["items"]) == size
        counts.append(count.total)
    assert counts[0] == counts[1]


def test_sources_are_listed_with_what_they_sent_today() -> None:
    make_source("Shop")
    (source,) = Caller().get("sources").json()["items"]
    assert source["slug"] == "shop"
    assert source["today"]["received"] == 0


def test_dead_letters_are_read_and_replayed() -> None:
    caller, source = Caller(), make_source("Shop")
    good = '{"type": "track", "event": "Bought", "userId": "u1", "messageId": "m1"}'
    for payload in (good, "no event"):
        DeadLetter.objects.create(
            source=source, received_at=NOON, code="ingest_error", reason="then", payload=payload
        )
    letters = caller.get("dead-letters", source="shop", replayed="false").json()["items"]
    assert [one["payload"] for one in letters] == ["no event", good]
    done = caller.post("dead-letters/replay", {"ids": [one["id"] for one in letters] + [2**62]}).json()
    assert done == {"stored": 1, "rejected": 1}
    assert InboxItem.objects.count() == 1
    assert ingest.take_in(clock.now()) == 1
    assert len(caller.get("dead-letters", replayed="true").json()["items"]) == 1
    for ids in ([], ["x"], [2**63], None, [True, None]):
        assert caller.post("dead-letters/replay", {"ids": ids}).json()["field"].startswith("ids")


def test_a_merge_is_told_and_undone_once() -> None:
    caller = Caller()
    first = caller.post("contacts", {"anonymous_id": "browser"}).json()["id"]
    second = caller.post("contacts", {"user_id": "u1"}).json()["id"]
    caller.post("contacts", {"user_id": "u1", "anonymous_id": "browser"})
    (merge,) = caller.get("merges", contact=second).json()["items"]
    assert (merge["former"], merge["remaining"]) == (first, second)
    undone = caller.post(f"merges/{merge['id']}/undo")
    assert undone.json()["undone_at"]
    assert Contact.objects.count() == 2
    again = caller.post(f"merges/{merge['id']}/undo")
    assert (again.status_code, again.json()["code"]) == (409, "not_undoable")
    assert caller.post(f"merges/{10**30}/undo").status_code == 404
    assert caller.post("merges/4711/undo").status_code == 404
    assert [one["id"] for one in caller.get("merges", undone="true").json()["items"]] == [
        Merge.objects.get().pk
    ]
    assert caller.get("merges", undone="false").json()["items"] == []


def test_attributes_are_named_with_their_types() -> None:
    caller = Caller()
    caller.post("contacts", {"user_id": "u1", "attributes": {"plan": "gold"}})
    names = {one["name"]: one["column"] for one in caller.get("attributes").json()}
    assert names["plan"] is False
    assert names["email"] is True
