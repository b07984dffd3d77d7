"""The merged timeline and the end of a segment, by the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contacts import consent
from contacts.models import Contact, Segment
from tests.contacts.api.caller import Caller
from tests.factories import NOON, log_event, make_contact, make_queued, make_version
from tests.statements import statements

pytestmark = pytest.mark.django_db


def busy_contact(events: int = 7) -> Contact:
    contact = make_contact()
    for number in range(events):
        log_event(contact, f"Event {number % 3}", NOON + timedelta(minutes=number // 2), n=number)
    consent.record([consent.NewConsent(contact.pk, "email", "offers", True, "form")], NOON)
    make_queued(contact, now=NOON + timedelta(minutes=1))
    return contact


def test_everything_comes_once_newest_first_page_by_page() -> None:
    caller, contact = Caller(), busy_contact()
    address = f"contacts/{contact.public_id}/timeline"
    seen: list[dict[str, Any]] = []
    cursor = None
    while cursor or not seen:
        page = caller.get(address, limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += page["items"]
        cursor = page["next"]
    assert [one["at"] for one in seen] == sorted((one["at"] for one in seen), reverse=True)
    assert sorted(one["data"]["n"] for one in seen if one["what"] == "event") == list(range(7))
    assert sorted({one["what"] for one in seen}) == ["consent", "event", "message"]
    assert len(seen) == 9
    assert len(caller.get(address, kind="consent").json()["items"]) == 1
    assert len(caller.get(address, name="Event 1").json()["items"]) == 2


def test_a_key_sees_what_its_scopes_open() -> None:
    contact = busy_contact()
    address = f"contacts/{contact.public_id}/timeline"
    blind = Caller("contacts:read").get(address).json()["items"]
    assert blind == []
    reader = Caller("contacts:read", "consents:read").get(address).json()["items"]
    assert [one["what"] for one in reader] == ["consent"]


def test_statements_do_not_grow_with_the_page() -> None:
    caller, contact = Caller(), busy_contact(events=60)
    address, counts = f"contacts/{contact.public_id}/timeline", []
    caller.get(address)
    for size in (5, 50):
        with statements() as count:
            assert len(caller.get(address, limit=size).json()["items"]) == size
        counts.append(count.total)
    assert counts[0] == counts[1]


def test_a_segment_is_deleted_once_nothing_in_use_asks_about_it() -> None:
    caller = Caller()
    for name in ("Gold", "Silver", "Bronze"):
        caller.post("segments", {"name": name})
    caller.post("segments", {"name": "Metal", "rule": {"segment": "gold"}})
    make_version({"trigger": {"segment": "silver"}, "steps": {}}, slug="welcome")
    for slug, named in (("gold", "Metal"), ("silver", "Welcome")):
        refused = caller.delete(f"segments/{slug}")
        assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
        assert named in refused.json()["message"]
    assert caller.delete("segments/bronze").json()["name"] == "Bronze"
    assert caller.get("segments/bronze").status_code == 404
    caller.delete("segments/metal")
    assert caller.delete("segments/gold").status_code == 200
    assert list(Segment.objects.values_list("slug", flat=True)) == ["silver"]
    assert Caller("segments:read").delete("segments/silver").status_code == 403
