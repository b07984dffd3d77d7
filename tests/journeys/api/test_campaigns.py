from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from pytest_django import Settings

from contacts import api_keys, clock
from journeys.models import Campaign
from tests.contacts.api.caller import Caller
from tests.factories import NOON
from tests.journeys.campaigns.stage import mails, make_people, prepare, pulse

pytestmark = pytest.mark.django_db

BODY: dict[str, Any] = {
    "name": "Spring",
    "segments": ["buyers"],
    "channels": ["email"],
    "content": {"email": "spring"},
    "purpose": "offers",
    "zone": "Europe/Paris",
}


@pytest.fixture(autouse=True)
def _prepared() -> None:
    prepare()


def test_a_campaign_lives_its_life_by_program() -> None:
    make_people(3, "buyers")
    caller = Caller()
    made = caller.post("campaigns", BODY)
    assert made.status_code == 201
    assert (made.json()["slug"], made.json()["state"], made.json()["problems"]) == ("spring", "draft", [])
    assert caller.patch("campaigns/spring", {"throttle": 60}).json()["throttle"] == 60
    told = caller.get("campaigns/spring/estimate").json()
    assert (told["size"], told["now"], told["reachable"]) == (3, 3, {"email": 3})
    assert told["seconds"] == 3
    scheduled = caller.post("campaigns/spring/schedule").json()
    assert scheduled["scheduled"] is True
    assert scheduled["campaign"]["state"] == "scheduled"
    assert caller.post("campaigns/spring/acts", {"act": "pause"}).json()["state"] == "paused"
    assert caller.post("campaigns/spring/acts", {"act": "resume"}).json()["state"] == "sending"
    caller.post("campaigns/spring/acts", {"act": "pause"})
    caller.post("campaigns/spring/acts", {"act": "cancel"})
    assert caller.get("campaigns", state="cancelled").json()["items"][0]["slug"] == "spring"
    assert caller.get("campaigns", state="draft").json()["items"] == []
    assert caller.post("campaigns/spring/copy").json()["slug"] == "spring-2"
    said = list(LogEntry.objects.order_by("id").values_list("change_message", flat=True))
    assert [line.rpartition(": ")[2] for line in said][:3] == [
        "Wrote the campaign",
        "Changed the campaign",
        "Scheduled",
    ]


def test_progress_is_told_for_each_time() -> None:
    make_people(2, "buyers")
    caller = Caller()
    caller.post("campaigns", BODY)
    assert caller.get("campaigns/spring/progress").json() == []
    caller.post("campaigns/spring/schedule")
    pulse(clock.now())
    (told,) = caller.get("campaigns/spring/progress").json()
    assert (told["state"], told["audience"], told["sent"], told["share"]) == ("done", 2, 2, 100.0)
    assert told["channels"] == {"email": 2}
    assert len(mails()) == 2


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"zone": "Mars/Base"}, "zone"),
        ({"rule": {"attribute": 1}}, "rule"),
        ({"channels": ["pigeon"]}, "channels"),
        ({"throttle": 0}, "throttle"),
        ({"weekdays": [9]}, "weekdays"),
        ({"name": ""}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_input_is_refused_by_the_name_of_the_field(more: dict[str, Any], field: str) -> None:
    answer = Caller().post("campaigns", {**BODY, **more})
    assert answer.status_code == 400
    assert answer.json()["field"].startswith(field)
    assert not Campaign.objects.exists()


def test_what_is_not_in_order_is_not_scheduled() -> None:
    caller = Caller()
    told = caller.post("campaigns", {**BODY, "segments": []}).json()
    assert told["problems"][0]["path"] == "segments"
    refused = caller.post("campaigns/spring/schedule")
    assert (refused.status_code, refused.json()["field"]) == (409, "segments")
    assert caller.post("campaigns/spring/acts", {"act": "pause"}).status_code == 409
    assert caller.post("campaigns", BODY).json()["field"] == "name"
    assert caller.get("campaigns/unknown").status_code == 404


def test_a_key_needs_the_scope() -> None:
    make_people(1, "buyers")
    writer = Caller("campaigns:read", "campaigns:write")
    assert writer.post("campaigns", BODY).status_code == 201
    assert writer.post("campaigns/spring/schedule").status_code == 403
    assert Caller("campaigns:read").patch("campaigns/spring", {"throttle": 1}).status_code == 403
    assert Caller("journeys:read").get("campaigns").status_code == 403
    assert Caller().get("journeys").json()["items"] == []


def test_where_two_are_needed_it_is_asked_for(settings: Settings) -> None:
    settings.SEGUE_TWO_TO_PUBLISH = True
    make_people(1, "buyers")
    caller = Caller()
    caller.post("campaigns", BODY)
    assert caller.post("campaigns/spring/schedule").json()["scheduled"] is False
    assert Campaign.objects.get().state == "draft"


def test_the_key_of_another_person_lets_it_be_sent_or_refuses(settings: Settings) -> None:
    settings.SEGUE_TWO_TO_PUBLISH = True
    make_people(1, "buyers")
    ann, bob = _key_of("ann"), _key_of("bob")
    assert ann.post("campaigns", BODY).status_code == 201
    path = "campaigns/spring/publish-requests"
    for decision, state in (("refuse", "refused"), ("approve", "approved")):
        assert ann.post("campaigns/spring/schedule", {"note": "ready"}).json()["scheduled"] is False
        asked = bob.get(path).json()["items"][0]
        assert (asked["asked_by"], asked["note"], asked["state"]) == ("ann", "ready", "open")
        own = ann.post(f"{path}/{asked['id']}", {"decision": "approve"})
        assert (own.status_code, own.json()["code"]) == (409, "not_now")
        told = bob.post(f"{path}/{asked['id']}", {"decision": decision}).json()
        assert told["state"] == state
        assert bob.post(f"{path}/{asked['id']}", {"decision": decision}).status_code == 409
    assert told["campaign"]["state"] == "scheduled"
    assert bob.post(f"{path}/99999", {"decision": "refuse"}).status_code == 404
    assert Caller("campaigns:read").post(f"{path}/1", {"decision": "refuse"}).status_code == 403


def _key_of(name: str) -> Caller:
    person, _new = User.objects.get_or_create(username=name)
    scopes = ("campaigns:read", "campaigns:write", "campaigns:send")
    return Caller(key=api_keys.issue(f"of {name}", scopes, person.pk, NOON)[1])
