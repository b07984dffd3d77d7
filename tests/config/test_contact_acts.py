"""What staff do on a contact's page: each act behind its own permission, asked first, told in the history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from channels import pressure_now
from config import roles
from contacts import consent, ingest
from contacts.models import (
    Contact,
    Event,
    Identifier,
    Merge,
    Segment,
    SegmentMembership,
    Suppression,
)
from journeys import publishing
from journeys.models import Journey, Run
from tests.config.backoffice import make_person, signed_in
from tests.config.test_backoffice_timeline import make_message
from tests.factories import NOON, make_contact, make_source

pytestmark = pytest.mark.django_db

LIST = "/admin/contacts/contact/"


@pytest.fixture
def client() -> Client:
    return signed_in(make_person("root", superuser=True))


@pytest.fixture
def ada() -> Contact:
    contact = make_contact(email="ada@example.com", first_name="Ada", attributes={"plan": "gold"})
    Identifier.objects.create(kind="user", value="u1", contact=contact, slot=contact.slot, created_at=NOON)
    return contact


def address(contact: Contact, act: str) -> str:
    return f"{LIST}{contact.pk}/{act}/"


def history() -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("id")]


@pytest.fixture
def journey() -> Journey:
    graph = {
        "trigger": {"event": "Signed Up"},
        "start": "pause",
        "steps": {"pause": {"type": "wait", "for": "1 day", "next": None}},
    }
    made = Journey.objects.create(name="Welcome", slug="welcome", draft=graph)
    publishing.publish(made, None, NOON)
    return made


def test_an_attribute_is_declared_by_staff(client: Client, ada: Contact) -> None:
    client.post(address(ada, "edit"), {"name": "size", "kind": "number", "value": "38"})

    ada.refresh_from_db()
    assert ada.attributes == {"plan": "gold", "size": 38}
    assert history() == ["size: – → 38"]
    assert "staff: root" in client.get(address(ada, "change")).content.decode()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "email", "kind": "text", "value": "nobody"}, "no email address"),
        ({"name": "size", "kind": "number", "value": "big"}, "not of the kind"),
        ({"name": "vip", "kind": "yes_no", "value": "perhaps"}, "not of the kind"),
    ],
)
def test_what_cannot_be_declared_is_said(
    client: Client, ada: Contact, given: dict[str, str], words: str
) -> None:
    assert words in client.post(address(ada, "edit"), given).content.decode()
    assert history() == []


def test_two_contacts_are_merged_after_a_look_and_parted_again(client: Client, ada: Contact) -> None:
    other = make_contact(email="", phone="+33612345678", first_name="Adele")

    assert "Adele" in client.get(address(ada, "merge"), {"q": "adel"}).content.decode()
    page = client.get(address(ada, f"merge/{other.pk}")).content.decode()
    assert "<s>Adele</s>" in page
    assert Contact.objects.count() == 2
    client.post(address(ada, f"merge/{other.pk}"))
    assert not Contact.objects.filter(pk=other.pk).exists()

    undo = address(ada, f"unmerge/{Merge.objects.get().pk}")
    client.get(undo)
    assert not Contact.objects.filter(pk=other.pk).exists()
    client.post(undo)
    assert Contact.objects.get(pk=other.pk).first_name == "Adele"
    assert [line.partition(" (")[0] for line in history()] == [
        "Merged with Adele",
        "Undid the merge with Adele",
    ]


def test_two_verified_people_are_merged_only_when_it_is_said_twice(client: Client, ada: Contact) -> None:
    other = make_contact()
    Identifier.objects.create(kind="user", value="u2", contact=other, slot=other.slot, created_at=NOON)

    client.post(address(ada, f"merge/{other.pk}"))
    assert not Merge.objects.exists()
    client.post(address(ada, f"merge/{other.pk}"), {"sure": "on"})
    assert Merge.objects.exists()


def test_a_suppression_is_lifted_with_a_reason(client: Client, ada: Contact) -> None:
    consent.suppress([("email", ada.email)], Suppression.Reason.MANUAL, NOON)

    client.post(address(ada, "lift"), {"channel": "email"})
    assert Suppression.objects.exists()
    client.post(address(ada, "lift"), {"channel": "email", "note": "asked by phone"})

    assert not Suppression.objects.exists()
    assert history() == ["Lifted the suppression of email: asked by phone"]


def test_a_contact_is_put_on_lists_and_taken_off(client: Client, ada: Contact) -> None:
    fans, guests = (
        Segment.objects.create(name=name, slug=name.lower(), kind="static") for name in ("Fans", "Guests")
    )
    client.post(address(ada, "lists"), {"lists": [fans.pk, guests.pk]})
    client.post(address(ada, "lists"), {"lists": [guests.pk]})

    assert [one.segment_id for one in SegmentMembership.objects.all()] == [guests.pk]
    assert "Taken off the list Fans" in history()


def test_a_journey_is_started_once(client: Client, ada: Contact, journey: Journey) -> None:
    for _round in range(2):
        client.post(address(ada, "journey"), {"journey": journey.pk})

    assert Run.objects.get().contact_id == ada.pk
    assert history() == ["Put into the journey Welcome"]


def test_a_test_event_comes_in_as_any_other(client: Client, ada: Contact) -> None:
    source = make_source()
    given = {"source": source.pk, "name": "Order Completed", "properties": '{"total": 5}'}
    client.post(address(ada, "test-event"), given)
    ingest.drain(lambda: NOON + timedelta(days=3650), seconds=60)

    event = Event.objects.get(name="Order Completed")
    assert (event.contact_id, event.properties) == (ada.pk, {"total": 5, "test": True})
    assert history() == ["Sent the test event Order Completed"]


@pytest.mark.parametrize("properties", ["[1]", "{", '"x"'])
def test_a_test_event_with_odd_properties_is_refused(client: Client, ada: Contact, properties: str) -> None:
    source = make_source()
    given = {"source": source.pk, "name": "X", "properties": properties}

    assert client.post(address(ada, "test-event"), given).status_code == 200
    assert history() == []


#: Act, the permission it takes, what its link looks like, what would be posted.
ACTS: list[tuple[str, str, dict[str, Any]]] = [
    ("edit", "edit_contact", {"name": "plan", "kind": "text", "value": "free"}),
    ("merge", "merge_contact", {}),
    ("export", "export_contact", {}),
    ("test-event", "test_contact", {"name": "X"}),
    ("lists", "change_segment", {}),
    ("journey", "enter_journey", {}),
    ("consent", "add_consententry", {}),
    ("suppress", "add_suppression", {"channel": "email"}),
    ("lift", "delete_suppression", {"channel": "email", "note": "x"}),
]


@pytest.fixture
def without(ada: Contact) -> Any:
    """Somebody who may see contacts and everything of an admin save one permission."""
    consent.suppress([("email", ada.email)], Suppression.Reason.MANUAL, NOON)
    person = make_person("almost", role=roles.ADMIN)

    def sign_in(codename: str) -> Client:
        group = person.groups.get()
        group.permissions.remove(Permission.objects.get(codename=codename))
        return signed_in(person)

    return sign_in


@pytest.mark.parametrize(("act", "permission", "given"), ACTS)
def test_a_role_without_the_permission_has_neither_the_button_nor_the_act(
    without: Any, client: Client, ada: Contact, act: str, permission: str, given: dict[str, Any]
) -> None:
    link = f'href="{address(ada, act)}"'
    full = client.get(address(ada, "change")).content.decode()
    almost = without(permission)
    page = almost.get(address(ada, "change")).content.decode()

    assert link in full or act == "suppress"
    assert link not in page
    assert almost.get(address(ada, act)).status_code == 403
    assert almost.post(address(ada, act), given).status_code == 403
    assert history() == []


def test_who_may_not_merge_does_neither_compare_nor_part(without: Any, ada: Contact) -> None:
    almost, other = without("merge_contact"), make_contact()

    assert almost.post(address(ada, f"merge/{other.pk}")).status_code == 403
    assert almost.post(address(ada, "unmerge/1")).status_code == 403


def test_no_page_that_asks_changes_anything_by_being_read(client: Client, ada: Contact) -> None:
    other = make_contact()
    before = Contact.objects.filter(pk=ada.pk).values().get()
    for act in ("edit", f"merge/{other.pk}", "lists", "journey", "test-event", "suppress", "lift", "consent"):
        assert client.get(address(ada, act)).status_code == 200, act

    assert Contact.objects.filter(pk=ada.pk).values().get() == before
    assert Contact.objects.count() == 2
    assert history() == []


def test_pressure_is_counted_as_the_policy_counts_it(ada: Contact) -> None:
    make_message(
        ada, NOON - timedelta(hours=1), state=6, channel="email", accepted_at=NOON - timedelta(hours=1),
        due_at=None,
    )  # fmt: skip

    found = pressure_now.standing(ada.pk, NOON)

    assert found is not None
    assert (found.caps[0].taken, found.caps[0].limit) == (1, 4)
    email = next(one for one in found.free if one.channel == "email")
    assert not email.now
    assert email.at is not None
    assert email.at > NOON


def test_erasing_and_a_copy_are_offered_to_those_who_may_ask_for_them(without: Any, ada: Contact) -> None:
    officer = signed_in(make_person("pia", role=roles.PRIVACY)).get(address(ada, "change")).content.decode()
    almost = without("add_privacyrequest").get(address(ada, "change")).content.decode()

    for kind in ("access", "erasure"):
        assert f"/ask/{ada.pk}/{kind}/" in officer
        assert f"/ask/{ada.pk}/{kind}/" not in almost
