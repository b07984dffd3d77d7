"""Sick receiving domains cost the healthy ones next to nothing: times compared, in the full matrix."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from channels import delivery
from channels.models import Flow, Message
from tests.contracts.smtp_sink import Sink, smtp_sink
from tests.emptying import empty
from tests.factories import make_contact, make_provider, make_queued, make_template
from tests.faults.conftest import Tally
from tests.faults.matrix import FULL, WHOLE

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(900),
    pytest.mark.skipif(not WHOLE, reason=f"only in the full matrix: {', '.join(FULL)}"),
]
HEALTHY, SICK, ROUNDS = 400, 16, 3
#: Busy, too late, cut off, refusing: each at a domain of its own.
MODES = ("temp", "slowack", "cutdata", "perm")


@pytest.fixture
def sink() -> Iterator[Sink]:
    with smtp_sink() as running:
        yield running


def p95_of_healthy(sink: Sink, sick: bool) -> float:
    """Seconds after which 95 of a hundred healthy messages have left, all of them due at once."""
    empty()
    sink.mails.clear()
    values = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from_email": "a@example.org"}
    account = make_provider("email", name="smtp", kind="smtp", settings={**values, "timeout": 1})
    make_template("hello")
    for mode in MODES:
        # Known to be in trouble since the messages before these.
        Flow.objects.create(account=account, domain=f"{mode}.example", failures=1)
    messages = [make_queued(make_contact(email=f"ok{n}@fine.example")) for n in range(HEALTHY)]
    if sick:
        for n in range(SICK):
            mode = MODES[n % len(MODES)]
            make_queued(make_contact(email=f"{mode}{n}@{mode}.example"))
    crew = delivery.Crew(connections=4)
    began = datetime.now(UTC)
    healthy = Message.objects.filter(id__in=[one.id for one in messages])
    try:
        while healthy.exclude(state=Message.State.ACCEPTED).exists():
            crew.deliver(lambda: datetime.now(UTC), share=False)
    finally:
        crew.close()
    left = sorted(at for at in healthy.values_list("accepted_at", flat=True) if at is not None)
    return (left[int(len(left) * 0.95)] - began).total_seconds()


def test_the_delay_of_a_healthy_domain_grows_by_less_than_a_fifth(sink: Sink, tally: Tally) -> None:
    p95_of_healthy(sink, sick=False)  # what is only done once
    pairs = [(p95_of_healthy(sink, sick=False), p95_of_healthy(sink, sick=True)) for _ in range(ROUNDS)]
    alone, beside = (min(times) for times in zip(*pairs, strict=True))
    print(f"p95 alone {alone:.3f} s, beside sick domains {beside:.3f} s: {beside / alone:.2f} times")
    tally(things=ROUNDS * 2 * HEALTHY)
    assert beside < 1.2 * alone, pairs
