"""Why messages were held or not sent: counted, drilled into, taken along, found in three clicks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from channels import charter, deciding, outbox, reasons
from channels.models import Decision
from channels.reasons import Asked, Origin
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Contact
from tests.config.backoffice import make_person, signed_in
from tests.factories import NOON, make_contact, make_intent, make_provider
from tests.statements import statements

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
TODAY = NOON.date()
PAGE = "/admin/channels/decision/reasons/"


@pytest.fixture
def boss() -> Client:
    return signed_in(make_person("boss", superuser=True))


@pytest.fixture(autouse=True)
def _ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ann agreed and is held by a cap of one a week; Bob was never asked; one message was called off."""
    monkeypatch.setattr("contacts.clock.now", lambda: NOON + DAY)
    make_provider("email")
    charter.publish(charter.draft({"caps": [{"limit": 1, "calendar": "week"}]}), NOON - DAY)
    ann, bob = make_contact(email="ann@example.com", timezone="Europe/Paris"), make_contact()
    consent.record([NewConsent(ann.id, "email", "*", True, "test")], NOON - DAY)
    wish(ann, 7)
    wish(ann, 7)
    wish(bob, 8, origin_run=5)
    while deciding.decide_batch(NOON):
        pass
    wish(bob, 8, origin_run=6)
    outbox.cancel([6], "goal", NOON + DAY)


def wish(contact: Contact, origin: int, **values: Any) -> None:
    named = {"origin_id": origin, "origin_slug": f"story-{origin}", "origin_step": "mail", **values}
    outbox.intend([make_intent(contact, **named)], NOON)


def asked(**values: Any) -> Asked:
    return Asked(**{"first": TODAY, "last": TODAY + DAY, **values})


def test_what_was_stopped_is_counted_by_reason_origin_channel_and_day() -> None:
    found = reasons.report(asked())
    assert {reason: tally.total for reason, tally in found.by_reason.items()} == {
        "cap": 1,
        "not_asked": 1,
        "goal": 1,
    }
    assert found.by_origin[Origin("journey", 8, "story-8")].dropped == 1
    assert found.by_channel["email"].held == 1
    assert found.by_day[TODAY + DAY].cancelled == 1
    assert (found.decisions, found.total.total) == (4, 3)


def test_a_choice_narrows_counts_and_examples_alike() -> None:
    for choice, number in (
        ({"reason": "cap"}, 1),
        ({"origin": Origin("journey", 8)}, 2),
        ({"channel": "email"}, 2),
        ({"outcome": int(Decision.Outcome.HOLD)}, 1),
        ({"first": TODAY + DAY}, 1),
        ({"origin": Origin("api", 0)}, 0),
    ):
        assert reasons.report(asked(**choice)).total.total == number, choice
        assert len(reasons.examples(asked(**choice))) == number, choice


def test_the_report_costs_two_statements_whatever_the_number_of_reasons() -> None:
    with statements() as count:
        reasons.report(asked())
    assert count.total == 2


def test_the_csv_has_a_line_a_day_and_kind_and_runs_no_formula() -> None:
    wish(make_contact(), 9, origin_slug="=cmd()")
    deciding.decide_batch(NOON + DAY)
    lines = "".join(reasons.as_csv(asked())).splitlines()
    assert lines[0].startswith("day,wanted_by,number,name,channel,outcome,reason")
    assert len(lines) == 5
    assert any("'=cmd()" in line for line in lines)


def test_a_held_message_is_found_in_three_clicks_from_home(boss: Client) -> None:
    home = boss.get("/admin/").content.decode()
    assert f"{PAGE}?outcome=hold" in home
    page = boss.get(PAGE + "?outcome=hold").content.decode()
    assert "A cap was reached" in page
    line = Decision.objects.get(reason="cap")
    page = boss.get(PAGE + "?outcome=hold&reason=cap").content.decode()
    assert "Second message this week, limit 1; will try Monday" in page or (
        "second message this week, limit 1; will try Monday" in page
    )
    change = reverse("admin:channels_decision_change", args=[line.pk])
    assert change in page
    assert "limit 1" in boss.get(change).content.decode()


def test_a_journeys_page_leads_to_its_own_reasons(boss: Client) -> None:
    page = boss.get(PAGE + "?origin=journey:8&days=30").content.decode()
    assert "Never asked for consent" in page
    assert "A cap was reached" not in page


def test_of_whoever_asked_for_nothing_lately_nothing_is_shown_and_not_everything(boss: Client) -> None:
    page = boss.get(PAGE + "?origin=campaign:77&days=90").content.decode()
    assert "Nothing was held or stopped" in page
    assert '<option value="campaign:77" selected>campaign 77</option>' in page


def test_wrong_filters_fall_back_and_nothing_found_is_said(boss: Client) -> None:
    assert boss.get(PAGE + "?days=x&origin=y:z&channel=q&day=never").status_code == 200
    assert "Nothing was held or stopped" in boss.get(PAGE + "?reason=cap&outcome=drop").content.decode()


def test_the_page_can_be_taken_along_as_csv(boss: Client) -> None:
    answer = boss.get(PAGE + "?format=csv")
    assert answer["Content-Type"].startswith("text/csv")
    assert b"not_asked" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_who_may_not_see_decisions_sees_no_reasons() -> None:
    assert signed_in(make_person("clerk", role="Store and call centre")).get(PAGE).status_code == 403


def test_a_decision_is_checked_again_from_its_page(boss: Client) -> None:
    line = Decision.objects.get(reason="cap")
    again = reverse("admin:channels_decision_check_again", args=[line.pk])
    assert again in boss.get(reverse("admin:channels_decision_change", args=[line.pk])).content.decode()
    assert "the same answer" in boss.get(again, follow=True).content.decode()
    Decision.objects.filter(pk=line.pk).update(reason="spacing")
    assert "another one (reason)" in boss.get(again, follow=True).content.decode()
    off = Decision.objects.get(reason="goal")
    again = reverse("admin:channels_decision_check_again", args=[off.pk])
    assert "nothing to take again" in boss.get(again, follow=True).content.decode()
