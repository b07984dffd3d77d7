"""Sources, their keys and the tracking plan by the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from contacts import ingest, intake_keys
from contacts.models import KeptAnswer, PlannedEvent, SeenEvent, SourceKey
from tests.contacts.api.caller import Caller
from tests.factories import NOON, make_source, put_in_inbox

pytestmark = pytest.mark.django_db
ORDER = {"name": "Order Completed", "properties": [{"name": "total", "type": "number", "required": True}]}


def send(*names: str, **properties: Any) -> None:
    shop = make_source("Shop")
    calls = [
        {"type": "track", "user_id": "u1", "name": name, "properties": {"total": 5, **properties}}
        for name in names
    ]
    put_in_inbox(shop, *calls)
    ingest.take_in(NOON)


def test_a_source_is_made_changed_and_switched_off() -> None:
    caller = Caller()
    made = caller.post("sources", {"name": "Till 3", "kind": "store"})
    assert (made.status_code, made.json()["slug"], made.json()["today"]["received"]) == (201, "till-3", 0)
    changed = caller.patch("sources/till-3", {"active": False, "unplanned": "strict"}).json()
    assert (changed["active"], changed["unplanned"], changed["kind"]) == (False, "strict", "store")
    assert caller.get("sources/till-3").json() == changed
    taken = caller.post("sources", {"name": "Till 3", "slug": "other"})
    assert (taken.status_code, taken.json()["field"]) == (409, "name")
    assert caller.patch("sources/till-3", {"slug": "x"}).json()["field"] == "slug"
    assert caller.get("sources/nowhere").status_code == 404
    assert LogEntry.objects.count() == 2


def test_a_key_is_shown_once_followed_by_another_and_revoked() -> None:
    caller, source = Caller(), make_source("Shop")
    made = caller.post("sources/shop/keys", {"scope": "server"}).json()
    assert SourceKey.objects.get().digest == intake_keys.digest(made["key"])
    next_ = caller.post(f"sources/shop/keys/{made['id']}/rotate", {"hours": 2}).json()
    assert (next_["scope"], next_["key"][:3]) == ("server", "sk_")
    listed = caller.get("sources/shop/keys").json()["items"]
    assert [(one["id"], bool(one["ends_at"])) for one in listed] == [(made["id"], True), (next_["id"], False)]
    assert not any("key" in one for one in listed)
    for _time in range(2):
        revoked = caller.post(f"sources/shop/keys/{next_['id']}/revoke").json()
    assert revoked["revoked_at"]
    assert caller.post(f"sources/shop/keys/{next_['id']}/rotate").json()["code"] == "not_in_use"
    assert caller.post(f"sources/{make_source('Web').slug}/keys/{made['id']}/revoke").status_code == 404
    assert source.keys.filter(revoked_at=None).count() == 1


def test_no_answer_that_shows_a_key_is_kept() -> None:
    make_source("Shop")
    refused = Caller().post("sources/shop/keys", {}, Idempotency_Key="again")
    assert refused.json()["code"] == "no_idempotency_key"
    assert not KeptAnswer.objects.exists()
    assert not SourceKey.objects.exists()


def test_an_event_is_planned_changed_and_taken_out() -> None:
    caller = Caller()
    make_source("Shop")
    every = caller.post("planned-events", ORDER)
    own = caller.post("planned-events", {**ORDER, "source": "shop", "server_only": True}).json()
    assert (every.status_code, every.json()["source"], own["source"]) == (201, None, "shop")
    assert caller.post("planned-events", ORDER).status_code == 409
    address = f"planned-events/{own['id']}"
    changed = caller.patch(address, {"properties": [{"name": "total"}]}).json()
    assert changed["properties"] == [{"name": "total", "type": "any", "required": False}]
    assert changed["server_only"] is True
    (found,) = caller.get("planned-events", source="shop").json()["items"]
    assert found == changed == caller.delete(address).json()
    assert caller.get(address).status_code == 404
    assert [one.source for one in PlannedEvent.objects.all()] == [None]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**ORDER, "source": "nowhere"}, "source"),
        ({"name": "X", "properties": [{"name": "a"}, {"name": "a"}]}, "properties"),
        ({"name": "X", "properties": [{"name": "a", "type": "money"}]}, "properties.0.type"),
        ({"name": "", "properties": []}, "name"),
    ],
)
def test_a_plan_that_cannot_be_held_is_refused_by_its_field(body: Any, field: str) -> None:
    answer = Caller().post("planned-events", body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_what_was_seen_is_adopted_into_the_plan() -> None:
    caller = Caller()
    send("Order Completed", "Chat Opened")
    seen = {one["name"]: one for one in caller.get("sources/shop/events").json()["items"]}
    assert seen["Chat Opened"]["known"] is False
    answer = caller.post("sources/shop/events/adopt", {"names": ["Chat Opened", "Never"]}).json()
    assert [one["name"] for one in answer["planned"]] == ["Chat Opened"]
    assert answer["planned"][0]["properties"] == [{"name": "total", "type": "number", "required": False}]
    assert answer["not_seen"] == ["Never"]
    again = caller.post("sources/shop/events/adopt", {"names": ["Chat Opened"]}).json()
    assert (again["planned"], again["were_planned"]) == ([], ["Chat Opened"])
    assert SeenEvent.objects.count() == 2


def test_violations_are_told_with_their_latest_example() -> None:
    caller = Caller()
    caller.post("planned-events", ORDER)
    send("Order Completed", total="five")
    (found,) = caller.get("sources/shop/violations", code="wrong_type").json()["items"]
    assert (found["event"], found["property"], found["count"]) == ("Order Completed", "total", 1)
    assert caller.get("sources/shop/violations", code="missing").json()["items"] == []


def test_whoever_only_reads_writes_nothing() -> None:
    make_source("Shop")
    reader = Caller("sources:read")
    assert reader.post("sources/shop/keys", {}).status_code == 403
    assert reader.post("planned-events", ORDER).status_code == 403
    assert reader.get("planned-events").status_code == 200
