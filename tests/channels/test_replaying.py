"""A decision of the ledger can be taken again, and gives the same answer."""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import charter, charter_rules, deciding, ledger, outbox, policy, policy_kept, replaying
from channels.models import Decision, DecisionTotal, Message
from channels.policy_facts import Facts, Planned, Touch
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Contact
from tests.channels.policy_cases import NOW, alice, facts, offer
from tests.factories import NOON, make_contact, make_intent, make_provider
from tests.promises import broken
from tests.statements import statements

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CHANNELS = ("email", "sms", "push")

_channel = st.sampled_from(CHANNELS)
_purpose = st.sampled_from(["offers", "news"])
_moment = st.integers(-20_000, 20_000).map(lambda minutes: NOW + timedelta(minutes=minutes))
_touch = st.builds(Touch, _channel, _purpose, _moment, st.booleans())
_planned = st.builds(Planned, st.integers(2, 9), _channel, _moment, st.booleans())
_rules = st.fixed_dictionaries(
    {},
    optional={
        "caps": st.just([{"limit": 1, "rolling": "3 days"}, {"limit": 2, "calendar": "week"}]),
        "spacing": st.just({"one_a_day": True, "apart": "5 hours"}),
        "quiet_hours": st.just([{"channels": ["sms", "push"], "from": "20:00", "to": "08:00"}]),
        "redundancy": st.just([{"drop": "push", "when": "email", "ahead": "24 hours"}]),
        "channels": st.just({"order": ["sms", "email"], "order_by": "charter", "fallback": "held"}),
        "time": st.just({"jitter": "15 minutes"}),
    },
)
_person = st.builds(
    alice,
    contact_id=st.integers(1, 2**40),
    zones=st.sampled_from([("Europe/Paris",), ("America/New_York", "America/Denver")]),
    consents=st.dictionaries(st.tuples(_channel, st.sampled_from(["*", "offers", "news"])), st.booleans()),
    suppressed=st.frozensets(_channel),
    paused_until=st.none() | _moment,
    weekly=st.none() | st.integers(1, 4),
    quiet=st.none() | st.just((time(22), time(7, 30))),
    why=st.dictionaries(st.tuples(_channel, st.just("offers")), st.sampled_from(["expired", "pending"])),
)
_candidate = st.builds(
    offer,
    purpose=_purpose,
    wanted=st.permutations(CHANNELS).map(tuple),
    transactional=st.booleans(),
    on_hold=st.sampled_from(["wait", "drop"]),
    deadline_at=st.none() | _moment,
    conditions=st.sampled_from([None, True, False]),
)


@given(
    _rules, _moment, _candidate, _person, st.lists(_touch, max_size=5), st.lists(_planned, max_size=3),
    st.dictionaries(_channel, st.booleans()), st.sampled_from(["", *CHANNELS]),
)  # fmt: skip
def test_whatever_a_decision_rests_on_it_is_the_same_after_being_kept(
    rules: dict[str, Any], now: datetime, candidate: Any, person: Any, touches: list[Touch],
    planned: list[Planned], providers: dict[str, bool], leaving_by: str,
) -> None:  # fmt: skip
    asked = Facts(now, candidate, person, charter_rules.parse(rules), providers, touches, planned)
    said = policy.recheck(asked, leaving_by) if leaving_by else policy.decide(asked)
    kept = policy_kept.unpack(policy_kept.pack(asked, leaving_by))
    assert policy_kept.again(kept, charter_rules.parse(rules)) == said


def test_no_address_is_kept_and_no_consent_to_another_purpose() -> None:
    asked = facts(person=alice(consents={("email", "offers"): True, ("email", "secret"): True}))
    person = policy_kept.unpack(policy_kept.pack(asked)).values["person"]
    assert set(person.addresses.values()) == {"+"}
    assert person.consents == {("email", "offers"): True}


def test_what_is_kept_is_small() -> None:
    asked = facts(touches=[Touch("email", "offers", NOW - place * DAY) for place in range(4)])
    assert len(policy_kept.pack(asked)) < 200


def test_what_another_program_wrote_is_said_to_be_unreadable() -> None:
    for kept in (b"", b"\x02abc", b"\x01abc", policy_kept.pack(facts())[:-9]):
        with pytest.raises(policy_kept.UnreadableError):
            policy_kept.unpack(kept)


# ── In the table ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def crowd(db: None) -> list[Contact]:
    """People of all sorts, with messages of all sorts, decided over some days under two charters."""
    for channel in CHANNELS:
        make_provider(channel)
    chance = random.Random(5)
    people = [
        make_contact(
            email=f"p{i}@example.com", phone=f"+3361234{i:04}", timezone=chance.choice(["Europe/Paris", ""])
        )
        for i in range(12)
    ]
    consent.record(
        [
            NewConsent(person.id, channel, "*", chance.random() > 0.2, "test")
            for person in people
            for channel in CHANNELS
        ],
        NOON - DAY,
    )
    charter.publish(charter.draft({"caps": [{"limit": 1, "rolling": "1 days"}]}), NOON + DAY)
    for day in range(3):
        outbox.intend(
            [
                make_intent(
                    person,
                    wanted=tuple(chance.sample(CHANNELS, 2)),
                    content=dict.fromkeys(CHANNELS, "x"),
                    origin_id=chance.choice([7, 8]),
                    origin_slug="story",
                    on_hold=chance.choice(["wait", "drop"]),
                )
                for person in people
                for _ in range(2)
            ],
            NOON + day * DAY,
        )
        while deciding.decide_batch(NOON + day * DAY):
            pass
    return people


