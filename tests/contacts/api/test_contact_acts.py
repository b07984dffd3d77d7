"""What programs do to one contact, and to addresses, by the API."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.admin.models import LogEntry

from contacts.models import ApiKey, Contact, Merge, Segment, Suppression
from tests.contacts.api.caller import Caller
from tests.factories import make_contact

pytestmark = pytest.mark.django_db


def test_what_is_declared_is_changed_with_its_origin() -> None:
    caller = Caller()
    made = caller.post("contacts", {"user_id": "u1", "attributes": {"plan": "gold", "size": 4}}).json()["id"]
    body = {"country": "FR", "phone": "06 12 34 56 78", "attributes": {"plan": "free", "size": None}}
    changed = caller.patch(f"contacts/{made}", body).json()
    assert (changed["phone"], changed["attributes"]) == ("+33612345678", {"plan": "free"})
    contact = Contact.objects.get()
    assert contact.origins["declared"]["plan"][0] == f"api:{ApiKey.objects.get().pk}"
    assert "attributes" not in LogEntry.objects.get().change_message
    assert caller.patch(f"contacts/{uuid.uuid4()}", body).status_code == 404


def test_of_a_change_that_cannot_be_made_whole_nothing_is_made() -> None:
    caller = Caller()
    made = caller.post("contacts", {"user_id": "u1"}).json()["id"]
    caller.post("contacts", {"email": "bob@example.com"})
    wrong = caller.patch(f"contacts/{made}", {"attributes": {"plan": "gold"}, "timezone": "Mars"})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "timezone")
    taken = caller.patch(f"contacts/{made}", {"attributes": {"plan": "gold"}, "email": "bob@example.com"})
    assert (taken.status_code, taken.json()["code"], taken.json()["field"]) == (409, "taken", "email")
    own = caller.patch(f"contacts/{made}", {"attributes": {"paused_until": "2030-01-01"}})
    assert own.json()["field"] == "attributes.paused_until"
    assert Contact.objects.get(public_id=made).attributes == {}


def test_two_contacts_become_one_and_are_parted_again() -> None:
    caller = Caller()
    first = caller.post("contacts", {"user_id": "u1"}).json()["id"]
    second = caller.post("contacts", {"email": "ada@example.com", "first_name": "Ada"}).json()["id"]
    merged = caller.post(f"contacts/{first}/merge", {"other": second}).json()
    assert (merged["id"], merged["first_name"]) == (first, "Ada")
    assert caller.post(f"contacts/{first}/merge", {"other": second}).json()["code"] == "same_contact"
    assert caller.post(f"contacts/{first}/merge", {"other": str(uuid.uuid4())}).json()["field"] == "other"
    (row,) = caller.get("merges", contact=first).json()["items"]
    assert row["reason"].startswith("by hand: API key a program")
    caller.post(f"merges/{row['id']}/undo")
    assert caller.get(f"contacts/{second}").json()["id"] == second


def test_two_verified_people_are_merged_by_who_is_sure() -> None:
    caller = Caller()
    first, second = (caller.post("contacts", {"user_id": one}).json()["id"] for one in ("u1", "u2"))
    refused = caller.post(f"contacts/{first}/merge", {"other": second})
    assert (refused.status_code, refused.json()["code"]) == (409, "two_user_ids")
    assert caller.post(f"contacts/{first}/merge", {"other": second, "sure": True}).status_code == 200
    assert Merge.objects.count() == 1


def test_one_contact_is_put_on_lists_and_taken_off() -> None:
    caller, contact = Caller(), make_contact()
    for slug in ("vip", "press"):
        caller.post("segments", {"name": slug, "kind": "static"})
    caller.post("segments", {"name": "all"})
    address = f"contacts/{contact.public_id}/lists"
    assert caller.post(address, {"add": ["vip", "press"]}).json() == {
        "added": ["vip", "press"],
        "removed": [],
    }
    assert caller.post(address, {"add": ["vip"], "remove": ["press"]}).json()["removed"] == ["press"]
    assert caller.get(f"contacts/{contact.public_id}").json()["segments"] == ["vip"]
    assert caller.post(address, {"add": ["all"]}).json()["code"] == "kept_by_rule"
    unknown = caller.post(address, {"remove": ["vip", "none"]}).json()
    assert (unknown["code"], unknown["field"]) == ("unknown_segment", "remove.1")
    assert Segment.objects.get(slug="vip").size == 1


def test_an_address_of_a_contact_is_suppressed_and_lifted() -> None:
    caller, contact = Caller(), make_contact(email="ada@example.com")
    address = f"contacts/{contact.public_id}"
    for changed in (True, False):
        done = caller.post(f"{address}/suppress", {"channel": "email", "note": "asked"}).json()
        assert (done["address"], done["suppressed"], done["changed"]) == ("ada@example.com", True, changed)
    assert caller.post(f"{address}/suppress", {"channel": "sms"}).json()["code"] == "no_address"
    assert caller.post(f"{address}/lift", {"channel": "email"}).json()["field"] == "note"
    lifted = caller.post(f"{address}/lift", {"channel": "email", "note": "it was a typo"}).json()
    assert (lifted["suppressed"], lifted["changed"]) == (False, True)
    assert not Suppression.objects.exists()
    assert LogEntry.objects.count() == 2


def test_addresses_are_suppressed_listed_and_lifted_many_at_once() -> None:
    caller = Caller()
    both = [
        {"channel": "email", "address": "Ada@Example.com"},
        {"channel": "sms", "address": "+33612345678"},
    ]
    assert caller.post("suppressions", {"addresses": both, "note": "old list"}).json() == {"suppressed": 2}
    assert caller.post("suppressions", {"addresses": both}).json() == {"suppressed": 0}
    (found,) = caller.get("suppressions", address="ADA@example.com").json()["items"]
    assert (found["address"], found["reason"], found["note"]) == ("ada@example.com", "manual", "old list")
    body = {"addresses": [*both, {"channel": "push", "address": "x"}], "note": "wrong file"}
    assert caller.post("suppressions/lift", body).json() == {"lifted": 2}
    writer = Caller("suppressions:write")
    assert writer.post("suppressions/lift", body).status_code == 403
    assert LogEntry.objects.count() == 4
