"""Workers stopped by SIGSTOP for longer than their lease, and woken when others have done their work."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import Max

from channels import delivery, rescue
from channels.models import Attempt, Message
from contacts.models import Event
from journeys import engine, runs, versions
from journeys.models import Run
from journeys.runs import Entry
from tests import elsewhere
from tests.contracts.smtp_sink import smtp_sink
from tests.factories import NOON, make_contact, make_provider, make_queued, make_template, make_version
from tests.faults.conftest import Tally
from tests.granian import database_url
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def _nobody_stays_frozen(transactional_db: None) -> Iterator[None]:
    yield
    elsewhere.kill_all()


pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
State = Message.State

POINTS = ("deliver.claimed", "deliver.packed", "deliver.transmitting", "deliver.answered")
#: In hand of each frozen worker, and of the one that makes their work good.
EACH, PEOPLE = 8, 60
WORK = """
from datetime import UTC, datetime, timedelta
from channels import delivery, delivery_claim, delivery_record
delivery_claim.LEASE = delivery_record.LEASE = timedelta(seconds=2)
while delivery.deliver_batch(lambda: datetime.now(UTC), limit=each): pass
"""


def now() -> datetime:
    return datetime.now(UTC)


def _leases_are_over() -> bool:
    latest = Message.objects.aggregate(latest=Max("lease_until"))["latest"]
    return bool(latest and latest < now())


def _all_there_is() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Message, Attempt, Event)]


def test_workers_that_wake_after_their_lease_change_nothing_and_send_nothing_twice(tally: Tally) -> None:
    with smtp_sink() as sink:
        values = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from_email": "a@example.org"}
        make_provider("email", name="smtp", kind="smtp", settings=values)
        make_template("hello")
        for number in range(PEOPLE):
            make_queued(make_contact(email=f"ok{number}@example.com"))
        frozen = []
        for point in POINTS:
            frozen.append(elsewhere.start(WORK, each=EACH, crashpoint=point, freezes=True))
            elsewhere.frozen(frozen[-1])
        assert eventually(_leases_are_over)
        rescue.rescue(now())
        while delivery.deliver_batch(now):
            pass
        states = Counter(Message.objects.values_list("state", flat=True))
        # Nobody knows of those that were being handed over; the others were not begun.
        assert states == {State.ACCEPTED: PEOPLE - 2 * EACH, State.UNCERTAIN: 2 * EACH}
        left, mails = _all_there_is(), len(sink.mails)

        for process in frozen:
            os.kill(process.pid or 0, signal.SIGCONT)
        assert [elsewhere.ended(process) for process in frozen] == [0] * len(POINTS)

        assert _all_there_is() == left
        # Who woke before the server was told anything hands over what it had marked: once, and it is marked.
        arrived = Counter(mail.recipient for mail in sink.mails)
        uncertain = set(Message.objects.filter(state=State.UNCERTAIN).values_list("address", flat=True))
        assert max(arrived.values()) == 1
        late = [mail.recipient for mail in sink.mails[mails:]]
        assert len(late) == EACH
        assert set(late) <= uncertain
        accepted = set(Message.objects.filter(state=State.ACCEPTED).values_list("address", flat=True))
        assert accepted | uncertain == set(arrived)
    tally(things=PEOPLE, uncertain=len(uncertain))


def test_a_worker_stopped_while_the_server_answers_leaves_its_message_unclear(tally: Tally) -> None:
    with smtp_sink() as sink:
        values = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from_email": "a@example.org"}
        make_provider("email", name="smtp", kind="smtp", settings=values)
        make_template("hello")
        make_queued(make_contact(email="slowack@example.com"))
        worker = elsewhere.start(WORK, each=1)
        assert eventually(lambda: sink.mails)
        os.kill(worker.pid or 0, signal.SIGSTOP)
        elsewhere.frozen(worker)
        assert eventually(_leases_are_over)
        rescue.rescue(now())
        left = _all_there_is()
        assert Message.objects.get().state == State.UNCERTAIN

        os.kill(worker.pid or 0, signal.SIGCONT)
        assert elsewhere.ended(worker) == 0

        assert _all_there_is() == left
        assert delivery.deliver_batch(now) == 0
        assert len(sink.mails) == 1
    tally(things=1, uncertain=1)


def test_a_frozen_engine_holds_up_nobody_elses_step_and_takes_none_twice(tally: Tally) -> None:
    steps = {
        "mail": {
            "type": "send", "channels": ["email"], "content": {"email": "hello"}, "purpose": "offers",
            "next": "stay",
        },
        "stay": {"type": "wait", "for": "9 days"},
    }  # fmt: skip
    made = make_version({"trigger": {"event": "Cart"}, "start": "mail", "steps": steps})
    version = versions.load([made.id])[made.id]
    code = (
        "from config.embedded import point_settings_at\n"
        "point_settings_at(address, '')\n"
        "from journeys import engine\n"
        "while engine.advance(now, limit=10): pass"
    )
    # Sessions that stand still inside a transaction are ended after two seconds, else after SEGUE_LEASE.
    address = f"{database_url()}?options=-c%20idle_in_transaction_session_timeout%3D2s"
    frozen = []
    for point in ("engine.committed", "engine.written"):
        runs.enter(version, [Entry(make_contact().id, NOON) for _ in range(30)], NOON)
        frozen.append(elsewhere.start(code, now=NOON, address=address, crashpoint=point, freezes=True))
        elsewhere.frozen(frozen[-1])
    began = time.monotonic()
    assert eventually(lambda: not engine.advance(NOON) and not Run.objects.filter(step="mail").exists())
    seconds = time.monotonic() - began

    for process in frozen:
        os.kill(process.pid or 0, signal.SIGCONT)
    assert [elsewhere.ended(process) for process in frozen] == [0, 1]
    assert not engine.advance(NOON)
    assert Message.objects.count() == Message.objects.values("origin_run").distinct().count() == 60
    assert set(Run.objects.values_list("step", "visit")) == {("stay", 1)}
    tally(things=60, seconds=seconds)
