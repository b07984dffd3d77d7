"""Requests to publish, decided by program: a key is whoever made it, and nobody approves their own."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from contacts import api_keys
from journeys import approving
from journeys.models import Journey
from tests.contacts.api.caller import Caller
from tests.factories import NOON

pytestmark = pytest.mark.django_db
GRAPH = {"trigger": {"event": "X"}, "start": "rest", "steps": {"rest": {"type": "wait", "for": "1 day"}}}
SCOPES = ("journeys:read", "journeys:publish")


@pytest.fixture
def journey(settings: Settings) -> Journey:
    settings.SEGUE_TWO_TO_PUBLISH = True
    return Journey.objects.create(name="Mine", slug="mine", draft=GRAPH)


def _of(name: str, *scopes: str) -> Caller:
    person, _new = User.objects.get_or_create(username=name)
    _key, text = api_keys.issue(f"of {name}", scopes or SCOPES, person.pk, NOON)
    return Caller(key=text)


def test_the_key_of_another_person_approves_and_the_askers_own_does_not(journey: Journey) -> None:
    ann, bob = _of("ann"), _of("bob")
    assert ann.post("journeys/mine/publish", {"note": "ready"}).json()["published"] is False
    (asked,) = bob.get("journeys/mine/publish-requests").json()["items"]
    assert (asked["asked_by"], asked["note"], asked["state"], asked["current"]) == (
        "ann",
        "ready",
        "open",
        True,
    )
    path = f"journeys/mine/publish-requests/{asked['id']}"
    for own in (ann, _of("ann")):
        refused = own.post(path, {"decision": "approve"})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_now")
    assert bob.post(path, {"decision": "approve"}).json() == {"state": "approved", "version": 1}
    assert bob.post(path, {"decision": "approve"}).status_code == 409
    journey.refresh_from_db()
    assert journey.status == "live"
    assert bob.get("journeys/mine/publish-requests").json()["items"][0]["decided_by"] == "bob"


def test_another_refuses_whoever_asked_takes_back_and_a_changed_draft_is_not_approved(
    journey: Journey,
) -> None:
    ann, bob = _of("ann"), _of("bob")
    person = User.objects.get(username="ann")
    for caller, state in ((bob, "refused"), (ann, "withdrawn")):
        request = approving.ask(journey, person, NOON)
        told = caller.post(f"journeys/mine/publish-requests/{request.pk}", {"decision": "refuse"})
        assert told.json() == {"state": state, "version": None}
        again = caller.post(f"journeys/mine/publish-requests/{request.pk}", {"decision": "refuse"})
        assert again.status_code == 409
    request = approving.ask(journey, person, NOON)
    Journey.objects.update(draft={**GRAPH, "name": "Other"})
    path = f"journeys/mine/publish-requests/{request.pk}"
    assert "changed" in bob.post(path, {"decision": "approve"}).json()["message"]
    assert bob.get("journeys/mine/publish-requests").json()["items"][0]["current"] is False
    assert bob.post(path, {"decision": "perhaps"}).json()["field"] == "decision"
    assert bob.post("journeys/mine/publish-requests/99999", {"decision": "refuse"}).status_code == 404
    assert _of("eve", "journeys:read").post(path, {"decision": "refuse"}).status_code == 403
