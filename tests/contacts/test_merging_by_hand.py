"""Two contacts become one because somebody says so, and two again when it was wrong."""

from __future__ import annotations

from typing import Any

import pytest

from contacts import merging_by_hand, unmerging
from contacts.merging_by_hand import GoneError, compare, merge_two
from contacts.models import Contact, Event, Identifier, Merge
from contacts.profile import Profile
from tests.factories import NOON, make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Contact:
    return make_contact(email="ada@example.com", first_name="Ada", attributes={"plan": "gold"})


@pytest.fixture
def other() -> Contact:
    return make_contact(
        email="", phone="+33612345678", first_name="A.", attributes={"plan": "free", "city": "Paris"}
    )


def state(contact: Contact) -> dict[str, Any]:
    names = [name for name in Profile.__struct_fields__ if name not in {"updated_at", "last_seen_at"}]
    found: dict[str, Any] = Contact.objects.filter(pk=contact.pk).values(*names).get()
    return found


def test_the_comparison_says_what_remains_and_writes_nothing(ada: Contact, other: Contact) -> None:
    shown = {line.name: line for line in compare(ada.pk, other.pk).lines}

    assert (shown["plan"].of_winner, shown["plan"].of_loser, shown["plan"].result) == ("gold", "free", "gold")
    assert (shown["plan"].given_up, shown["city"].given_up) == (True, False)
    assert shown["phone"].result == "+33612345678"
    assert Contact.objects.count() == 2


def test_a_merge_by_hand_does_what_the_comparison_said(ada: Contact, other: Contact) -> None:
    said = {line.name: line.result for line in compare(ada.pk, other.pk).lines}
    merge_two(ada.pk, other.pk, NOON, by="pia")

    ada.refresh_from_db()
    assert {"email": ada.email, "first_name": ada.first_name, "phone": ada.phone, **ada.attributes} == said
    assert not Contact.objects.filter(pk=other.pk).exists()
    assert Merge.objects.get().reason == "by hand: pia"
    assert Event.objects.filter(contact_id=ada.pk, name="Identified").exists()


def test_undoing_gives_both_profiles_back(ada: Contact, other: Contact) -> None:
    before = [state(ada), state(other)]
    merge_two(ada.pk, other.pk, NOON, by="pia")
    unmerging.undo(Merge.objects.get().pk, NOON)

    assert [state(ada), state(other)] == before


def test_what_was_learned_since_the_merge_stays_when_it_is_undone(ada: Contact, other: Contact) -> None:
    merge_two(ada.pk, other.pk, NOON, by="pia")
    ada.refresh_from_db()
    ada.attributes = ada.attributes | {"city": "Lyon", "size": 38}
    ada.save()
    unmerging.undo(Merge.objects.get().pk, NOON)

    ada.refresh_from_db()
    assert ada.attributes == {"plan": "gold", "city": "Lyon", "size": 38}
    assert ada.phone == ""


def test_two_verified_people_are_told_apart_beforehand(ada: Contact, other: Contact) -> None:
    for contact in (ada, other):
        Identifier.objects.create(
            kind="user", value=f"u{contact.pk}", contact=contact, slot=contact.slot, created_at=NOON
        )

    assert compare(ada.pk, other.pk).two_user_ids


def test_one_that_is_gone_is_not_merged(ada: Contact) -> None:
    with pytest.raises(GoneError):
        compare(ada.pk, ada.pk + 10_000)
    with pytest.raises(GoneError):
        merge_two(ada.pk, ada.pk + 10_000, NOON, by="pia")

    assert not Merge.objects.exists()


def test_what_would_come_along_is_counted(ada: Contact, other: Contact) -> None:
    Identifier.objects.create(kind="user", value="u1", contact=other, slot=other.slot, created_at=NOON)

    assert merging_by_hand.compare(ada.pk, other.pk).moves == {"contacts_identifier": 1}
