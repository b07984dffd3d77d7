from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from pytest_django import Settings

from contacts import clock
from journeys.models import Campaign
from tests.contacts.api.caller import Caller
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
