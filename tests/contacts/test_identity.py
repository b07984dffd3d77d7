"""Finding, creating and joining contacts in the database, alone and beside other workers."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from contacts import ingest
from contacts.directory import Identifier
from contacts.models import Contact, DeadLetter, Event, InboxItem, Merge, Source, SourceCount
from contacts.models import Identifier as Stored
from tests.contacts.test_directory import grouped
from tests.examples import examples
from tests.factories import NOON, make_source, put_in_inbox

USERS, BROWSERS = ["u1", "u2", "u3"], ["a1", "a2", "a3", "a4"]
calls = st.one_of(
    st.fixed_dictionaries({"type": st.just("track"), "anonymous_id": st.sampled_from(BROWSERS)}),
    st.fixed_dictionaries({"type": st.just("track"), "user_id": st.sampled_from(USERS)}),
    st.fixed_dictionaries(
        {
            "type": st.just("identify"),
            "user_id": st.sampled_from(USERS),
            "anonymous_id": st.sampled_from(BROWSERS),
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("identify"),
            "user_id": st.sampled_from(USERS),
            "properties": st.fixed_dictionaries(
                {"email": st.sampled_from(["x@example.org", "y@example.org"])}
            ),
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("alias"),
            "user_id": st.sampled_from(USERS),
            "previous_id": st.sampled_from([*BROWSERS, *USERS]),
        }
    ),
)


def identifiers(call: dict[str, Any]) -> tuple[Identifier, ...]:
    given = [
        ("user", call.get("user_id")),
        ("email", call.get("properties", {}).get("email")),
        ("anonymous", call.get("anonymous_id") or call.get("previous_id")),
    ]
    return tuple(Identifier(kind, value) for kind, value in given if value)


def stored_groups() -> set[frozenset[Identifier]]:
    people: dict[int, set[Identifier]] = {}
    for kind, value, contact in Stored.objects.values_list("kind", "value", "contact_id"):
        people.setdefault(contact, set()).add(Identifier(kind, value))
    return {frozenset(person) for person in people.values()}


def assert_whole() -> None:
    """What holds after any batch: rows point at contacts that exist, in the contact's slot."""
    contacts = dict(Contact.objects.values_list("id", "slot"))
    assert all(slot == contact % 64 for contact, slot in contacts.items())
    for rows in (Stored.objects, Event.objects):
        assert set(rows.values_list("contact_id", "slot")) <= set(contacts.items())
    assert not set(Merge.objects.values_list("loser_id", flat=True)) & set(contacts)


@pytest.mark.django_db
@examples(60)
@given(st.lists(st.lists(calls, min_size=1, max_size=8), min_size=1, max_size=5))
def test_any_order_and_any_batches_give_the_groups_of_the_plain_rules(
    batches: list[list[dict[str, Any]]],
) -> None:
    undo = transaction.savepoint()
    try:
        source = make_source()
        for batch in batches:
            put_in_inbox(source, *batch, lane=5)
            ingest.take_in(NOON)
        sent = [call for batch in batches for call in batch]
        assert stored_groups() == grouped([identifiers(call) for call in sent])
        assert Event.objects.exclude(message_id=None).count() == len(sent)
        assert_whole()
    finally:
        transaction.savepoint_rollback(undo)


@pytest.fixture
def source() -> Source:
    return make_source()


