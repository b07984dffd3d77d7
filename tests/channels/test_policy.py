from datetime import timedelta

import pytest

from channels import charter_rules, policy, policy_arbitration
from channels.policy_facts import CANCEL, DROP, EXPIRE, HOLD, SEND, Candidate, Planned, Touch
from tests.channels.policy_cases import NOW, OPEN, alice, facts, offer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_message_with_nothing_against_it_leaves_now() -> None:
    verdict = policy.decide(facts())
    assert (verdict.action, verdict.channel, verdict.reason) == (SEND, "email", "allowed")


def test_the_trace_names_every_question_in_order() -> None:
    charter = {
        "caps": [{"limit": 1, "rolling": "1 day"}],
        "spacing": {"one_a_day": True},
        "quiet_hours": [{"channels": ["push"], "from": "20:00", "to": "08:00"}],
        "redundancy": [{"drop": "push", "when": "email", "ahead": "1 hour"}],
    }
    verdict = policy.decide(facts(charter, candidate=offer(wanted=("push",), conditions=True)))
    assert [entry[:2] for entry in verdict.trace or []] == [
        [rule, "pass"]
        for rule in (
            "conditions",
            "suppression",
            "consent",
            "reachability",
            "redundancy",
            "cap",
            "spacing",
            "quiet_hours",
        )
    ]


def test_a_message_whose_conditions_fail_is_cancelled() -> None:
    verdict = policy.decide(facts(candidate=offer(conditions=False)))
    assert (verdict.action, verdict.reason) == (CANCEL, "conditions")


def test_a_message_past_its_deadline_expires() -> None:
    verdict = policy.decide(facts(candidate=offer(deadline_at=NOW - HOUR)))
    assert (verdict.action, verdict.reason) == (EXPIRE, "deadline")


def test_a_suppressed_address_is_never_written_to() -> None:
    for candidate in (offer(), offer(transactional=True)):
        verdict = policy.decide(facts(candidate=candidate, person=alice(suppressed=frozenset({"email"}))))
        assert (verdict.action, verdict.reason) == (DROP, "suppressed")


def test_a_refused_purpose_is_not_sent() -> None:
    verdict = policy.decide(facts(person=alice(consents={("email", "offers"): False})))
    assert (verdict.action, verdict.reason) == (DROP, "no_consent")


def test_a_person_who_was_never_asked_is_not_written_to() -> None:
    verdict = policy.decide(facts(person=alice(consents={})))
    assert (verdict.action, verdict.reason) == (DROP, "not_asked")


def test_a_service_message_needs_no_consent_and_obeys_no_charter() -> None:
    charter = {"caps": [{"limit": 0, "rolling": "1 day"}]}
    candidate = offer(transactional=True)
    verdict = policy.decide(facts(charter, candidate=candidate, person=alice(consents={})))
    assert verdict.action == SEND


def test_a_person_without_an_address_gets_the_next_channel() -> None:
    person = alice(addresses={"email": "", "sms": "+33612345678"})
    verdict = policy.decide(facts(candidate=offer(wanted=("email", "sms")), person=person))
    assert (verdict.action, verdict.channel) == (SEND, "sms")


def test_a_channel_without_a_provider_is_passed_over() -> None:
    verdict = policy.decide(facts(candidate=offer(wanted=("email", "sms")), providers={"sms": False}))
    assert (verdict.action, verdict.channel) == (SEND, "sms")


def test_no_channel_at_all_drops_the_message_for_the_first_reason() -> None:
    person = alice(addresses={}, suppressed=frozenset({"email"}))
    verdict = policy.decide(facts(candidate=offer(wanted=("email", "sms")), person=person))
    assert (verdict.action, verdict.reason, verdict.channel) == (DROP, "suppressed", "email")
    assert policy.decide(facts(candidate=offer(wanted=()))).reason == "no_channel"


def test_a_person_who_takes_a_break_hears_nothing_until_it_ends() -> None:
    resting = alice(paused_until=NOW + 3 * DAY)
    verdict = policy.decide(facts(person=resting))
    assert (verdict.action, verdict.reason, verdict.until) == (HOLD, "pause", NOW + 3 * DAY)
    assert policy.decide(facts(person=resting, candidate=offer(transactional=True))).action == SEND
    assert policy.decide(facts(person=alice(paused_until=NOW))).action == SEND


def test_a_break_taken_while_a_message_waits_holds_it_at_the_claim() -> None:
    found = policy.recheck(facts(person=alice(paused_until=NOW + DAY)), "email")
    assert found is not None
    assert (found.action, found.until) == (HOLD, NOW + DAY)


def test_a_paused_provider_holds_the_message() -> None:
    verdict = policy.decide(facts(providers={**OPEN, "email": True}))
    assert (verdict.action, verdict.reason, verdict.until) == (HOLD, "paused", NOW + timedelta(minutes=15))


