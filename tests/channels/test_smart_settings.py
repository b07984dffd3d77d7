"""What the form of “Smart channel and hour” says changes what happens: from page to decision."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from channels import charter, charter_rules, choosing, policy, send_time
from channels.policy_facts import Verdict
from channels.smart import Hours, Learned, Score
from tests.channels.policy_cases import NOW, alice, facts, offer
from tests.config.backoffice import make_person, signed_in

pytestmark = pytest.mark.django_db
FOND_OF_SMS = {"email": Score(0.02, 20, 0), "sms": Score(0.4, 13, 6)}
#: In Paris it is 13:00: five hours before the best one.
EVENING = Hours(tuple(0.3 if hour == 18 else 0.02 for hour in range(24)), (1.0,) * 7)
FORM = {"channel": "asked", "time": "asked", "within_0": "24", "within_1": "hours"}
FORM |= {"explore": "0", "control": "0"}


@pytest.fixture
def boss() -> Client:
    return signed_in(make_person("boss", superuser=True))


def decided(boss: Client, wish: dict[str, Any], people: int = 1, **said: str) -> list[Verdict]:
    """Write this into a draft by its form, and decide about one message to each of so many people."""
    version = charter.draft({})
    page = f"/admin/channels/charterversion/{version.pk}/part/smart/"
    assert boss.post(page, {**FORM, **said}).status_code == 302
    version.refresh_from_db()
    charter_rules.parse(version.rules)
    learned = Learned(FOND_OF_SMS, EVENING)
    return [
        policy.decide(
            facts(
                version.rules,
                candidate=offer(number, wanted=("email", "sms"), wanted_at=NOW, **wish),
                person=alice(contact_id=number, learned=learned),
            )
        )
        for number in range(people)
    ]


def arms(verdicts: list[Verdict], rule: str) -> Counter[str]:
    return Counter(one[2]["arm"] for verdict in verdicts for one in verdict.trace or [] if one[0] == rule)


@pytest.mark.parametrize(
    ("said", "wish", "channel"),
    [("asked", True, "sms"), ("asked", False, "email"), ("always", False, "sms"), ("never", True, "email")],
)
def test_smart_channel(boss: Client, said: str, wish: bool, channel: str) -> None:
    [verdict] = decided(boss, {"smart_channel": wish}, channel=said)
    assert verdict.channel == channel


@pytest.mark.parametrize(
    ("said", "wish", "reason"),
    [
        ("asked", True, "best_hour"),
        ("asked", False, "allowed"),
        ("always", False, "best_hour"),
        ("never", True, "allowed"),
    ],
)
def test_smart_time(boss: Client, said: str, wish: bool, reason: str) -> None:
    by = {"best_by": NOW + timedelta(days=1)} if wish else {}
    [verdict] = decided(boss, by, time=said)
    assert verdict.reason == reason


@pytest.mark.parametrize(("hours", "reason"), [("6", "best_hour"), ("4", "allowed")])
def test_smart_within(boss: Client, hours: str, reason: str) -> None:
    [verdict] = decided(boss, {}, time="always", within_0=hours)
    assert verdict.reason == reason


@pytest.mark.parametrize(("percent", "least", "most"), [("0", 0, 0), ("40", 110, 210)])
def test_smart_explore(boss: Client, percent: str, least: int, most: int) -> None:
    chosen = decided(boss, {}, 400, channel="always", time="always", explore=percent)
    for rule in (choosing.RULE, send_time.RULE):
        assert least <= arms(chosen, rule)["explore"] <= most


@pytest.mark.parametrize(("percent", "least", "most"), [("0", 0, 0), ("40", 110, 210)])
def test_smart_control(boss: Client, percent: str, least: int, most: int) -> None:
    chosen = decided(boss, {}, 400, channel="always", time="always", control=percent)
    for rule in (choosing.RULE, send_time.RULE):
        assert least <= arms(chosen, rule)["control"] <= most


def test_the_draft_says_what_is_chosen_and_doubts_a_choice_that_never_comes_about(boss: Client) -> None:
    version = charter.draft({})
    page = f"/admin/channels/charterversion/{version.pk}/"
    boss.post(
        f"{page}part/smart/", {**FORM, "time": "always", "within_0": "6", "explore": "50", "control": "50"}
    )
    draft = boss.get(f"{page}change/").content.decode()
    assert "best hour, 6 hours at most." in draft
    assert "chance and comparison leave nothing to the best choice" in draft
