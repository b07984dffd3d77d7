"""Audiences by program: made, changed, filled, and how far their destination followed."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from channels import audience_sync, audiences
from channels.models import Audience
from contacts.models import Purpose
from tests.contacts.api.caller import Caller
from tests.contracts.http_peer import http_peer
from tests.factories import NOON, make_contact, make_provider

pytestmark = pytest.mark.django_db


def test_an_audience_is_made_filled_synced_and_its_state_told(settings: Settings) -> None:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    caller = Caller("audiences:read", "audiences:write")
    ann, bob = make_contact(email="ann@example.com"), make_contact(email="bob@example.com")
    stranger = str(uuid4())
    with http_peer() as peer:
        account = make_provider("audience", kind="audience_http", settings={"url": peer.url("ok")})
        made = caller.post("audiences", {"slug": "win-back", "name": "Win back", "account": account.pk})
        assert (made.status_code, made.json()["account"]) == (201, account.pk)
        ids = [str(ann.public_id), str(bob.public_id), stranger]
        put = caller.post("audiences/win-back/members", {"action": "add", "contacts": ids}).json()
        assert put == {"changed": 2, "unknown": [stranger]}
        (first, second) = caller.get("audiences/win-back/members", state="adding").json()["items"]
        assert {first["contact"], second["contact"]} == {str(ann.public_id), str(bob.public_id)}
        assert first["reason"] == "api"
        audience_sync.sync(NOON)
        taken = caller.post("audiences/win-back/members", {"action": "remove", "contacts": [ids[0]]})
        assert taken.json()["changed"] == 1
    told = caller.get("audiences/win-back").json()
    assert told["members"] == {"adding": 0, "in": 1, "removing": 1, "out": 0, "erased": 0}
    assert told["synced_at"]
    assert not told["trouble"]
    said = {one.change_message.partition(": ")[2] for one in LogEntry.objects.all()}
    assert said == {"made", "add: 2 people", "remove: 1 people"}


def test_who_did_not_agree_leaves_before_the_destination_is_told() -> None:
    Purpose.objects.get_or_create(slug="ads", defaults={"name": "Ads"})
    account = make_provider("audience", kind="audience_csv")
    body = {"slug": "look", "name": "Look", "account": account.pk, "purpose": "ads"}
    assert Caller().post("audiences", body).json()["purpose"] == "ads"
    ann = make_contact(email="ann@example.com")
    put = {"action": "add", "contacts": [str(ann.public_id)]}
    assert Caller().post("audiences/look/members", put).json()["changed"] == 1
    audience_sync.sync(NOON)
    assert Caller().get("audiences/look").json()["members"]["in"] == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("account", 9999), ("purpose", "gone"), ("segment", "gone"), ("slug", "Ä b"), ("name", ""), ("x", 1)],
)
def test_an_audience_that_cannot_be_is_refused_by_its_field(field: str, value: Any) -> None:
    answer = Caller().post("audiences", {"slug": "a", "name": "A", field: value})
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert not Audience.objects.exists()


def test_an_account_of_another_channel_carries_no_audience_and_a_slug_is_taken_once() -> None:
    mails = make_provider("email")
    caller = Caller()
    assert caller.post("audiences", {"slug": "a", "name": "A", "account": mails.pk}).status_code == 400
    assert caller.post("audiences", {"slug": "a", "name": "A"}).status_code == 201
    again = caller.post("audiences", {"slug": "a", "name": "Other"})
    assert (again.status_code, again.json()["code"], again.json()["field"]) == (409, "taken", "slug")
    assert (
        caller.patch("audiences/a", {"leave_on": "Order Completed"}).json()["leave_on"] == "Order Completed"
    )
    assert caller.get("audiences/gone").status_code == 404


def test_audiences_are_changed_only_with_their_scope() -> None:
    reader = Caller("audiences:read")
    assert reader.get("audiences").status_code == 200
    assert reader.post("audiences", {"slug": "a", "name": "A"}).status_code == 403


def test_a_page_of_audiences_costs_the_same_for_one_and_for_ten() -> None:
    caller, costs = Caller(), list[int]()
    # The first use of a key is written down.
    caller.get("audiences")
    for number in range(10):
        Audience.objects.create(name=f"A {number}", slug=f"a-{number}")
        audiences.add([make_contact().pk], f"a-{number}", "journey", NOON)
        if number in (0, 9):
            with CaptureQueriesContext(connection) as asked:
                assert len(caller.get("audiences").json()["items"]) == number + 1
            costs.append(len(asked))
    assert costs[0] == costs[1]
