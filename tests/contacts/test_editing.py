"""Staff declare what they know."""

from __future__ import annotations

from typing import Any

import pytest

from contacts.editing import NotUsableError, TakenError, edit
from contacts.models import Contact, Event, Identifier
from tests.factories import NOON, make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Contact:
    return make_contact(email="ada@example.com", attributes={"plan": "gold"}, country="FR")


def test_a_value_is_declared_with_who_said_so_and_the_log_tells(ada: Contact) -> None:
    assert edit(ada.pk, "plan", "free", NOON, origin="staff:pia") == ("gold", "free")

    ada.refresh_from_db()
    assert ada.attributes == {"plan": "free"}
    assert ada.origins["declared"]["plan"] == ["staff:pia", int(NOON.timestamp())]
    assert Event.objects.get(contact_id=ada.pk).properties == {"plan": "free"}


def test_a_value_is_removed(ada: Contact) -> None:
    edit(ada.pk, "plan", None, NOON, origin="staff:pia")

    ada.refresh_from_db()
    assert ada.attributes == {}


def test_a_column_is_put_into_its_one_form_and_finds_the_contact(ada: Contact) -> None:
    edit(ada.pk, "phone", "06 12 34 56 78", NOON, origin="staff:pia")

    ada.refresh_from_db()
    assert ada.phone == "+33612345678"
    assert Identifier.objects.get(kind="phone").contact_id == ada.pk


@pytest.mark.parametrize(
    ("name", "value"),
    [("email", "nobody"), ("timezone", "Mars/Olympus"), ("country", "France"), ("paused_until", "x"),
     ("phone", "12"), ("big", "x" * 70_000), ("first_name", 7)],
)  # fmt: skip
def test_what_cannot_be_used_changes_nothing(ada: Contact, name: str, value: Any) -> None:
    with pytest.raises(NotUsableError):
        edit(ada.pk, name, value, NOON, origin="staff:pia")

    assert not Event.objects.exists()


def test_an_address_of_somebody_else_is_not_taken(ada: Contact) -> None:
    bob = make_contact()
    Identifier.objects.create(
        kind="email", value="bob@example.com", contact=bob, slot=bob.slot, created_at=NOON
    )

    with pytest.raises(TakenError) as taken:
        edit(ada.pk, "email", "Bob@example.com", NOON, origin="staff:pia")

    ada.refresh_from_db()
    assert (taken.value.owner, ada.email) == (bob.pk, "ada@example.com")


def test_the_same_again_is_no_change(ada: Contact) -> None:
    assert edit(ada.pk, "email", "ADA@example.com", NOON, origin="staff:pia") == (
        "ada@example.com",
        "ada@example.com",
    )
    assert not Event.objects.exists()


def test_a_contact_that_is_gone_is_said_to_be() -> None:
    with pytest.raises(NotUsableError, match="gone"):
        edit(99_999_999, "plan", "x", NOON, origin="staff:pia")
