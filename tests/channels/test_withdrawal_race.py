"""A withdrawal that races with the dispatch: nothing leaves in a batch that began after it was stored."""

import threading
from datetime import datetime

import pytest
from django.db import connection

from channels import delivery
from channels.models import Attempt, Message
from contacts import clock, consent, preferences
from contacts.preferences import Grant
from tests.factories import make_contact, make_provider, make_queued, make_template


@pytest.mark.django_db(transaction=True)
def test_nothing_leaves_in_a_batch_that_began_after_the_withdrawal_was_stored() -> None:
    make_provider("email")
    make_template("hello")
    people = [make_contact(now=clock.now()) for _one in range(12)]
    messages = {one.pk: make_queued(one, now=clock.now()) for one in people}
    stored: dict[int, datetime] = {}
    begin = threading.Barrier(2)

    def leave() -> None:
        begin.wait()
        for one in people:
            grant = Grant(one.public_id, "email", "offers")
            preferences.unsubscribe(one, grant, clock.now(), origin="one click", proof={})
            stored[one.pk] = clock.now()
        connection.close()

    thread = threading.Thread(target=leave)
    thread.start()
    begin.wait()
    # A batch looks at consent after it has begun, and not again once its messages are under way.
    batches = [clock.now()]
    while delivery.deliver_batch(clock.now, limit=3):
        batches.append(clock.now())
    thread.join()
    while delivery.deliver_batch(clock.now):
        pass
    for contact_id, message in messages.items():
        message.refresh_from_db()
        if message.state == Message.State.ACCEPTED:
            left = Attempt.objects.get(message_id=message.pk).started_at
            assert max(began for began in batches if began <= left) <= stored[contact_id]
        else:
            assert (message.state, message.reason) == (Message.State.DROPPED, "no_consent")
    assert not any(one.get(("email", "offers")) for one in consent.states(list(messages)).values())
