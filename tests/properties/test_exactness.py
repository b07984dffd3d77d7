"""Sixteen processes decide and deliver at once, fail, try again and are killed; no rule is ever broken."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import traceback
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.db import OperationalError, connection, connections, transaction

from channels import charter, deciding, outbox
from channels.lifecycle import State
from channels.models import Message
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Contact
from tests.factories import NOON, make_intent, make_provider
from tests.properties.test_pressure import RULES, deliver, subscriber, violations

WORKERS, STEPS, MINUTES = 16, 3, 23
OUTCOMES = [State.ACCEPTED, State.ACCEPTED, State.ACCEPTED, State.REJECTED, State.QUEUED, State.UNCERTAIN]
QUIET = {"channels": ["sms"], "from": "20:00", "to": "08:00"}


@pytest.mark.django_db(transaction=True)
def test_sixteen_processes_break_no_rule_whatever_is_killed(seed: int) -> None:
    charter.publish(charter.draft({**RULES, "quiet_hours": [QUIET]}), NOON - timedelta(days=30))
    for channel in ("email", "sms"):
        make_provider(channel)
    people = [subscriber(NOON) for _one in range(12)]
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE exact_clock")
    try:
        killed = _crowd(people, f"{seed} first")
        withdrawn = _now()
        gone = people[::2]
        consent.record([NewConsent(one.id, "email", "*", False, "test") for one in gone], withdrawn)
        killed += _crowd(people, f"{seed} second")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP SEQUENCE exact_clock")
    assert killed > 0
    assert Message.objects.filter(accepted_at__isnull=False).count() > len(people)
    assert [found for person in people for found in violations(person.id)] == []
    late = Message.objects.filter(contact__in=gone, channel="email", accepted_at__gt=withdrawn)
    assert not late.exists()
    texts = Message.objects.filter(channel="sms", accepted_at__isnull=False).values_list(
        "accepted_at", flat=True
    )
    # The numbers are French, so their clock counts.
    hours = [at.astimezone(ZoneInfo("Europe/Paris")).hour for at in texts if at]
    assert [hour for hour in hours if not 8 <= hour < 20] == []


def _now() -> datetime:
    """The next instant of a clock that all processes share and that no kill can hold up."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('exact_clock')")
        (tick,) = cursor.fetchone() or (0,)
    return NOON + int(tick) * timedelta(minutes=MINUTES)


def _crowd(people: Sequence[Contact], dice: str) -> int:
    """Let the workers work; who is killed gets a successor. Returns how many were."""
    connections.close_all()
    killed, failed = 0, 0
    waiting = {_begin(people, f"{dice} {number}"): number for number in range(WORKERS)}
    while waiting:
        child, status = os.wait()
        number = waiting.pop(child)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            killed += 1
            if killed < 3 * WORKERS:
                waiting[_begin(people, f"{dice} {number} again {killed}")] = number
        else:
            failed += status != 0
    assert failed == 0
    return killed


def _begin(people: Sequence[Contact], dice: str) -> int:
    child = os.fork()
    if child:
        return child
    signal.alarm(120)
    try:
        _work(people, random.Random(dice))
    except BaseException:  # noqa: BLE001 (the parent sees the status, the reader the traceback)
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _work(people: Sequence[Contact], dice: random.Random) -> None:
    for _step in range(STEPS):
        now = _now()
        wanted = dice.choice([("email",), ("sms",), ("sms", "email")])
        content = dict.fromkeys(wanted, "words")
        chosen = dice.sample(list(people), 4)
        outbox.intend([make_intent(one, wanted=wanted, content=content) for one in chosen], now)
        for act in (_decide, _deliver):
            # Whoever loses a deadlock does it again at the next pulse, as in life.
            with contextlib.suppress(OperationalError, psycopg.OperationalError), transaction.atomic():
                act(now, dice)
                _perhaps_die(dice)


def _decide(now: datetime, dice: random.Random) -> None:
    deciding.decide_batch(now, 40, most_slots=dice.choice([4, 16, 64]))


def _deliver(now: datetime, dice: random.Random) -> None:
    due = Message.objects.filter(state=State.QUEUED, due_at__lte=now).order_by("id")
    deliver(due[: dice.randint(1, 20)], now, lambda _message: dice.choice(OUTCOMES))


def _perhaps_die(dice: random.Random) -> None:
    """Before the commit: what was decided or claimed is as if it had never been."""
    if dice.random() < 0.08:
        os.kill(os.getpid(), signal.SIGKILL)
