"""Each setting of the identity rules changes what happens, from the next batch on."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from config import roles
from contacts import identity_rules, ingest
from contacts.identifier_kinds import DEFAULTS, IdentifierKind, KindsError
from contacts.models import Contact, Event, IdentityVersion, InboxItem, Merge, Source
from tests.config.backoffice import make_person, signed_in
from tests.factories import NOON, make_source, put_in_inbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> Source:
    return make_source()


def publish(**changes: dict[str, Any]) -> IdentityVersion:
    kinds = [msgspec.structs.replace(kind, **changes.get(kind.slug, {})) for kind in DEFAULTS]
    return identity_rules.publish(kinds, NOON, by="test", after=identity_rules.current().version)


def take_in(source: Source, *calls: dict[str, Any], server: bool = False) -> None:
    for call in calls:
        put_in_inbox(source, {"type": "track", "name": "X", **call})
        InboxItem.objects.update(server=server)
        ingest.take_in(NOON)


def traits(**values: str) -> dict[str, Any]:
    return {"context": {"traits": values}}


def people() -> list[list[str]]:
    return sorted(
        sorted(contact.identifiers.values_list("value", flat=True)) for contact in Contact.objects.all()
    )


def test_the_limit(source: Source) -> None:
    publish(email={"limit": 1})
    take_in(
        source, {"user_id": "ada"} | traits(email="a@x.org"), {"user_id": "ada"} | traits(email="b@x.org")
    )
    assert people() == [["a@x.org", "ada"]]


def test_what_happens_to_one_too_many(source: Source) -> None:
    publish(anonymous={"limit": 1, "full": "leave_out"})
    take_in(source, *({"user_id": "ada", "anonymous_id": one} for one in ("a1", "a2")))
    assert people() == [["a1", "ada"]]
    publish(anonymous={"limit": 1})
    take_in(source, {"user_id": "ada", "anonymous_id": "a2"})
    assert people() == [["a2", "ada"]]


@pytest.mark.parametrize("phone_first", [False, True])
def test_the_order_of_strength(source: Source, phone_first: bool) -> None:
    publish(email={"limit": 1})
    if phone_first:
        user, email, phone_kind, *rest = identity_rules.current().kinds
        identity_rules.publish([user, phone_kind, email, *rest], NOON, by="test", after=1)
    phone = "+33612345987"
    take_in(source, {"user_id": "ada"} | traits(email="a@x.org"))
    take_in(source, {"anonymous_id": "b"} | traits(email="b@x.org", phone=phone))
    take_in(source, traits(email="a@x.org", phone=phone))
    owner = Contact.objects.get(pk=Event.objects.latest("id").contact_id)
    assert owner.identifiers.filter(value=phone if phone_first else "a@x.org").exists()


def test_which_kinds_tell_who_somebody_is(source: Source) -> None:
    take_in(source, {"anonymous_id": "a1"})
    publish(anonymous={"known": True})
    take_in(source, {"anonymous_id": "a2"})
    known = {one.identifiers.get().value: one.known for one in Contact.objects.all()}
    assert known == {"a1": False, "a2": True}


def test_which_kinds_are_taken_from_browsers(source: Source) -> None:
    card = {"context": {"externalIds": [{"type": "card", "id": "4711"}, {"type": 5}, "x"]}}
    take_in(source, {"user_id": "ada"} | card, server=True)
    take_in(source, {"anonymous_id": "mallory"} | card)
    assert people() == [["4711", "ada"], ["mallory"]]
    publish(card={"browsers": True})
    take_in(source, {"anonymous_id": "a2"} | card)
    assert people() == [["4711", "a2", "ada"], ["mallory"]]


def test_a_kind_that_is_switched_off(source: Source) -> None:
    publish(email={"active": False})
    take_in(source, *({"anonymous_id": one} | traits(email="a@x.org") for one in ("a1", "a2")))
    assert people() == [["a1"], ["a2"]]


def test_values_that_mean_nobody(source: Source) -> None:
    publish(anonymous={"blocked": ("Kiosk*", "till")}, email={"blocked": ("*", "noreply@x.org")[1:]})
    shared = [{"anonymous_id": one} for one in ("KIOSK-7", "Till")]
    take_in(
        source, *({"user_id": "ada"} | one for one in shared), *({"user_id": "bob"} | one for one in shared)
    )
    take_in(source, *({"user_id": one} | traits(email="noreply@x.org") for one in ("ada", "bob")))
    assert people() == [["ada"], ["bob"]]


def test_a_kind_of_our_own(source: Source) -> None:
    locker = IdentifierKind("locker", "Locker", limit=1, known=True)
    identity_rules.publish([*DEFAULTS, locker], NOON, by="test", after=0)
    given = {"context": {"externalIds": [{"type": "locker", "id": "L1"}]}}
    take_in(source, {"anonymous_id": "a1"} | given, {"anonymous_id": "a2"} | given)
    assert people() == [["L1", "a1", "a2"]]


def test_a_merge_names_the_version_it_was_made_by(source: Source) -> None:
    take_in(source, {"anonymous_id": "a1"}, {"user_id": "ada"})
    publish()
    take_in(source, {"user_id": "ada", "anonymous_id": "a1"})
    assert Merge.objects.get().rules_version == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"user": {"limit": 2}},
        {"user": {"active": False}},
        {"email": {"limit": 0}},
        {"email": {"limit": 101}},
        {"email": {"full": "explode"}},
        {"email": {"name": " "}},
        {"email": {"slug": "phone"}},
        {"email": {"blocked": ("*",)}},
        {"card": {"slug": "Card!"}},
    ],
)
def test_rules_that_cannot_be_worked_by_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(KindsError):
        publish(**changes)
    assert not IdentityVersion.objects.exists()


def test_of_two_editors_the_second_is_told(source: Source) -> None:
    publish()
    with pytest.raises(identity_rules.OutdatedError):
        identity_rules.publish(DEFAULTS, NOON, by="late", after=0)


def form(**changes: str) -> dict[str, str]:
    values = {"kind-TOTAL_FORMS": "6", "kind-INITIAL_FORMS": "6", "after": "0", "note": "fewer"}
    for place, kind in enumerate(DEFAULTS):
        row = {
            "rank": place + 1,
            "slug": kind.slug,
            "name": kind.name,
            "limit": kind.limit,
            "full": kind.full,
        }
        flags = {name: "on" for name in ("known", "browsers", "active") if getattr(kind, name)}
        values |= {f"kind-{place}-{name}": str(value) for name, value in {**row, **flags}.items()}
    return values | changes


def privacy() -> Client:
    return signed_in(make_person("petra", role=roles.PRIVACY))


def test_the_page_publishes_a_version_with_its_author() -> None:
    address = reverse("admin:contacts_identityversion_edit")
    client = privacy()
    assert client.get(address).status_code == 200
    assert (
        client.post(
            address, form(**{"kind-1-limit": "2", "kind-1-blocked": "x@x.org\n\nx@x.org"})
        ).status_code
        == 302
    )
    made = IdentityVersion.objects.get()
    assert (made.number, made.made_by, made.note) == (1, "petra", "fewer")
    email = identity_rules.current().by_slug["email"]
    assert (email.limit, email.blocked) == (2, ("x@x.org",))
    assert "Published version 1" in LogEntry.objects.latest("id").get_change_message()
    assert (
        "Version 1 holds" in client.get(reverse("admin:contacts_identityversion_changelist")).content.decode()
    )


def test_the_page_says_what_is_wrong_and_keeps_nothing() -> None:
    page = privacy().post(reverse("admin:contacts_identityversion_edit"), form(**{"kind-0-limit": "3"}))
    assert "one contact has one" in page.content.decode()
    assert not IdentityVersion.objects.exists()


def test_a_marketer_changes_no_identity_rules() -> None:
    marketer = signed_in(make_person("mara", role=roles.MARKETER))
    assert marketer.post(reverse("admin:contacts_identityversion_edit"), form()).status_code == 403
