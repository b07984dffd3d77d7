"""Smart channel: the one that somebody answers on first, within the charter's rules. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from channels import choosing, policy, smart
from channels.policy_facts import HOLD, SEND, Facts, Verdict
from channels.smart import ALWAYS, ASKED, NEVER, Learned, Score, Smart
from tests.channels.policy_cases import NOW, OPEN, alice, facts, offer

BOTH = ("email", "sms")
FOND_OF_SMS = {"email": Score(0.02, 20, 0), "sms": Score(0.4, 13, 6), "push": Score(0.1, 0, 0)}


def asked(rules: dict[str, Any] | None = None, scores: Any = None, **values: Any) -> Facts:
    candidate = {"wanted": BOTH, "smart_channel": True, **values.pop("candidate", {})}
    person = {"learned": Learned(FOND_OF_SMS if scores is None else scores), **values.pop("person", {})}
    quiet = {"explore": 0, "control": 0, **(rules or {}).pop("smart", {})}
    return facts(
        {**(rules or {}), "smart": quiet}, candidate=offer(**candidate), person=alice(**person), **values
    )


def line(verdict: Verdict) -> dict[str, Any]:
    return next(one[2] for one in verdict.trace or [] if one[0] == choosing.RULE)


def test_the_channel_that_somebody_answers_on_comes_first() -> None:
    verdict = policy.decide(asked())
    assert (verdict.action, verdict.channel) == (SEND, "sms")
    assert line(verdict)["scores"]["sms"] == [0.4, 13, 6]
    assert (line(verdict)["arm"], line(verdict)["propensity"]) == ("best", 1.0)


@pytest.mark.parametrize(
    ("setting", "wish", "channel"),
    [(ASKED, True, "sms"), (ASKED, False, "email"), (ALWAYS, False, "sms"), (NEVER, True, "email")],
)
def test_charter_and_message_say_whether_a_channel_is_chosen(setting: str, wish: bool, channel: str) -> None:
    given = asked({"smart": {"channel": setting}}, candidate={"smart_channel": wish})
    assert policy.decide(given).channel == channel


def test_a_service_message_keeps_its_order() -> None:
    assert policy.decide(asked(candidate={"transactional": True})).channel == "email"


def test_a_channel_that_cannot_be_used_is_not_among_those_chosen_from() -> None:
    for person in (
        {"suppressed": frozenset({"sms"})},
        {"consents": {("email", "*"): True}},
        {"addresses": {"email": "a@b.c"}},
    ):
        assert policy.decide(asked(person=person)).channel == "email"


def test_a_charter_that_switches_a_channel_off_is_obeyed() -> None:
    assert policy.decide(asked({"channels": {"order": ["email"]}})).channel == "email"


@pytest.mark.parametrize(
    "scores", [{}, {"sms": Score(0.9, 9, 8)}, {"sms": Score(0.9), "email": Score(0.1, 3, 0)}]
)
def test_without_evidence_on_two_channels_the_usual_order_stands_and_says_so(scores: Any) -> None:
    verdict = policy.decide(asked(scores=scores))
    assert verdict.channel == "email"
    assert line(verdict)["arm"] == "unknown"


def test_equal_channels_keep_the_charters_order() -> None:
    even = {"email": Score(0.1, 5, 1), "sms": Score(0.1, 5, 1)}
    assert policy.decide(asked(scores=even, candidate={"wanted": ("sms", "email")})).channel == "sms"


def test_the_best_that_may_not_be_used_now_gives_way_as_the_charter_says() -> None:
    quiet = [{"channels": ["sms"], "from": "00:00", "to": "23:00"}]
    held = policy.decide(asked({"quiet_hours": quiet}))
    assert (held.action, held.channel) == (HOLD, "sms")
    other = policy.decide(asked({"quiet_hours": quiet, "channels": {"fallback": "held"}}))
    assert (other.action, other.channel) == (SEND, "email")


def test_a_share_of_messages_explores_and_of_people_is_left_alone_as_the_charter_says() -> None:
    rules = {"smart": {"explore": 20, "control": 10}}
    arms: Counter[str] = Counter()
    for person in range(200):
        for message in range(20):
            verdict = policy.decide(
                asked(
                    dict(rules),
                    candidate={"message_id": 20 * person + message},
                    person={"contact_id": person},
                )
            )
            arms[line(verdict)["arm"]] += 1
    whole = sum(arms.values())
    assert arms["explore"] / whole == pytest.approx(0.2, abs=0.03)
    assert arms["control"] / whole == pytest.approx(0.1, abs=0.06)


def test_propensities_are_what_is_really_done() -> None:
    """Weighting each channel by one over its propensity counts every message once: nothing is biased."""
    rules = {"smart": {"explore": 30, "control": 10}}
    weighted: Counter[str] = Counter()
    number = 6_000
    for message in range(number):
        given = asked(dict(rules), candidate={"message_id": message}, person={"contact_id": message})
        found = line(policy.decide(given))
        weighted[found["first"]] += 1 / found["propensity"]
    assert weighted["sms"] == pytest.approx(number, rel=0.05)
    assert weighted["email"] == pytest.approx(number, rel=0.1)


def test_the_choice_sticks_to_the_message_whenever_it_is_asked() -> None:
    rules = {"smart": {"explore": 50, "control": 0}}
    for message in range(30):
        given = asked(dict(rules), candidate={"message_id": message})
        later = asked(dict(rules), candidate={"message_id": message}, now=NOW.replace(hour=18))
        assert policy.decide(given).channel == policy.decide(later).channel


def test_what_analytics_wrote_is_read_and_what_is_bent_is_nothing() -> None:
    assert smart.scores_from(
        {"sms": {"chance": 0.2, "sent": 9, "answered": 2}, "email": {"chance": "?"}}
    ) == {"sms": Score(0.2, 9, 2)}
    hours = {"hours": [0.1] * 24, "days": [1] * 7}
    assert smart.hours_from(hours) is not None
    for bent in ({}, {"hours": [1] * 23, "days": [1] * 7}, {**hours, "answers": ["x"] * 24}):
        assert smart.hours_from(bent) is None


def test_a_provider_that_is_paused_is_waited_for_only_where_nothing_else_is_let() -> None:
    given = asked(providers={**OPEN, "sms": True})
    assert policy.decide(given).reason == "paused"
    assert Smart().channel == ASKED
