from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from channels import charter
from channels.models import CharterRequest
from contacts import api_keys, clock
from tests.contacts.api.caller import Caller
from tests.factories import NOON

pytestmark = pytest.mark.django_db
RULES = {"caps": [{"limit": 2, "rolling": "7 days"}]}


def test_a_charter_is_drafted_looked_at_and_published_by_program() -> None:
    caller = Caller()
    assert caller.get("charter").json()["number"] is None
    made = caller.post("charter/versions", {"rules": RULES, "note": "calm"})
    assert made.status_code == 201
    assert made.json()["number"] == 1
    assert "At most 2 messages in 7 days." in made.json()["sentences"]
    changed = caller.send("PUT", "charter/versions/1", {"rules": {"spacing": {"apart": "2 hours"}}})
    assert changed.json()["rules"] == {"spacing": {"apart": "2 hours"}}
    impact = caller.get("charter/versions/1/impact").json()
    assert (impact["messages"], impact["figures"]) == (0, [])
    assert caller.post("charter/versions/1/publish").json() == {"published": True}
    ruling = caller.get("charter").json()
    assert (ruling["number"], ruling["rules"]) == (1, {"spacing": {"apart": "2 hours"}})
    assert [one["number"] for one in caller.get("charter/versions").json()["items"]] == [1]
    assert caller.send("PUT", "charter/versions/1", {"rules": {}}).json()["code"] == "published"
    assert caller.post("charter/versions/1/publish").json()["code"] == "not_now"


def test_mistakes_are_named_by_their_place() -> None:
    caller = Caller()
    wrong = {"caps": [{"limit": -1, "rolling": "1 day"}]}
    (problem,) = caller.post("charter/lint", {"rules": wrong}).json()["problems"]
    assert (problem["path"], problem["warning"]) == ("caps.0.limit", False)
    draft = caller.post("charter/versions", {"rules": wrong}).json()
    assert draft["problems"][0]["path"] == "caps.0.limit"
    for answer in (caller.post("charter/versions/1/publish"), caller.get("charter/versions/1/impact")):
        assert (answer.status_code, answer.json()["field"]) == (409, "rules.caps.0.limit")
    assert caller.get("charter/versions/9").status_code == 404


def test_where_two_are_needed_a_program_only_asks(settings: Any) -> None:
    settings.SEGUE_TWO_TO_PUBLISH = True
    caller = Caller()
    caller.post("charter/versions", {"rules": RULES})
    assert caller.post("charter/versions/1/publish", {"note": "please"}).json() == {"published": False}
    assert CharterRequest.objects.get().note == "please"
    assert charter.in_force(clock.now()) is None


def test_somebody_elses_program_decides_and_nobody_approves_their_own(settings: Any) -> None:
    settings.SEGUE_TWO_TO_PUBLISH = True
    caller, request = Caller(), "charter/versions/1/publish-request"
    caller.post("charter/versions", {"rules": RULES})
    assert caller.get(request).status_code == 404
    caller.post("charter/versions/1/publish", {"note": "please"})
    asked = caller.get(request).json()
    assert (asked["note"], asked["asked_by"], asked["current"]) == ("please", "maker", True)
    assert caller.post(request, {"decision": "approve"}).json()["code"] == "not_now"
    other = User.objects.create_user("ada")
    _key, text = api_keys.issue("hers", settings.SEGUE_API_SCOPES, other.pk, NOON)
    ada = Caller(key=text)
    caller.send("PUT", "charter/versions/1", {"rules": {**RULES, "spacing": {"apart": "1 hour"}}})
    assert caller.get(request).json()["current"] is False
    assert ada.post(request, {"decision": "approve"}).json()["code"] == "not_now"
    assert ada.post(request, {"decision": "refuse"}).json() == {"published": False}
    caller.post("charter/versions/1/publish")
    assert ada.post(request, {"decision": "approve"}).json() == {"published": True}
    assert charter.current(clock.now()).number == 1
