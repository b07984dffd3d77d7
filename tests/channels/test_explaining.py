from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from channels import explaining, policy
from channels.models import Decision
from channels.policy_facts import CANCEL, DROP, EXPIRE, HOLD, SEND, Facts, Touch
from tests.channels.policy_cases import NOW, OPEN, alice, facts, offer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OUTCOMES = {
    SEND: Decision.Outcome.SEND,
    HOLD: Decision.Outcome.HOLD,
    DROP: Decision.Outcome.DROP,
    CANCEL: Decision.Outcome.CANCEL,
    EXPIRE: Decision.Outcome.DROP,
}


@dataclass
class Line:
    outcome: int
    reason: str
    channel: str
    until: Any
    trace: Any


def line(asked: Facts) -> Line:
    verdict = policy.decide(asked)
    return Line(OUTCOMES[verdict.action], verdict.reason, verdict.channel, verdict.until, verdict.trace)


def explain(asked: Facts) -> str:
    return explaining.explain(line(asked))


def test_a_message_that_may_leave() -> None:
    assert explain(facts()) == "May leave: everything allows it, by email"


def test_a_cap_says_which_message_it_would_be_and_when_it_is_tried_again() -> None:
    charter = {"caps": [{"limit": 2, "calendar": "week"}]}
    touches = [Touch("email", "offers", NOW - HOUR), Touch("email", "offers", NOW - 2 * HOUR)]
    assert explain(facts(charter, touches=touches)) == (
        "Held: third message this week, limit 2; will try Monday 16 Mar, 00:00 Paris time"
    )


@pytest.mark.parametrize(
    ("rolling", "words"),
    [("7 days", "in 7 days"), ("5 hours", "in 5 hours"), ("90 minutes", "in 90 minutes")],
)
def test_a_rolling_cap_names_its_window(rolling: str, words: str) -> None:
    charter = {"caps": [{"limit": 1, "rolling": rolling}]}
    said = explaining.why(line(facts(charter, touches=[Touch("email", "offers", NOW - HOUR)])))
    assert said.startswith(f"second message {words}, limit 1; will try ")


def test_of_two_full_caps_the_one_that_lets_nothing_wait_is_named() -> None:
    caps = [{"limit": 1, "rolling": "2 days"}, {"limit": 1, "rolling": "1 day", "wait": "1 hour"}]
    touches = [Touch("email", "offers", NOW - HOUR)]
    refused = "Not sent: second message in 1 day, limit 1; the cap lets none wait"
    assert explain(facts({"caps": caps}, touches=touches)) == f"{refused} longer than 1 hour"
    none = {**caps[1], "wait": "0 minutes"}
    assert explain(facts({"caps": [none]}, touches=touches)) == refused


def test_the_clock_of_the_reader_may_be_asked_for() -> None:
    charter = {"spacing": {"apart": "4 hours"}}
    held = line(facts(charter, touches=[Touch("sms", "offers", NOW - HOUR)]))
    assert explaining.why(held, ZoneInfo("America/New_York")).endswith("Tuesday 10 Mar, 11:00 New York time")
    assert explaining.why(held).endswith("Tuesday 10 Mar, 15:00 UTC")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (facts(person=alice(consents={})), "Not sent: this person never agreed to “offers” by email"),
        (
            facts(person=alice(consents={("email", "*"): False})),
            "Not sent: “offers” by email was refused",
        ),
        (
            facts(person=alice(suppressed=frozenset({"email"}))),
            "Not sent: the address is on the suppression list (email)",
        ),
        (facts(person=alice(addresses={})), "Not sent: no address is known (email)"),
        (facts(providers={}), "Not sent: no provider carries this channel (email)"),
        (
            facts(providers={**OPEN, "email": True}),
            "Held: the provider is paused (email); will try Tuesday 10 Mar, 12:15 UTC",
        ),
        (facts(candidate=offer(conditions=False)), "Called off: what it was meant for no longer holds"),
        (
            facts(candidate=offer(deadline_at=NOW - HOUR)),
            "Not sent: it had to leave by 10 Mar, 11:00 UTC",
        ),
        (facts(candidate=offer(wanted=())), "Not sent: none of its channels is switched on"),
        (
            facts({"spacing": {"one_a_day": True}}, touches=[Touch("sms", "x", NOW - HOUR)]),
            (
                "Held: there was a message on the same day already (10 Mar, 11:00 UTC);"
                " will try Wednesday 11 Mar, 00:00 Paris time"
            ),
        ),
        (
            facts({"quiet_hours": [{"channels": ["email"], "from": "12:00", "to": "14:00"}]}),
            (
                "Held: it is quiet time for this person (email, Europe/Paris);"
                " will try Tuesday 10 Mar, 14:00 Paris time"
            ),
        ),
    ],
)
def test_each_reason_in_words(asked: Facts, words: str) -> None:
    assert explain(asked) == words


def test_a_message_called_off_by_its_journey() -> None:
    assert explaining.explain(Line(Decision.Outcome.CANCEL, "goal", "", None, [])) == (
        "Called off: the goal was reached"
    )


def test_a_reason_that_nobody_put_into_words_is_shown_as_it_is() -> None:
    assert explaining.explain(Line(Decision.Outcome.DROP, "out_of_luck", "", None, None)) == (
        "Not sent: out of luck"
    )


def test_every_question_is_told_in_order() -> None:
    charter = {"caps": [{"limit": 2, "rolling": "7 days"}], "spacing": {"apart": "1 hour"}}
    told = explaining.steps(line(facts(charter, touches=[Touch("sms", "offers", NOW - DAY)])))
    assert [(step.rule, step.verdict) for step in told] == [
        ("Suppression", "pass"),
        ("Consent", "pass"),
        ("Reachability", "pass"),
        ("Cap", "pass"),
        ("Time between messages", "pass"),
    ]
    assert told[1].words == "email, offers: allowed"
    assert told[3].words == "1 of 2 in 7 days"
