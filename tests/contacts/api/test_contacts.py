"""Contacts by the API: listed, found, created and changed."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from contacts import clock, segments
from contacts.models import Contact, Event, Identifier, Merge, Segment
from contacts.privacy import people, tombstones
from tests.contacts.api.caller import Caller
from tests.examples import examples
from tests.factories import NOON, make_contact
from tests.statements import statements

pytestmark = pytest.mark.django_db


def named(number: int, **more: Any) -> dict[str, Any]:
    return {"user_id": f"u{number}", "email": f"u{number}@example.com", **more}


def everything(caller: Caller, **query: Any) -> list[dict[str, Any]]:
    found, cursor = [], None
    while True:
        page = caller.get("contacts", **query, **({"cursor": cursor} if cursor else {})).json()
        found += page["items"]
        if not (cursor := page["next"]):
            return found


def test_a_contact_is_created_changed_and_left_alone() -> None:
    caller = Caller()
    body = {"user_id": "u1", "email": " Ada@Example.com ", "attributes": {"plan": "gold"}, "country": "fr"}
    first = caller.post("contacts", body).json()
    again = caller.post("contacts", body).json()
    changed = caller.post("contacts", {"user_id": "u1", "attributes": {"plan": None, "size": 4}}).json()
    assert [first["status"], again["status"], changed["status"]] == ["created", "unchanged", "updated"]
    assert first["id"] == again["id"] == changed["id"]
    contact = caller.get(f"contacts/{first['id']}").json()
    assert (contact["email"], contact["country"], contact["attributes"]) == (
        "ada@example.com",
        "FR",
        {"size": 4},
    )
    assert {one["kind"] for one in contact["identifiers"]} == {"user", "email"}
    assert "pk" not in contact


def test_what_changed_is_told_to_segments_and_journeys_and_what_did_not_is_not() -> None:
    caller = Caller()
    for _time in range(2):
        caller.post("contacts", {"user_id": "u1", "attributes": {"plan": "gold"}})
    assert list(Event.objects.values_list("name", flat=True)) == ["Contact Created", "Identified"]
    assert Contact.objects.get().origins["declared"]["plan"][0].startswith("api:")


def test_a_contact_is_found_by_any_of_its_names() -> None:
    caller = Caller()
    body = {"user_id": "u1", "email": "a@example.com", "phone": "+33612345678", "anonymous_id": "anon"}
    made = caller.post("contacts", body).json()["id"]
    for name, value in {**body, "id": made, "email": "A@EXAMPLE.com", "phone": "+33 6 12 34 56 78"}.items():
        assert caller.get("contacts/lookup", **{name: value}).json()["id"] == made
        if name != "id":
            assert [one["id"] for one in everything(caller, **{name: value})] == [made]
    assert caller.get("contacts/lookup", email="b@example.com").status_code == 404
    assert caller.get("contacts/lookup", id="no uuid").status_code == 404
    assert caller.get("contacts/lookup").json()["code"] == "one_name_needed"
    assert caller.get("contacts/lookup", email="a@example.com", user_id="u1").status_code == 400
    assert caller.get(f"contacts/{uuid.uuid4()}").status_code == 404


def test_two_that_turn_out_to_be_one_are_merged_and_the_former_id_still_answers() -> None:
    caller = Caller()
    first = caller.post("contacts", {"anonymous_id": "browser"}).json()["id"]
    second = caller.post("contacts", {"user_id": "u1"}).json()["id"]
    caller.post("contacts", {"user_id": "u1", "anonymous_id": "browser"})
    assert Merge.objects.count() == 1
    assert caller.get(f"contacts/{first}").json()["id"] == caller.get(f"contacts/{second}").json()["id"]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "user_id", "required"),
        ({"first_name": "Ada"}, "user_id", "required"),
        ({"user_id": "null"}, "user_id", "invalid"),
        ({"user_id": ["x"]}, "user_id", "invalid"),
        ({"user_id": True}, "user_id", "invalid"),
        ({"user_id": "x" * 513}, "user_id", "invalid"),
        ({"email": "a@b@c"}, "email", "invalid"),
        ({"email": 3}, "email", "invalid"),
        ({"user_id": "u", "phone": "12"}, "phone", "invalid"),
        ({"user_id": "u", "first_name": "x" * 201}, "first_name", "invalid"),
        ({"user_id": "u", "timezone": "Paris"}, "timezone", "invalid"),
        ({"user_id": "u", "country": "Freedonia"}, "country", "invalid"),
        ({"user_id": "u", "language": "??"}, "language", "invalid"),
        ({"user_id": "u", "attributes": []}, "attributes", "invalid"),
        ({"user_id": "u", "attributes": {"": 1}}, "attributes.", "invalid"),
        ({"user_id": "u", "attributes": {"Email": "x"}}, "attributes.Email", "reserved"),
        ({"user_id": "u", "attributes": {"paused_until": "x"}}, "attributes.paused_until", "reserved"),
        ({"user_id": "u", "attributes": {"a": "x" * 70_000}}, "attributes", "too_large"),
        ({"user_id": "u", "id": 1}, "id", "unknown_field"),
        ({"user_id": "u", "public_id": str(uuid.uuid4())}, "public_id", "unknown_field"),
        ({"user_id": "u", "consent": True}, "consent", "unknown_field"),
        ([], None, "invalid"),
        (3, None, "invalid"),
    ],
)
def test_a_contact_that_cannot_be_kept_as_told_is_refused_by_its_field(
    body: Any, field: str | None, code: str
) -> None:
    caller = Caller()
    alone = caller.post("contacts", body)
    assert (alone.status_code, alone.json()["field"], alone.json()["code"]) == (400, field, code)
    answer = caller.post("contacts/bulk", {"contacts": [named(1), body, named(2)]}).json()
    assert (answer["created"], answer["rejected"]) == (2, 1)
    assert answer["results"][1]["errors"][0]["code"] == code
    assert Contact.objects.count() == 2


def test_many_are_told_one_by_one_what_became_of_them_and_the_last_word_holds() -> None:
    caller = Caller()
    caller.post("contacts", named(1))
    items = [
        named(1),
        named(2, attributes={"n": 1}),
        {"user_id": "u2", "attributes": {"n": 2}},
        {"nobody": 1},
        {"email": "u1@example.com", "first_name": "Ada"},
    ]
    answer = caller.post("contacts/bulk", {"contacts": items}).json()
    numbers = [answer[status] for status in ("created", "updated", "unchanged", "rejected")]
    assert [one["status"] for one in answer["results"]] == [
        "updated",
        "created",
        "updated",
        "rejected",
        "updated",
    ]
    assert numbers == [1, 3, 0, 1]
    assert answer["results"][1]["id"] == answer["results"][2]["id"]
    assert Contact.objects.get(email="u2@example.com").attributes == {"n": 2}


def test_attributes_that_find_no_room_are_named() -> None:
    caller = Caller()
    caller.post("contacts", {"user_id": "u1", "attributes": {f"k{number}": 1 for number in range(500)}})
    outcome = caller.post("contacts", {"user_id": "u1", "attributes": {"new": 1, "k1": 2}}).json()
    assert (outcome["status"], outcome["not_kept"]) == ("updated", ["new"])


def test_who_was_erased_is_not_brought_back(settings: Settings, tmp_path: Path) -> None:
    settings.SEGUE_HOME = tmp_path
    caller = Caller()
    caller.post("contacts", {"user_id": "u1", "email": "a@example.com"})
    erased = people.known([Contact.objects.get().pk])
    tombstones.lay(erased, clock.now())
    Contact.objects.all().delete()
    answer = caller.post(
        "contacts/bulk", {"contacts": [{"email": "a@example.com"}, {"user_id": "u2"}]}
    ).json()
    assert [one["status"] for one in answer["results"]] == ["rejected", "created"]
    assert answer["results"][0]["errors"][0]["code"] == "erased"
    assert caller.post("contacts", {"user_id": "u1"}).json()["code"] == "erased"


def test_more_than_a_thousand_and_none_are_refused() -> None:
    caller = Caller()
    refused: list[Any] = [[], [named(number) for number in range(1001)], {}, "x", None]
    for items in refused:
        answer = caller.post("contacts/bulk", {"contacts": items})
        assert (answer.status_code, answer.json()["field"]) == (400, "contacts")


def test_statements_do_not_grow_with_the_number_of_contacts() -> None:
    caller = Caller()
    caller.get("me")
    counts = []
    for size in (10, 500):
        body = {
            "contacts": [named(size * 10_000 + number, attributes={"n": number}) for number in range(size)]
        }
        with statements() as bulk:
            assert caller.post("contacts/bulk", body).json()["created"] == size
        with statements() as listed:
            assert len(caller.get("contacts", limit=size).json()["items"]) == size
        counts.append((bulk.total, listed.total))
    assert counts[0] == counts[1]
    assert counts[0][1] <= 3


def test_pages_give_each_contact_once_by_every_filter() -> None:
    caller = Caller()
    made = [make_contact(now=NOON + timedelta(minutes=number // 4)) for number in range(17)]
    wanted = [str(one.public_id) for one in made]
    assert [one["id"] for one in everything(caller, limit=3)] == wanted
    later = everything(caller, limit=4, updated_after=NOON.isoformat())
    assert [one["id"] for one in later] == wanted[4:]
    segment = Segment.objects.create(name="VIP", slug="vip", kind=Segment.Kind.STATIC)
    segments.add(segment, [one.pk for one in made[::2]], NOON)
    assert [one["id"] for one in everything(caller, limit=2, segment="vip")] == wanted[::2]
    assert everything(caller, known="false") == []
    assert caller.get("contacts", segment="nowhere").json()["field"] == "segment"
    assert caller.get(f"contacts/{wanted[0]}").json()["segments"] == ["vip"]


def test_the_same_bulk_sent_again_with_its_key_is_answered_as_at_first() -> None:
    caller = Caller()
    body = {"contacts": [named(number) for number in range(3)]}
    first = caller.post("contacts/bulk", body, Idempotency_Key="night-1").json()
    again = caller.post("contacts/bulk", body, Idempotency_Key="night-1").json()
    assert first == again
    assert first["created"] == 3


@pytest.mark.django_db(transaction=True)
def test_programs_that_write_the_same_people_at_once_make_each_of_them_once() -> None:
    key = Caller().key
    answers: list[int] = []

    def write(turn: int) -> None:
        items = [named((number * 7 + turn * 3) % 40, attributes={"by": turn}) for number in range(40)]
        caller = Caller(key=key)
        answers.extend(caller.post("contacts/bulk", {"contacts": items}).status_code for _time in range(3))
        connection.close()

    threads = [threading.Thread(target=write, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 409}
    assert Contact.objects.count() == 40
    assert Identifier.objects.count() == 80


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELD = st.sampled_from(["user_id", "email", "phone", "country", "attributes", "language", "x", "first_name"])


@examples(60)
@given(items=st.lists(st.dictionaries(FIELD, JSON, max_size=4) | JSON, min_size=1, max_size=4))
def test_nothing_that_a_program_sends_is_an_error_of_ours(items: list[Any]) -> None:
    caller = Caller()
    sent = [{"user_id": "fine", "attributes": {"n": 1}}, *items]
    answer = caller.post("contacts/bulk", {"contacts": sent})
    assert answer.status_code in {200, 400}, answer.content
    if answer.status_code == 200:
        assert len(answer.json()["results"]) == len(sent)
        assert answer.json()["results"][0]["status"] != "rejected"
    else:
        assert answer.json()["code"]
