from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journeys.backtest import playing
from tests.contacts.api.caller import Caller
from tests.factories import log_event, make_contact
from tests.journeys.backtest.test_running import drafted

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def body(**more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"start": (now - 10 * DAY).isoformat(), "end": (now - DAY).isoformat(), **more}


def test_a_program_asks_follows_and_reads() -> None:
    caller, journey = Caller(), drafted()
    log_event(make_contact(), "Cart", datetime.now(UTC) - 5 * DAY)
    asked = caller.post(f"journeys/{journey.slug}/backtests", body())
    assert asked.status_code == 201
    number = asked.json()["id"]
    assert (asked.json()["state"], asked.json()["done"]) == ("running", 0)
    while playing.work(lambda: datetime.now(UTC), seconds=20):
        pass
    told = caller.get(f"backtests/{number}").json()
    assert (told["state"], told["done"], told["result"]["entries"]) == ("done", 64, 1)
    assert caller.post(f"backtests/{number}/cancel").json()["code"] == "not_running"
    listed = caller.get(f"journeys/{journey.slug}/backtests").json()["items"]
    assert [(one["id"], one["result"]) for one in listed] == [(number, None)]


def test_what_cannot_be_played_is_said_and_needs_its_scope() -> None:
    caller, journey = Caller(), drafted()
    path = f"journeys/{journey.slug}/backtests"
    assert caller.post(path, body(start="2020-01-01T00:00:00Z")).json()["code"] == "cannot_be_played"
    assert caller.post(path, body(version=7)).status_code == 404
    assert Caller("journeys:read").post(path, body()).status_code == 403


def test_a_running_one_is_cancelled() -> None:
    caller, journey = Caller(), drafted()
    number = caller.post(f"journeys/{journey.slug}/backtests", body(lots=1)).json()["id"]
    assert caller.post(f"backtests/{number}/cancel").json()["state"] == "cancelled"


def test_examples_are_told_by_public_ids_and_their_days_are_read_with_the_right_to_people() -> None:
    caller, journey, person = Caller(), drafted(), make_contact()
    log_event(person, "Cart", datetime.now(UTC) - 5 * DAY)
    number = caller.post(f"journeys/{journey.slug}/backtests", body()).json()["id"]
    while playing.work(lambda: datetime.now(UTC), seconds=20):
        pass
    (example,) = caller.get(f"backtests/{number}").json()["result"]["examples"]
    assert example["contact"] == str(person.public_id)
    path = f"backtests/{number}/people/{person.public_id}"
    assert [line["what"] for line in caller.get(path).json()][:2] == ["entered", "step"]
    assert Caller("journeys:read").get(path).status_code == 403
    assert caller.get(f"backtests/{number}/people/{nobody()}").status_code == 404


def nobody() -> str:
    return "00000000-0000-4000-8000-000000000000"
