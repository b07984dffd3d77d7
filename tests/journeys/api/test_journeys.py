from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from pytest_django import Settings

from journeys import approving
from journeys.models import Journey, Redirect, Run
from tests.contacts.api.caller import Caller
from tests.factories import NOON
from tests.statements import statements

pytestmark = pytest.mark.django_db

TEXT = "name: Mine\ntrigger: {event: X}\nstart: rest\nsteps: {rest: {type: wait, for: 1 day}}\n"


def made(caller: Caller) -> str:
    assert caller.send("PUT", "journeys/mine", {"yaml": TEXT}).status_code == 200
    return "journeys/mine"


def let_in(caller: Caller, **more: Any) -> Any:
    caller.post("contacts", {"user_id": "ada"})
    return caller.post("journeys/mine/runs", {"contact": {"user_id": "ada"}, **more})


def test_a_draft_comes_as_yaml_or_json_and_its_problems_are_told_with_their_place() -> None:
    caller = Caller()
    made(caller)
    bad = {
        "name": "Mine",
        "trigger": {"segment": "vip"},
        "start": "rest",
        "steps": {"rest": {"type": "wait"}},
    }
    paths = {"steps.rest", "trigger.segment"}
    told = caller.send("PUT", "journeys/mine", {"definition": bad}).json()
    assert {each["path"] for each in told["problems"]} <= paths
    assert told["problems"]
    assert caller.post("journeys/lint", {"yaml": TEXT}).json() == {"problems": []}
    assert caller.post("journeys/lint", {"yaml": "a: [", "definition": {}}).status_code == 400
    refused = caller.post("journeys/lint", {"yaml": "a: ["}).json()
    assert (refused["code"], refused["field"]) == ("unreadable", "yaml")
    published = caller.post("journeys/mine/publish").json()
    assert (published["code"], published["field"].startswith("draft.")) == ("not_in_order", True)
    assert caller.send("PUT", "journeys/Bad!", {"yaml": TEXT}).status_code in (404, 409)
    assert caller.send("PUT", "journeys/nul", {"yaml": 'name: "a\\0b"'}).status_code == 409


def test_a_journey_lives_its_life_by_program() -> None:
    caller = Caller()
    path = made(caller)
    assert caller.get(f"{path}/impact").json()["standing"] == []
    assert caller.post(f"{path}/publish").json() == {"published": True, "version": 1}
    assert caller.get("journeys", status="live").json()["items"][0]["live_version"] == 1
    for act, status in (
        ("pause", "paused"),
        ("resume", "live"),
        ("stop", "stopped"),
        ("archive", "archived"),
    ):
        assert caller.post(f"{path}/acts", {"act": act}).json()["status"] == status
    assert caller.post(f"{path}/acts", {"act": "pause"}).status_code == 409
    assert caller.get(f"{path}/versions").json()["items"][0]["number"] == 1
    assert caller.get(f"{path}/versions/1").json()["graph"]["start"] == "rest"
    assert caller.get(f"{path}/versions/2").status_code == 404
    assert LogEntry.objects.count() == 6


def test_a_contact_is_let_in_under_the_entry_rule() -> None:
    caller = Caller()
    made(caller)
    assert let_in(caller).json()["code"] == "not_live"
    caller.post("journeys/mine/publish")
    started = let_in(caller, key="k1", properties={"cart": 7})
    assert (started.status_code, started.json()["run"]["state"]) == (201, "live")
    assert let_in(caller, key="k1").json()["code"] == "kept_out"
    assert Run.objects.get().entry == {"cart": 7}
    runs = caller.get("journeys/mine/runs", state="live", step="rest").json()["items"]
    assert [(run["key"], run["version"]) for run in runs] == [("k1", 1)]
    assert caller.get("journeys/mine/runs", state="failed").json()["items"] == []
    assert caller.get("journeys/mine/figures").json()["live"] == 1


def test_publishing_says_whom_it_concerns_and_takes_choices() -> None:
    caller = Caller()
    path = made(caller)
    caller.post(f"{path}/publish")
    let_in(caller)
    caller.send("PUT", path, {"yaml": TEXT.replace("1 day", "2 days")})
    impact = caller.get(f"{path}/impact").json()
    assert impact["standing"] == [{"version": 1, "step": "rest", "people": 1, "fate": "changed"}]
    assert [change["place"] for change in impact["changes"]] == ["steps.rest"]
    choice = {"version": 1, "step": "rest", "act": "move", "to": "gone"}
    assert caller.post(f"{path}/publish", {"choices": [choice]}).status_code == 409
    choice["to"] = "rest"
    assert caller.post(f"{path}/publish", {"choices": [choice]}).json()["version"] == 2
    assert Redirect.objects.count() == 1


def test_where_two_are_needed_a_program_only_asks(settings: Settings) -> None:
    settings.SEGUE_TWO_TO_PUBLISH = True
    caller = Caller()
    made(caller)
    assert caller.post("journeys/mine/publish").json() == {"published": False, "version": None}
    pending = approving.pending(Journey.objects.get())
    assert pending
    assert approving.approve(pending, User.objects.create_user("bob"), NOON).number == 1


def test_failed_runs_are_mended_by_their_ids() -> None:
    caller = Caller()
    made(caller)
    caller.post("journeys/mine/publish")
    let_in(caller)
    run = Run.objects.get()
    Run.objects.update(state=Run.State.FAILED, due_at=None, ended_at=NOON, outcome="broken")
    assert caller.get("journeys/mine/runs", state="failed").json()["items"][0]["outcome"] == "broken"
    skipped = caller.post("journeys/mine/runs/mend", {"act": "skip", "ids": [run.pk]})
    assert skipped.json() == {"mended": 0}
    assert caller.post("journeys/mine/runs/mend", {"act": "retry", "ids": [run.pk, 99]}).json() == {
        "mended": 1
    }
    assert Run.objects.get().state == Run.State.LIVE


def test_a_page_of_runs_costs_the_same_for_any_number() -> None:
    caller = Caller()
    made(caller)
    caller.post("journeys/mine/publish")
    let_in(caller)
    with statements() as one:
        caller.get("journeys/mine/runs")
    for number in range(4):
        let_in(caller, key=f"k{number}")
    with statements() as five:
        assert len(caller.get("journeys/mine/runs").json()["items"]) == 5
    assert five.total == one.total


def test_reading_is_not_writing_and_writing_is_not_publishing() -> None:
    reader, writer = Caller("journeys:read"), Caller("journeys:read", "journeys:write")
    assert reader.send("PUT", "journeys/mine", {"yaml": TEXT}).status_code == 403
    made(writer)
    assert writer.post("journeys/mine/publish").status_code == 403
    assert reader.get("journeys/mine").status_code == 200


def test_how_runs_stand_is_told_with_why_some_failed() -> None:
    caller = Caller()
    made(caller)
    caller.post("journeys/mine/publish")
    let_in(caller)
    Run.objects.update(state=Run.State.FAILED, due_at=None, ended_at=NOON, outcome="broken")
    found = caller.get("runs/health").json()
    assert (found["good"], found["live"], found["failed"]) == (True, 0, 1)
    assert [(one["journey"], one["step"], one["cause"], one["count"]) for one in found["causes"]] == [
        ("mine", "rest", "broken", 1)
    ]
