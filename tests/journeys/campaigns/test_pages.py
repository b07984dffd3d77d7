from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from channels import deciding
from channels.models import SandboxMessage
from config import roles
from contacts import consent
from journeys.campaigns import acts
from journeys.models import Campaign
from tests.factories import NOON, make_contact, make_template
from tests.journeys.campaigns.stage import (
    mails,
    make_campaign,
    make_people,
    prepare,
    pulse,
    put_in,
    refreshed,
    start,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _prepared() -> None:
    prepare()


@pytest.fixture
def boss(admin_client: Client) -> Client:
    return admin_client


def someone(role: str) -> Client:
    roles.ensure()
    user = User.objects.create_user(role.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


def address(name: str, campaign: Campaign, *more: str) -> str:
    return reverse(f"admin:journeys_campaign_{name}", args=[campaign.pk, *more])


def text(client: Client, where: str) -> str:
    answer = client.get(where, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def given(**more: Any) -> dict[str, Any]:
    return {
        "name": "Spring", "whom": "some", "segments": ["buyers"], "purpose": "offers",
        "way_1": "email:spring", "priority": "50", "wait_hours": "24", "every": "now", "clock": "person",
        "zone": "Europe/Paris",
        "misfire_minutes": "180", "throttle_per": "minute", "goal_days": "3", **more,
    }  # fmt: skip


def test_an_empty_list_says_what_a_campaign_is(boss: Client) -> None:
    shown = text(boss, reverse("admin:journeys_campaign_changelist"))
    assert "No campaign yet" in shown
    make_campaign()
    shown = text(boss, reverse("admin:journeys_campaign_changelist"))
    assert "Spring" in shown
    assert "No campaign yet" not in shown


def test_a_marketer_writes_it_looks_at_it_and_sends_it(boss: Client) -> None:
    make_people(3, "buyers")
    answer = boss.post(reverse("admin:journeys_campaign_add"), given(review="1"), follow=True)
    shown = answer.content.decode()
    campaign = Campaign.objects.get()
    assert "Would get it at once" in shown
    assert "Send to 3 people now" in shown
    assert campaign.segments == ["buyers"]
    assert campaign.content == {"email": "spring"}
    shown = boss.post(address("review", campaign), {"act": "schedule"}, follow=True).content.decode()
    assert "It begins now." in shown
    assert refreshed(campaign).next_at is not None
    pulse(refreshed(campaign).next_at or NOON)
    shown = text(boss, address("change", campaign))
    assert "3 of 3 people" in shown
    assert len(mails()) == 3
    words = list(LogEntry.objects.order_by("id").values_list("change_message", flat=True))
    assert words == ["Wrote the campaign", "Scheduled"]


def test_what_is_missing_is_said_where_it_belongs(boss: Client) -> None:
    answer = boss.post(
        reverse("admin:journeys_campaign_add"), given(segments=[], way_1="", every="once"), follow=True
    )
    shown = answer.content.decode()
    assert "choose who receives it" in shown
    assert "choose at least one channel" in shown
    assert "say at what time" in shown
    shown = text(boss, address("review", Campaign.objects.get()))
    assert "things to mend" in shown
    assert 'value="schedule"' not in shown


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"zone": "Mars/Base"}, "Not a time zone"),
        ({"rule": "{"}, "This is no JSON"),
        ({"way_2": "email:spring"}, "Each channel can be chosen once"),
        ({"throttle": "0"}, "greater than or equal to 1"),
        ({"name": "  "}, "This field is required"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_field(
    boss: Client, wrong: dict[str, str], words: str
) -> None:
    put_in("buyers", [])
    shown = boss.post(reverse("admin:journeys_campaign_add"), given(**wrong)).content.decode()
    assert words in shown
    assert not Campaign.objects.exists()


def test_a_name_is_given_once(boss: Client) -> None:
    put_in("buyers", [])
    make_campaign()
    shown = boss.post(reverse("admin:journeys_campaign_add"), given()).content.decode()
    assert "Another campaign or journey has this name." in shown


def test_what_is_saved_comes_back_into_the_form(boss: Client) -> None:
    put_in("buyers", [])
    make_template("spring-sms", "sms")
    more = {
        "way_2": "sms:spring-sms", "every": "week", "weekdays": ["0", "4"], "at": "18:30", "throttle": "500",
        "throttle_per": "hour", "goal_event": "Order Completed", "goal_value": "total", "goal_days": "5",
    }  # fmt: skip
    boss.post(reverse("admin:journeys_campaign_add"), given(**more))
    campaign = Campaign.objects.get()
    assert campaign.channels == ["email", "sms"]
    assert campaign.goal == {"event": "Order Completed", "value": "total", "window": "5 days"}
    shown = text(boss, address("change", campaign))
    for piece in (
        'value="18:30"',
        'value="500"',
        'value="Order Completed"',
        '<option value="sms:spring-sms" selected',
    ):
        assert piece in shown
    boss.post(address("change", campaign), given(**more, description="Twice a week"))
    assert refreshed(campaign).journey.description == "Twice a week"


def test_the_review_says_who_would_wait_and_who_gets_nothing(boss: Client) -> None:
    make_people(2)
    make_contact()
    shown = text(boss, address("review", make_campaign()))
    assert "they never agreed to it" in shown
    assert "Reachable by " in shown


def test_a_test_goes_to_the_sandbox_and_nobody_else(boss: Client) -> None:
    (person,) = make_people(1)
    campaign = make_campaign()
    shown = boss.post(address("test", campaign), {"contact": person.email}, follow=True).content.decode()
    assert "1 test messages are in the sandbox outbox." in shown
    assert SandboxMessage.objects.get().address == person.email
    shown = boss.post(address("test", campaign), {"contact": "nobody@nowhere"}, follow=True).content.decode()
    assert "Nobody is known by this" in shown


def test_pausing_says_what_happens_to_waiting_messages_before_it_is_done(boss: Client) -> None:
    make_people(2)
    campaign = start(make_campaign(throttle=1))
    pulse(NOON)
    shown = text(boss, address("act", campaign, "pause"))
    assert "Messages that wait to be sent are kept back" in shown
    assert refreshed(campaign).state == "sending"
    shown = boss.post(address("act", campaign, "pause"), follow=True).content.decode()
    assert refreshed(campaign).state == "paused"
    assert "Resume" in shown
    boss.post(address("act", campaign, "cancel"), follow=True)
    assert refreshed(campaign).state == "cancelled"
    assert "cannot be done while the campaign is cancelled" in text(boss, address("act", campaign, "pause"))


def test_progress_is_told_in_a_piece_of_its_own(boss: Client) -> None:
    make_people(2)
    campaign = start(make_campaign())
    pulse(NOON)
    answer = boss.get(address("progress", campaign))
    assert answer.headers["X-State"] == "done"
    assert "2 of 2 people" in answer.content.decode()


def test_a_copy_is_a_draft_of_its_own(boss: Client) -> None:
    campaign = make_campaign()
    shown = boss.post(address("copy", campaign), follow=True).content.decode()
    assert "This is the copy" in shown
    assert Campaign.objects.count() == 2


def test_a_marketer_asks_and_an_approver_sends() -> None:
    make_people(1)
    marketer, approver = someone(roles.MARKETER), someone(roles.APPROVER)
    campaign = make_campaign()
    assert marketer.post(address("review", campaign), {"act": "schedule"}).status_code == 403
    assert "Ask for approval" in text(marketer, address("review", campaign))
    marketer.post(address("review", campaign), {"act": "ask", "note": "please"})
    assert refreshed(campaign).state == "draft"
    shown = text(approver, address("review", campaign))
    assert "please" in shown
    approver.post(address("review", campaign), {"act": "approve"})
    assert refreshed(campaign).state == "scheduled"
    assert marketer.post(address("act", campaign, "pause")).status_code == 403


def test_with_four_eyes_nobody_sends_alone(boss: Client, settings: Settings) -> None:
    settings.SEGUE_TWO_TO_PUBLISH = True
    make_people(1)
    campaign = make_campaign()
    boss.post(address("review", campaign), {"act": "schedule"})
    assert refreshed(campaign).state == "draft"
    boss.post(address("review", campaign), {"act": "ask"})
    boss.post(address("review", campaign), {"act": "approve"})
    assert refreshed(campaign).state == "draft"


def test_who_may_only_look_sees_it_and_changes_nothing() -> None:
    analyst = someone(roles.ANALYST)
    campaign = make_campaign()
    assert analyst.get(address("change", campaign)).status_code == 200
    assert analyst.get(reverse("admin:journeys_campaign_add")).status_code == 403
    assert analyst.post(address("review", campaign), {"act": "ask"}).status_code == 403
    assert analyst.post(address("copy", campaign)).status_code == 403


def test_campaigns_are_no_journeys_on_their_pages(boss: Client) -> None:
    campaign = make_campaign()
    assert "Spring" not in text(boss, reverse("admin:journeys_journey_changelist"))
    assert acts.acts(campaign) == ["schedule", "archive"]


def test_a_campaigns_page_leads_to_what_was_held_of_it(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    people = make_people(2)
    consent.withdraw(people[0].pk, NOON, origin="test")
    campaign = start(make_campaign())
    pulse(NOON)
    while deciding.decide_batch(NOON + timedelta(minutes=1)):
        pass
    where = f"{reverse('admin:channels_decision_reasons')}?origin=campaign:{campaign.pk}&amp;days=90"
    assert where in text(boss, address("change", campaign))
    monkeypatch.setattr("contacts.clock.now", lambda: NOON)
    found = text(boss, where.replace("&amp;", "&"))
    assert "Consent refused or withdrawn" in found
