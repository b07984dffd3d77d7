from datetime import timedelta

import pytest

from channels import outbox
from channels.lifecycle import State
from channels.models import Decision, Message
from tests.factories import NOON, make_contact, make_intent

pytestmark = pytest.mark.django_db


def test_an_intent_becomes_a_message_to_be_decided_now() -> None:
    contact = make_contact()
    intent = make_intent(
        contact,
        wanted=("push", "email"),
        content={"push": "hello", "email": "spring"},
        conditions={"attribute": "city", "op": "is", "value": "Lyon"},
        variables={"code": "ten"},
        priority=70,
        value=12.5,
        origin_run=9,
        origin_step="mail",
        origin_slug="abandoned-cart",
        entered_at=NOON - timedelta(days=1),
        deadline_at=NOON + timedelta(days=2),
    )
    assert outbox.intend([intent], NOON) == 1
    message = Message.objects.get(key=intent.key)
    assert (message.state, message.due_at, message.created_at) == (State.INTENDED, NOON, NOON)
    assert (message.wanted, message.content) == (["push", "email"], {"push": "hello", "email": "spring"})
    assert (message.contact_id, message.slot) == (contact.id, contact.slot)
    assert message.conditions == intent.conditions
    assert (message.variables, message.priority, message.value) == ({"code": "ten"}, 70, 12.5)
    assert (message.origin_slug, message.entered_at) == ("abandoned-cart", intent.entered_at)


def test_the_same_wish_twice_is_one_message() -> None:
    intent = make_intent(make_contact())
    assert outbox.intend([intent, intent], NOON) == 1
    assert outbox.intend([intent], NOON + timedelta(days=40)) == 0
    assert Message.objects.count() == 1


def test_a_wish_for_later_waits_until_it_is_due() -> None:
    later = NOON + timedelta(hours=5)
    outbox.intend([make_intent(make_contact(), due_at=later)], NOON)
    assert Message.objects.get().due_at == later


def test_nothing_wanted_is_nothing_stored() -> None:
    assert outbox.intend([], NOON) == 0


@pytest.mark.parametrize("state", [State.INTENDED, State.HELD, State.QUEUED])
def test_a_message_that_no_worker_took_can_be_called_off(state: State) -> None:
    outbox.intend([make_intent(make_contact(), origin_run=5)], NOON)
    Message.objects.update(state=state)
    assert outbox.cancel([5], "goal", NOON) == 1
    message = Message.objects.get()
    assert (message.state, message.due_at, message.reason) == (State.CANCELLED, None, "goal")


@pytest.mark.parametrize("state", [State.CLAIMED, State.TRANSMITTING])
def test_a_message_that_a_worker_took_cannot_be_called_off(state: State) -> None:
    outbox.intend([make_intent(make_contact(), origin_run=5)], NOON)
    Message.objects.update(state=state)
    assert outbox.cancel([5], "goal", NOON) == 0


def test_calling_off_is_kept_in_the_ledger() -> None:
    outbox.intend([make_intent(make_contact(), origin_run=5)], NOON)
    outbox.cancel([5], "goal", NOON)
    decision = Decision.objects.get()
    assert (decision.outcome, decision.reason, decision.message_id) == (
        Decision.Outcome.CANCEL,
        "goal",
        Message.objects.get().id,
    )


def test_other_runs_keep_their_messages() -> None:
    contact = make_contact()
    outbox.intend([make_intent(contact, origin_run=5), make_intent(contact, origin_run=6)], NOON)
    assert outbox.cancel([5], "goal", NOON) == 1
    assert Message.objects.get(origin_run=6).state == State.INTENDED
