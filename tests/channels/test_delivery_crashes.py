"""A worker dies at each of delivery's crash points: nothing is lost, nothing arrives twice."""

from collections import Counter
from datetime import timedelta

import pytest

from channels import delivery, rescue
from channels.delivery_claim import LEASE
from channels.models import Message
from tests import elsewhere
from tests.contracts.smtp_sink import smtp_sink
from tests.factories import NOON, make_contact, make_provider, make_queued, make_template

State = Message.State

POINTS = (
    "deliver.claiming",
    "deliver.claimed",
    "deliver.packed",
    "deliver.transmitting",
    "deliver.answered",
    "deliver.recorded",
)
_WORK = """
from channels import delivery
while delivery.deliver_batch(lambda: now): pass
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", POINTS)
def test_a_death_at_any_point_loses_nothing_and_sends_nothing_twice(point: str) -> None:
    with smtp_sink() as sink:
        values = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from_email": "a@example.org"}
        make_provider("email", name="smtp", kind="smtp", settings=values)
        make_template("hello")
        for place in range(20):
            make_queued(make_contact(email=f"ok{place}@example.com"))
        assert elsewhere.run(_WORK, now=NOON, crashpoint=f"{point}:1") == 137
        later = NOON + LEASE + timedelta(seconds=1)
        rescue.rescue(later)
        while delivery.deliver_batch(lambda: later):
            pass
        arrived = Counter(mail.recipient for mail in sink.mails)
        states = dict(Message.objects.values_list("address", "state"))
        assert max(arrived.values()) == 1
        assert set(states.values()) <= {State.ACCEPTED, State.UNCERTAIN}
        accepted = {address for address, state in states.items() if state == State.ACCEPTED}
        assert accepted <= set(arrived)
        assert set(arrived) - accepted <= {a for a, state in states.items() if state == State.UNCERTAIN}
        # Only what was being handed over when the worker died can be in doubt.
        in_doubt = 16 if point in ("deliver.transmitting", "deliver.answered") else 0
        assert len(states) - len(accepted) <= in_doubt
