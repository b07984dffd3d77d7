"""Three of each pulse at once, as if three beats ticked: everything happens once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from channels import charter, deciding, delivery, engagement, hits, rescue
from channels.hits import NewHit
from channels.models import Decision, Message, Receipt
from contacts.models import Event
from tests.contracts.smtp_sink import smtp_sink
from tests.factories import NOON, make_contact, make_provider, make_queued, make_template
from tests.together import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
State = Message.State
PEOPLE = 90


def _decide() -> None:
    while deciding.decide_batch(NOON, 30):
        pass


def _deliver() -> None:
    while delivery.deliver_batch(lambda: NOON, limit=30):
        pass


def test_three_of_each_pulse_send_everything_once() -> None:
    charter.publish(charter.draft({}), NOON - timedelta(days=1))
    make_template("hello")
    with smtp_sink() as sink:
        values = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from_email": "a@example.org"}
        make_provider("email", name="smtp", kind="smtp", settings=values)
        for n in range(PEOPLE):
            make_queued(make_contact(email=f"ok{n}@example.com"), state=State.INTENDED, wanted=["email"])
        together(_decide, _decide, _decide)
        together(_deliver, _deliver, _deliver, lambda: rescue.rescue(NOON), lambda: rescue.rescue(NOON))

        assert Counter(mail.recipient for mail in sink.mails) == {
            f"ok{n}@example.com": 1 for n in range(PEOPLE)
        }
    assert set(Message.objects.values_list("state", flat=True)) == {State.ACCEPTED}
    assert Decision.objects.count() == PEOPLE
    assert Event.objects.filter(name="Message Sent").count() == PEOPLE


def test_the_same_report_read_by_several_at_once_counts_once() -> None:
    message = make_queued(make_contact(), state=State.ACCEPTED, due_at=None, accepted_at=NOON)
    at = NOON + timedelta(minutes=5)
    report = NewHit(
        at, "delivered", message.id, message.created_at, provider_id=1, receipt_key="r-1", data={}
    )

    def told_and_read() -> None:
        for _ in range(16):
            hits.write([report])
            engagement.absorb(at)

    together(told_and_read, told_and_read, told_and_read)
    engagement.absorb(at)

    assert Receipt.objects.count() == 1
    assert Event.objects.filter(name="Message Delivered").count() == 1