def test_a_hold_past_the_deadline_expires_at_once() -> None:
    charter = {"caps": [{"limit": 1, "rolling": "2 days"}]}
    touches = [Touch("email", "offers", NOW - HOUR)]
    verdict = policy.decide(facts(charter, candidate=offer(deadline_at=NOW + DAY), touches=touches))
    assert (verdict.action, verdict.reason) == (EXPIRE, "deadline")
    assert (verdict.trace or [])[-1][2]["because"] == "cap"


def test_a_message_that_would_rather_drop_than_wait_is_dropped() -> None:
    charter = {"caps": [{"limit": 1, "rolling": "2 days"}]}
    touches = [Touch("email", "offers", NOW - HOUR)]
    verdict = policy.decide(facts(charter, candidate=offer(on_hold="drop"), touches=touches))
    assert (verdict.action, verdict.reason) == (DROP, "cap")


def test_a_hold_meets_the_cap_and_the_quiet_hours_together() -> None:
    charter = {
        "caps": [{"limit": 1, "rolling": "12 hours"}],
        "quiet_hours": [{"channels": ["sms"], "from": "20:00", "to": "08:00"}],
    }
    touches = [Touch("sms", "offers", NOW - HOUR)]
    verdict = policy.decide(facts(charter, candidate=offer(wanted=("sms",)), touches=touches))
    # The cap has a place at 00:00 in Paris; the night ends at 08:00, which is 07:00 UTC.
    assert (verdict.action, verdict.reason) == (HOLD, "cap")
    assert verdict.until == NOW.replace(hour=7) + DAY


def test_rules_that_leave_no_time_at_all_drop_the_message() -> None:
    charter = {"quiet_hours": [{"channels": ["sms"], "from": "08:00", "to": "08:00"}]}
    verdict = policy.decide(facts(charter, candidate=offer(wanted=("sms",))))
    assert (verdict.action, verdict.reason) == (DROP, "never_allowed")


def test_the_best_message_gets_the_last_place() -> None:
    charter = charter_rules.parse({"caps": [{"limit": 1, "rolling": "1 day"}]})
    candidates = [offer(1), offer(2, value=5.0), offer(3, priority=60), offer(4, due_at=NOW - HOUR)]
    verdicts = policy.settle(NOW, candidates, alice(), charter, OPEN)
    assert {one: verdict.action for one, verdict in verdicts.items()} == {3: SEND, 2: HOLD, 4: HOLD, 1: HOLD}
    ranks = policy_arbitration.arrange(candidates, alice(), charter_rules.parse({}), NOW)
    assert [rank.candidate.id for rank in ranks] == [3, 2, 4, 1]


def test_the_order_in_which_messages_are_found_changes_nothing() -> None:
    charter = charter_rules.parse({"caps": [{"limit": 2, "rolling": "1 day"}]})
    candidates = [offer(i) for i in range(1, 6)]
    there = policy.settle(NOW, candidates, alice(), charter, OPEN)
    back = policy.settle(NOW, candidates[::-1], alice(), charter, OPEN)
    assert there == back
    assert [one for one, verdict in sorted(there.items()) if verdict.action == SEND] == [1, 2]


def test_a_push_is_left_out_when_an_email_of_the_same_moment_is_sent() -> None:
    charter = charter_rules.parse({"redundancy": [{"drop": "push", "when": "email", "ahead": "24 hours"}]})
    candidates = [offer(1, wanted=("push",), priority=90), offer(2)]
    verdicts = policy.settle(NOW, candidates, alice(), charter, OPEN)
    assert (verdicts[1].action, verdicts[1].reason, verdicts[2].action) == (DROP, "redundant", SEND)


@pytest.mark.parametrize(
    "ghost",
    [
        offer(2, conditions=False),
        offer(2, deadline_at=NOW - HOUR),
        offer(2, transactional=True),
    ],
)
def test_an_email_that_will_not_advertise_does_not_silence_a_push(ghost: Candidate) -> None:
    charter = charter_rules.parse({"redundancy": [{"drop": "push", "when": "email", "ahead": "24 hours"}]})
    verdicts = policy.settle(NOW, [offer(1, wanted=("push",), priority=90), ghost], alice(), charter, OPEN)
    assert verdicts[1].action == SEND


def test_an_email_that_cannot_arrive_does_not_silence_a_push() -> None:
    charter = charter_rules.parse({"redundancy": [{"drop": "push", "when": "email", "ahead": "24 hours"}]})
    person = alice(addresses={"push": "https://push.example"})
    verdicts = policy.settle(NOW, [offer(1, wanted=("push",), priority=90), offer(2)], person, charter, OPEN)
    assert verdicts[1].action == SEND


def test_an_email_planned_much_later_does_not_silence_a_push() -> None:
    charter = {"redundancy": [{"drop": "push", "when": "email", "ahead": "24 hours"}]}
    planned = [Planned(9, "email", NOW + 2 * DAY)]
    assert policy.decide(facts(charter, candidate=offer(wanted=("push",)), planned=planned)).action == SEND
