"""Several workers, one mail server with every fault at once: the server's own log is the truth."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from channels import delivery
from channels.models import Message
from tests.contracts.smtp_sink import Sink, smtp_sink
from tests.factories import NOON, make_contact, make_provider, make_queued, make_template
from tests.together import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
State = Message.State

#: Local part, its share in a hundred, where its message ends, whether the server took it.
MODES = {
    "ok": (76, State.ACCEPTED, 1),
    "perm": (5, State.REJECTED, 0),
    "dataperm": (5, State.REJECTED, 0),
    "temp": (5, State.QUEUED, 0),
    "datatemp": (5, State.QUEUED, 0),
    "dropack": (3, State.UNCERTAIN, 1),
    "cutdata": (1, State.UNCERTAIN, 0),
}
PEOPLE = 200


@pytest.fixture
def sink() -> Iterator[Sink]:
    with smtp_sink() as running:
        values = {
            "host": "127.0.0.1",
            "port": running.port,
            "security": "none",
            "from_email": "a@example.org",
        }
        make_provider("email", name="smtp", kind="smtp", settings=values)
        make_template("hello")
        yield running


def work() -> None:
    while delivery.deliver_batch(lambda: NOON, limit=40):
        pass


def test_every_fault_at_once_is_classed_right_and_nobody_gets_it_twice(sink: Sink, seed: int) -> None:
    dice = random.Random(seed)
    shares = [share for share, _state, _taken in MODES.values()]
    drawn = dice.choices(list(MODES), shares, k=PEOPLE)
    wanted = {f"{mode}{n}@shop{n % 9}.example": MODES[mode] for n, mode in enumerate(drawn)}
    for address in wanted:
        make_queued(make_contact(email=address))

    together(work, work, work)

    took = Counter(mail.recipient for mail in sink.mails)
    found = {
        address: (State(state), took[address])
        for address, state in Message.objects.values_list("address", "state")
    }
    assert found == {address: (state, taken) for address, (_share, state, taken) in wanted.items()}
    # What may be tried again is not due before its wait is over.
    again = Message.objects.filter(state=State.QUEUED).values_list("due_at", flat=True)
    assert all(due is not None and due >= NOON + timedelta(seconds=30) for due in again)


def test_broken_people_fail_alone(sink: Sink) -> None:
    strange: list[dict[str, Any]] = [
        {"first_name": "x" * 200},
        {"first_name": "\u202egnp.exe\u2066"},
        {"attributes": {"born": "0000-00-00", "list": [[[]]], "n": 1e308}},
    ]
    make_template("broken", body="<p>{{ contact.born | date: '%Y' | divided_by: 0 }}</p>")
    for n in range(198):
        make_queued(make_contact(email=f"ok{n}@example.com", **strange[n % 99 % 3] if n % 33 == 0 else {}))
    for n in range(2):
        make_queued(make_contact(email=f"ok-bad{n}@example.com"), content={"email": "broken"})

    together(work, work)

    states = Counter(Message.objects.values_list("state", flat=True))
    assert states == {State.ACCEPTED: 198, State.REJECTED: 2}
    assert len(sink.mails) == 198
