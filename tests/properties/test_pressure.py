"""Caps, spacing and consent hold under any interleaving, and under workers that really run at once."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import example, given
from hypothesis import strategies as st

from channels import charter, deciding, lifecycle, outbox
from channels.lifecycle import Ref, State
from channels.models import Message
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Contact
from tests.examples import examples
from tests.factories import NOON, make_contact, make_intent, make_provider

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIMIT, WINDOW = 3, timedelta(days=2)
RULES = {
    "caps": [
        {"limit": LIMIT, "rolling": "2 days"},
        {"limit": 1, "calendar": "day", "zone": "person", "channels": ["sms"]},
    ],
    "spacing": {"apart": "2 hours"},
}


def violations(contact_id: int) -> list[str]:
    """Where the messages that left break the rules, read from the rows alone."""
    rows = Message.objects.filter(contact_id=contact_id, accepted_at__isnull=False)
    sent = sorted((row.accepted_at, row.channel) for row in rows if row.accepted_at)
    times = [at for at, _channel in sent]
    found = [f"{LIMIT + 1} within {WINDOW} at {times[i]}" for i in range(LIMIT, len(times))
             if times[i] - times[i - LIMIT] < WINDOW]  # fmt: skip
    days = [at.date() for at, channel in sent if channel == "sms"]
    if len(days) != len(set(days)):
        found.append("two texts on one day")
    return found


def subscriber(now: datetime) -> Contact:
    contact = make_contact(timezone="UTC", phone="+33612345678", now=now)
    consent.record([NewConsent(contact.id, one, "*", True, "test") for one in ("email", "sms")], now)
    return contact


def prepare() -> None:
    charter.publish(charter.draft(RULES), NOON - 30 * DAY)
    for channel in ("email", "sms"):
        make_provider(channel)


def deliver(messages: Iterable[Message], now: datetime, outcome: Callable[[Message], State]) -> None:
    """What delivery does to queued messages, without a provider: claim and recheck, transmit, record."""
    claimed = list(messages)
    refs = {message.id: Ref(message.id, message.created_at, message.slot) for message in claimed}
    moved = lifecycle.move(list(refs.values()), State.QUEUED, State.CLAIMED, every={"due_at": now})
    claimed = [message for message in claimed if message.id in moved]
    against = deciding.recheck(claimed, now)
    deciding.turn_back(claimed, against, now)
    for message in claimed:
        if message.id not in against:
            ref, state = refs[message.id], outcome(message)
            lifecycle.move([ref], State.CLAIMED, State.TRANSMITTING, every={"due_at": now})
            values: dict[str, Any] = {"accepted_at": now} if state == State.ACCEPTED else {}
            if state == State.QUEUED:
                values = {"due_at": now + HOUR}
            lifecycle.move([ref], State.TRANSMITTING, state, every=values)


STEPS = st.one_of(
    st.tuples(st.just("intend"), st.sampled_from([("email",), ("sms",), ("sms", "email")])),
    st.tuples(st.just("decide"), st.none()),
    st.tuples(
        st.just("deliver"),
        st.sampled_from([State.ACCEPTED, State.ACCEPTED, State.REJECTED, State.QUEUED, State.UNCERTAIN]),
    ),
    st.tuples(st.just("wait"), st.sampled_from([1, 2, 3, 9, 30])),
    st.tuples(st.just("withdraw"), st.sampled_from(["email", "sms"])),
    st.tuples(st.just("give"), st.sampled_from(["email", "sms"])),
)


#: Delivery stands still while the policy goes on; then everything leaves at once.
STALLED: list[tuple[str, Any]] = [
    ("intend", ("email",)),
    ("intend", ("email",)),
    *[("decide", None), ("wait", 3)] * 6,
    ("deliver", State.ACCEPTED),
]


@pytest.mark.django_db
@examples(40)
@example(steps=STALLED)
@given(steps=st.lists(STEPS, min_size=15, max_size=50))
def test_no_interleaving_breaks_a_rule(steps: list[tuple[str, Any]], prepared: None) -> None:
    contact, now = subscriber(NOON), NOON
    open_channels = {"email", "sms"}
    for name, value in steps:
        if name == "intend":
            content = dict.fromkeys(value, "words")
            outbox.intend([make_intent(contact, wanted=value, content=content) for _one in range(3)], now)
        elif name == "decide":
            deciding.decide_batch(now, most_slots=64)
        elif name == "deliver":
            due = Message.objects.filter(contact=contact, state=State.QUEUED, due_at__lte=now)
            left = {message.id for message in due}
            deliver(due, now, lambda _message, state=value: state)  # type: ignore[misc]
            gone = Message.objects.filter(id__in=left, accepted_at=now)
            assert {message.channel for message in gone} <= open_channels
        elif name == "wait":
            now += value * HOUR
        else:
            (open_channels.discard if name == "withdraw" else open_channels.add)(value)
            consent.record([NewConsent(contact.id, value, "*", name == "give", "test")], now)
        assert violations(contact.id) == []


@pytest.fixture
def prepared(db: None) -> None:
    prepare()


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_never_exceed_a_cap(seed: int) -> None:
    prepare()
    people = [subscriber(NOON) for _one in range(25)]
    clock, errors, lock = [0], [], threading.Lock()

    def work(number: int) -> None:
        dice = random.Random(f"{seed} {number}")
        try:
            for _step in range(30):
                with lock:
                    clock[0] += 1
                    now = NOON + clock[0] * timedelta(minutes=37)
                _one_step(dice, people, now)
        except Exception as error:  # noqa: BLE001 (told to the main thread)
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Message.objects.filter(accepted_at__isnull=False).count() > len(people)
    assert Message.objects.filter(state=State.HELD).exists()
    assert [found for person in people for found in violations(person.id)] == []


def _one_step(dice: random.Random, people: list[Contact], now: datetime) -> None:
    chosen = dice.sample(people, 8)
    wanted = dice.choice([("email",), ("sms",), ("sms", "email")])
    content = dict.fromkeys(wanted, "words")
    outbox.intend([make_intent(one, wanted=wanted, content=content) for one in chosen], now)
    deciding.decide_batch(now, 40, most_slots=dice.choice([4, 16, 64]))
    due = Message.objects.filter(state=State.QUEUED, due_at__lte=now).order_by("id")[: dice.randint(1, 30)]
    outcomes = [State.ACCEPTED, State.ACCEPTED, State.ACCEPTED, State.REJECTED, State.QUEUED]
    deliver(due, now, lambda _message: dice.choice(outcomes))


@pytest.mark.django_db(transaction=True)
def test_deciding_and_calling_off_at_once_agree_and_never_deadlock() -> None:
    prepare()
    people = [subscriber(NOON) for _one in range(30)]
    for number, person in enumerate(people):
        outbox.intend([make_intent(person, origin_run=number) for _one in range(4)], NOON)
    errors: list[Exception] = []

    def run(act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 (told to the main thread)
            errors.append(error)
        finally:
            connection.close()

    acts: list[Callable[[], object]] = [lambda: deciding.decide_batch(NOON, 200, most_slots=64)] * 3
    acts += [lambda part=part: outbox.cancel(range(part, 30, 3), "goal", NOON) for part in range(3)]  # type: ignore[misc]
    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    # Whoever came first: what nobody has taken is called off, and nothing was both sent and called off.
    assert set(Message.objects.values_list("state", flat=True)) == {State.CANCELLED}
