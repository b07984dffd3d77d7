"""The decision ledger by the API: listed and narrowed, one in words, taken again, counted."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from channels import charter, deciding, outbox
from channels.models import Decision
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Contact
from tests.contacts.api.caller import Caller
from tests.factories import NOON, make_contact, make_intent, make_provider

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def ann() -> Contact:
    """Somebody with one message sent and one held by a cap, beside somebody who was never asked."""
    make_provider("email")
    charter.publish(charter.draft({"caps": [{"limit": 1, "calendar": "week"}]}), NOON - DAY)
    ann = make_contact(email="ann@example.com", timezone="Europe/Paris")
    consent.record([NewConsent(ann.id, "email", "*", True, "test")], NOON - DAY)
    outbox.intend([make_intent(ann, origin_id=7), make_intent(ann, origin_id=7)], NOON)
    outbox.intend([make_intent(make_contact(), origin_id=8)], NOON)
    while deciding.decide_batch(NOON):
        pass
    return ann


def test_decisions_are_listed_newest_first_and_page_by_page(ann: Contact) -> None:
    caller = Caller()
    first = caller.get("decisions?limit=2").json()
    rest = caller.get(f"decisions?limit=2&cursor={first['next']}").json()
    ids = [one["id"] for one in first["items"] + rest["items"]]
    assert ids == sorted((one.pk for one in Decision.objects.all()), reverse=True)
    assert rest["next"] is None


def test_each_filter_narrows(ann: Contact) -> None:
    held = Decision.objects.get(reason="cap")
    for asked, number in (
        (f"contact={ann.public_id}", 2),
        (f"message={held.message_id}", 1),
        ("reason=cap", 1),
        ("outcome=drop", 1),
        ("channel=sms", 0),
        ("origin=journey:8", 1),
        (f"day={NOON:%Y-%m-%d}", 3),
        (f"day={NOON + DAY:%Y-%m-%d}", 0),
    ):
        assert len(Caller().get(f"decisions?{asked}").json()["items"]) == number, asked
    assert Caller().get(f"decisions?contact={uuid.uuid4()}").status_code == 404
    wrong = Caller().get("decisions?outcome=maybe")
    assert (wrong.status_code, wrong.json()["field"]) == (400, "outcome")


def test_one_decision_tells_each_rule_in_words(ann: Contact) -> None:
    held = Decision.objects.get(reason="cap")
    found = Caller().get(f"decisions/{held.pk}").json()
    assert found["words"].startswith("Held: second message this week, limit 1; will try Monday")
    assert found["contact"] == str(ann.public_id)
    rules = {one["rule"]: one for one in found["rules"]}
    assert (rules["cap"]["verdict"], rules["cap"]["inputs"]["limit"]) == ("wait", 1)
    assert Caller().get("decisions/999999").status_code == 404


def test_a_decision_is_taken_again_with_the_same_answer(ann: Contact) -> None:
    held = Decision.objects.get(reason="cap")
    found = Caller().get(f"decisions/{held.pk}/replay").json()
    assert (found["status"], found["differs"]) == ("same", [])
    assert found["words"].startswith("Held: second message this week")


def test_reasons_are_counted(ann: Contact) -> None:
    asked = f"decisions/reasons?first={NOON:%Y-%m-%d}&last={NOON:%Y-%m-%d}"
    found = {one["reason"]: one for one in Caller().get(asked).json()}
    assert (found["cap"]["held"], found["not_asked"]["dropped"]) == (1, 1)
    assert Caller().get(f"{asked}&origin=journey:8").json()[0]["reason"] == "not_asked"
    assert Caller().get("decisions/reasons?first=2026-01-02&last=2026-01-01").status_code == 400
