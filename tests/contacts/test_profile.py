"""How traits change a profile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts import ingest, places
from contacts.models import Contact
from contacts.profile import LONGEST_KEY, MOST_BYTES, MOST_KEYS, Origin, Profile
from tests.factories import NOON, make_source, put_in_inbox


def profile(**values: Any) -> Profile:
    return Profile(id=1, slot=1, first_seen_at=NOON, last_seen_at=NOON, updated_at=NOON, **values)


def after(*traits: dict[str, Any], **values: Any) -> Profile:
    one = profile(**values)
    for told in traits:
        one.take(told, NOON)
    return one


@pytest.mark.parametrize(
    ("traits", "column", "expected"),
    [
        ({"email": "Ada@Example.org"}, "email", "ada@example.org"),
        ({"phone": "+33 6 12 34 56 78"}, "phone", "+33612345678"),
        ({"phone": "06 12 34 56 78", "country": "fr"}, "phone", "+33612345678"),
        ({"phone": "06 12 34 56 78", "address": {"country": "FR"}}, "phone", "+33612345678"),
        ({"firstName": " Ada "}, "first_name", "Ada"),
        ({"first_name": "Ada"}, "first_name", "Ada"),
        ({"lastName": "Lovelace"}, "last_name", "Lovelace"),
        ({"name": "Ada King Lovelace"}, "first_name", "Ada"),
        ({"name": "Ada King Lovelace"}, "last_name", "King Lovelace"),
        ({"locale": "fr_FR"}, "language", "fr-FR"),
        ({"timezone": "Europe/Paris"}, "timezone", "Europe/Paris"),
        ({"timezone": "Mars/Olympus"}, "timezone", ""),
        ({"timezone": "../etc/passwd"}, "timezone", ""),
        ({"country": "France"}, "country", ""),
        ({"address": {"country": "gb"}}, "country", "GB"),
        ({"email": "not an address"}, "email", ""),
        ({"email": ["a@example.org"]}, "email", ""),
        ({"firstName": 7}, "first_name", ""),
        ({"firstName": "x" * 900}, "first_name", "x" * 200),
    ],
)
def test_what_everybody_needs_goes_to_columns(traits: dict[str, Any], column: str, expected: str) -> None:
    assert getattr(after(traits), column) == expected


def test_a_break_that_a_person_asked_for_is_not_ended_by_an_event() -> None:
    told = after(
        {"paused_until": None, "plan": "gold"}, attributes={"paused_until": "2026-04-01T00:00:00+00:00"}
    )
    assert told.attributes == {"paused_until": "2026-04-01T00:00:00+00:00", "plan": "gold"}
    assert after({"paused_until": "2099-01-01T00:00:00+00:00"}).attributes == {}


def test_everything_else_is_an_attribute() -> None:
    told = after(
        {"plan": "gold", "age": 36, "tags": ["a"], "address": {"city": "Paris"}, "email": "a@example.org"}
    )
    assert told.attributes == {
        "plan": "gold",
        "age": 36,
        "tags": ["a"],
        "address": {"city": "Paris"},
        "city": "Paris",
    }


def test_a_later_value_replaces_and_null_removes() -> None:
    told = after(
        {"plan": "free", "age": 36, "firstName": "Ada"}, {"plan": "gold", "age": None, "firstName": None}
    )
    assert (told.attributes, told.first_name) == ({"plan": "gold"}, "")


def test_an_email_or_phone_makes_somebody_known() -> None:
    assert not after({"plan": "gold"}).known
    assert after({"email": "a@example.org"}).known


def test_a_value_that_cannot_be_used_leaves_what_was_there() -> None:
    assert after({"email": "a@example.org"}, {"email": "nonsense"}).email == "a@example.org"


def test_attributes_are_bounded_in_number_and_size() -> None:
    many = after({f"k{n}": n for n in range(MOST_KEYS + 50)})
    assert len(many.attributes) == MOST_KEYS
    many.take({"k0": "new", "one more": 1}, NOON)
    assert (many.attributes["k0"], len(many.attributes)) == ("new", MOST_KEYS)
    assert after({"k" * (LONGEST_KEY + 1): 1, "": 2, "k": 3}).attributes == {"k": 3}
    assert after({"plan": "gold"}, {"essay": "x" * MOST_BYTES}).attributes == {"plan": "gold"}


@pytest.mark.parametrize(
    ("traits", "zone"),
    [
        ({"phone": "+33612345678"}, "Europe/Paris"),
        ({"phone": "+447400123456"}, "Europe/London"),
        ({"country": "FR"}, "Europe/Paris"),
        ({"country": "DE"}, "Europe/Berlin"),
        ({"country": "US"}, None),
        ({"country": "ES"}, None),
        ({"country": "FR", "timezone": "Asia/Tokyo"}, None),
    ],
)
def test_a_time_zone_is_inferred_where_there_is_no_doubt(traits: dict[str, Any], zone: str | None) -> None:
    assert after(traits).inferred.get("timezone") == zone


def test_a_device_tells_its_zone_and_language() -> None:
    one = profile()
    one.notice({"timezone": "Europe/Rome", "locale": "it-IT", "os": {"name": "iOS"}})
    assert one.inferred == {"timezone": "Europe/Rome", "language": "it-IT"}
    assert (one.timezone, one.language) == ("", "")


def test_every_country_answers() -> None:
    assert places.zone_of_country("ZZ", NOON) is None
    assert places.zone_of_phone("", NOON) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(["email", "phone", "name", "country", "address", "timezone", "locale"]) | st.text()


@given(st.dictionaries(keys, values))
def test_no_traits_break_a_profile(traits: dict[str, Any]) -> None:
    told = after(traits)
    assert told.email.isascii()
    assert len(told.first_name) <= 200
    assert len(told.country) in {0, 2}


@pytest.mark.django_db
def test_within_a_batch_the_last_to_happen_wins() -> None:
    source = make_source()
    put_in_inbox(
        source,
        {"type": "identify", "user_id": "ada", "properties": {"plan": "gold"}},
        {
            "type": "identify",
            "user_id": "ada",
            "properties": {"plan": "free"},
            "occurred_at": NOON - timedelta(days=1),
        },
    )
    ingest.take_in(NOON)
    assert Contact.objects.get().attributes == {"plan": "gold"}


@pytest.mark.django_db
def test_saying_the_same_again_changes_nothing() -> None:
    source = make_source()
    call = {"type": "identify", "user_id": "ada", "properties": {"plan": "gold"}}
    later = NOON + timedelta(hours=1)
    for now in (NOON, later):
        put_in_inbox(source, call, now=now)
        ingest.take_in(now)
    contact = Contact.objects.get()
    assert (contact.updated_at, contact.last_seen_at) == (NOON, later)


WEB, TILL = Origin.told("source:1", NOON), Origin.told("source:2", NOON + timedelta(days=1))


def test_each_declared_value_keeps_who_said_it_first_and_when() -> None:
    one = profile()
    one.take({"email": "ada@example.org", "plan": "gold"}, NOON, WEB)
    one.take({"plan": "gold", "city": "Paris"}, NOON, TILL)

    assert one.origins.declared == {"email": WEB, "plan": WEB, "city": TILL}


def test_a_value_that_changes_has_the_origin_of_the_change_and_one_that_goes_has_none() -> None:
    one = profile()
    one.take({"plan": "gold", "city": "Paris"}, NOON, WEB)
    one.take({"plan": "free", "city": None}, NOON, TILL)

    assert one.origins.declared == {"plan": TILL}


def test_a_change_by_nobody_known_leaves_no_false_origin() -> None:
    one = profile()
    one.take({"plan": "gold"}, NOON, WEB)
    one.take({"plan": "free"}, NOON)

    assert one.origins.declared == {}


def test_what_a_device_tells_is_inferred_with_its_origin() -> None:
    one = profile()
    one.notice({"timezone": "Europe/Paris"}, WEB)

    assert (one.inferred, one.origins.inferred) == ({"timezone": "Europe/Paris"}, {"timezone": WEB})
    assert one.origins.declared == {}


def test_two_that_become_one_keep_the_origin_of_what_each_brings() -> None:
    one, other = profile(), profile()
    one.take({"plan": "gold"}, NOON, WEB)
    other.take({"plan": "free", "city": "Paris"}, NOON, TILL)
    one.absorb(other)

    assert one.attributes == {"plan": "gold", "city": "Paris"}
    assert one.origins.declared == {"plan": WEB, "city": TILL}


@pytest.mark.django_db
def test_ingest_stores_where_each_value_came_from() -> None:
    source = make_source()
    put_in_inbox(source, {"type": "identify", "user_id": "u1", "properties": {"plan": "gold"}})
    ingest.drain(lambda: NOON, seconds=60)

    (kept,) = Contact.objects.get().origins["declared"].items()
    assert (kept[0], kept[1][0]) == ("plan", f"source:{source.pk}")