def take_in(source: Source, *calls: dict[str, Any]) -> None:
    put_in_inbox(source, *calls)
    ingest.drain(lambda: NOON, seconds=60)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "0", "0000", "00000000-0000-0000-0000-000000000000", "-1", "null", "NULL", "undefined"),
        *("anonymous", "none", "NaN", "[object Object]", "x" * 513, "\u200b", "x" * 10_000),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_value_that_means_nobody_finds_nobody(source: Source, value: str) -> None:
    take_in(source, {"type": "track", "name": "X", "user_id": value, "anonymous_id": "a1"})
    take_in(source, {"type": "track", "name": "X", "user_id": value, "anonymous_id": "a2"})
    take_in(source, {"type": "track", "name": "X", "user_id": value})
    assert Contact.objects.count() == 2
    assert DeadLetter.objects.get().code == "no_identity"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("one", "other"),
    [("ada", "Ada"), ("ada", "аda"), ("ada", "ada."), ("1", "١"), ("u+1", "u 1")],
    ids=["case", "look-alike letter", "dot", "digit of another script", "space"],
)
def test_ids_that_only_look_alike_are_two_people(source: Source, one: str, other: str) -> None:
    take_in(source, *({"type": "track", "name": "X", "user_id": value} for value in (one, other)))
    assert Contact.objects.count() == 2


@pytest.mark.django_db
def test_spaces_around_and_composition_of_accents_do_not_matter(source: Source) -> None:
    values = ("zoé", " zoé\n", "zoe\u0301")
    take_in(source, *({"type": "track", "name": "X", "user_id": value} for value in values))
    assert Contact.objects.count() == 1


@pytest.mark.django_db
def test_an_anonymous_id_that_equals_somebodys_user_id_does_not_join_them(source: Source) -> None:
    take_in(source, {"type": "identify", "user_id": "ada"})
    take_in(source, {"type": "track", "name": "X", "anonymous_id": "ada"})
    take_in(source, {"type": "identify", "user_id": "bob", "anonymous_id": "ada"})
    take_in(source, {"type": "alias", "user_id": "cleo", "previous_id": "ada"})
    assert Contact.objects.count() == 3
    assert not Stored.objects.filter(kind="user").exclude(value__in=["ada", "bob", "cleo"]).exists()


@pytest.mark.django_db
def test_an_email_in_the_context_finds_the_person(source: Source) -> None:
    take_in(source, {"type": "identify", "user_id": "ada", "properties": {"email": "ada@example.org"}})
    context = {"traits": {"email": "ADA@example.org"}}
    take_in(source, {"type": "track", "name": "X", "anonymous_id": "a1", "context": context})
    assert Contact.objects.count() == 1


@pytest.fixture
def committed(transactional_db: None) -> Source:
    return make_source()


def test_workers_that_meet_the_same_people_agree(committed: Source) -> None:
    people = range(60)
    rounds: list[dict[str, Any]] = []
    for n in people:
        rounds += [
            {"type": "track", "name": "X", "anonymous_id": f"a{n}"},
            {"type": "track", "name": "X", "user_id": f"u{n}"},
            {"type": "identify", "user_id": f"u{n}", "anonymous_id": f"a{n}"},
            {"type": "track", "name": "X", "anonymous_id": f"a{n}", "user_id": f"u{n}"},
        ]
    for position, call in enumerate(rounds * 3):
        put_in_inbox(committed, {**call}, lane=position % 64)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while InboxItem.objects.exists():
                ingest.take_in(NOON, limit=40)
        except BaseException as error:  # noqa: BLE001 (shown by the assertion below)
            failures.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures
    count = SourceCount.objects.get()
    assert (count.received, count.accepted) == (len(rounds) * 3, len(rounds) * 3)
    assert Event.objects.exclude(message_id=None).count() == len(rounds) * 3
    assert Contact.objects.count() == len(people)
    assert_whole()


@pytest.mark.django_db
def test_an_identifier_keeps_who_told_it_first(source: Source) -> None:
    till = make_source("Till")
    take_in(source, {"type": "identify", "user_id": "u1"})
    take_in(till, {"type": "identify", "user_id": "u1", "anonymous_id": "a1"})
    take_in(source, {"type": "identify", "user_id": "u1", "anonymous_id": "a1"})

    assert dict(Stored.objects.values_list("value", "origin")) == {
        "u1": f"source:{source.pk}",
        "a1": f"source:{till.pk}",
    }
