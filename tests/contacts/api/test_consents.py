"""Consents by the API: recorded in bulk, told as they hold, as they held, and line by line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contacts import clock
from contacts.models import ConsentEntry, Purpose
from tests.contacts.api.caller import Caller
from tests.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> str:
    """Her public id."""
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    return str(Caller().post("contacts", {"user_id": "ada"}).json()["id"])


def said(given: bool | None = True, **values: Any) -> dict[str, Any]:
    return {"contact": {"user_id": "ada"}, "channel": "email", "purpose": "offers", "given": given, **values}


def test_what_people_said_is_recorded_and_told(ada: str) -> None:
    caller = Caller()
    earlier = (clock.now() - timedelta(days=1)).isoformat()
    body = {
        "consents": [said(occurred_at=earlier, wording="v2", proof={"form": "signup"}), said(channel="sms")]
    }
    answer = caller.post("consents", body).json()
    assert (answer["recorded"], answer["rejected"]) == (2, 0)
    before = clock.now().isoformat()
    caller.post("consents", {"consents": [said(False)]})
    held = {one["channel"]: one["allowed"] for one in caller.get(f"contacts/{ada}/consents").json()}
    assert held == {"email": False, "sms": True}
    then = caller.get(f"contacts/{ada}/consents", as_of=before).json()
    assert {one["channel"]: one["allowed"] for one in then} == {"email": True, "sms": True}
    lines = caller.get(f"contacts/{ada}/consents/history", limit=2).json()
    rest = caller.get(f"contacts/{ada}/consents/history", cursor=lines["next"]).json()
    assert [one["given"] for one in lines["items"] + rest["items"]] == [False, True, True]
    assert rest["items"][0]["wording"] == "v2"
    assert rest["items"][0]["proof"]["form"] == "signup"
    assert rest["items"][0]["proof"]["actor"].startswith("API key seg_")


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (said(channel="pigeon"), "channel"),
        (said(purpose="nothing"), "purpose"),
        (said(given=None), "given"),
        (said(occurred_at="2999-01-01T00:00:00Z"), "occurred_at"),
        (said(occurred_at="0001-01-01T00:00:00Z"), "occurred_at"),
        (said(contact={}), "contact"),
        (said(contact={"user_id": "nobody"}), "contact"),
        (said(contact="ada"), "contact"),
        (said(proof={"x": "y" * 5000}), "proof"),
        (said(proof=[]), "proof"),
        (said(origin="forged"), "origin"),
        ({}, "contact"),
        (None, None),
        ([], None),
    ],
)
def test_one_that_cannot_be_recorded_does_not_keep_out_its_neighbours(
    ada: str, item: Any, field: str | None
) -> None:
    answer = Caller().post("consents", {"consents": [said(), item, said(channel="sms")]})
    assert answer.status_code == 200, answer.content
    results = answer.json()["results"]
    assert [one["status"] for one in results] == ["accepted", "rejected", "accepted"]
    assert (results[1]["errors"][0]["field"] or "").split(".")[0] == (field or "")
    assert ConsentEntry.objects.count() == 2


def test_statements_do_not_grow_with_the_number_of_consents(ada: str) -> None:
    caller = Caller()
    counts = []
    for size in (10, 500):
        people = [{"user_id": f"{size}-{number}"} for number in range(size)]
        caller.post("contacts/bulk", {"contacts": people})
        with statements() as count:
            answer = caller.post("consents", {"consents": [said(contact=who) for who in people]})
            assert answer.json()["recorded"] == size
        counts.append(count.total)
    assert counts[0] == counts[1]