def test_every_decision_of_a_ledger_taken_again_gives_the_same_answer(crowd: list[Contact]) -> None:
    found = list(Decision.objects.all())
    assert {one.outcome for one in found} >= {1, 2, 3}
    assert {one.charter_number for one in found} == {None, 1}
    assert {one.status for one in replaying.replays(found).values()} == {replaying.SAME}


def test_taking_decisions_again_costs_the_same_whatever_their_number(crowd: list[Contact]) -> None:
    with statements() as few:
        replaying.replays(Decision.objects.order_by("-id")[:2])
    with statements() as many:
        replaying.replays(Decision.objects.all())
    assert few.total == many.total == 2


def test_a_line_that_somebody_changed_is_found(crowd: list[Contact]) -> None:
    bent = Decision.objects.filter(outcome=Decision.Outcome.HOLD).latest("id")
    Decision.objects.filter(pk=bent.pk).update(reason="cap" if bent.reason != "cap" else "spacing")
    newest = Decision.objects.latest("id").pk
    whole = replaying.sample(0, newest, NOON - DAY, newest)
    assert [one.pk for one, again in whole if again.status == replaying.DIFFERENT] == [bent.pk]
    assert len(whole) == Decision.objects.count()
    assert "decision_again" in broken(NOON + 2 * DAY)
    bent.refresh_from_db()
    assert replaying.replay(bent).differs == ("reason",)


def test_a_sample_is_bounded_and_leaves_out_what_an_older_program_decided(crowd: list[Contact]) -> None:
    first, last = Decision.objects.earliest("id").pk, Decision.objects.latest("id").pk
    with statements() as asked:
        some = replaying.sample(first - 1, last, NOON - DAY, 5)
    assert (0 < len(some) <= 5, asked.total) == (True, 3)
    young = replaying.sample(first - 1, last, NOON + DAY, 10_000)
    assert {one.decided_at for one, _again in young} == {NOON + 2 * DAY}
    assert replaying.sample(last, last, NOON, 5) == []


def test_a_call_off_was_not_asked(db: None) -> None:
    outbox.intend([make_intent(make_contact(), origin_run=5)], NOON)
    outbox.cancel([5], "goal", NOON)
    assert replaying.replay(Decision.objects.get()).status == replaying.NOT_ASKED


def test_a_message_that_was_turned_back_as_it_left_can_be_asked_again(crowd: list[Contact]) -> None:
    message = Message.objects.filter(state=Message.State.QUEUED).latest("id")
    now = NOON + 2 * DAY + HOUR
    consent.withdraw(message.contact_id, now, origin="test")
    verdicts = deciding.recheck([message], now)
    deciding.turn_back([message], verdicts, now)
    line = Decision.objects.get(message_id=message.id, decided_at=now)
    assert (line.outcome, replaying.replay(line).status) == (Decision.Outcome.DROP, replaying.SAME)


# ── Totals ──────────────────────────────────────────────────────────────────────────────────────────


def totals() -> dict[tuple[Any, ...], int]:
    found: dict[tuple[Any, ...], int] = {}
    for one in DecisionTotal.objects.all():
        key = (one.day, one.origin_id, one.channel, one.outcome, one.reason)
        found[key] = found.get(key, 0) + one.count
    return found


def counted() -> dict[tuple[Any, ...], int]:
    found: dict[tuple[Any, ...], int] = {}
    for one in Decision.objects.all():
        key = (one.decided_at.date(), one.origin_id or 0, one.channel, one.outcome, one.reason)
        found[key] = found.get(key, 0) + 1
    return found


def test_totals_are_what_the_ledger_holds_before_and_after_they_are_put_together(
    crowd: list[Contact],
) -> None:
    outbox.intend([make_intent(crowd[0], origin_run=5, origin_id=9)], NOON + 3 * DAY)
    outbox.cancel([5], "goal", NOON + 3 * DAY)
    assert totals() == counted()
    loose = DecisionTotal.objects.count()
    assert ledger.fold() == loose
    assert totals() == counted()
    assert DecisionTotal.objects.count() == len(counted())
    assert ledger.fold() == 0


def test_totals_that_come_later_join_those_that_were_put_together(crowd: list[Contact]) -> None:
    ledger.fold()
    outbox.intend([make_intent(crowd[0], origin_id=7, origin_slug="story")], NOON + 3 * DAY)
    deciding.decide_batch(NOON + 3 * DAY)
    while ledger.fold(1):
        pass
    assert totals() == counted()
    assert not DecisionTotal.objects.filter(folded=False).exists()
