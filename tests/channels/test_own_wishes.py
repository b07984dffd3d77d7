"""What people ask for in the preference centre changes what is sent, and the ledger says so."""

from datetime import time, timedelta

import pytest

from channels import charter, deciding, delivery, explaining, outbox
from channels.lifecycle import State
from channels.models import Decision, Message
from contacts import consent, wishes
from contacts.consent import NewConsent
from contacts.models import Contact, Purpose
from tests.factories import NOON, make_contact, make_intent, make_provider, make_queued, make_template

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def alice() -> Contact:
    make_provider("email")
    charter.publish(charter.draft({}), NOON - DAY)
    contact = make_contact(timezone="Europe/Paris")
    consent.record([NewConsent(contact.id, "email", "*", True, "test")], NOON - DAY)
    return contact


def decide(now: object = NOON) -> Message:
    while deciding.decide_batch(now):  # type: ignore[arg-type]
        pass
    return Message.objects.latest("id")


def received(contact: Contact, days_ago: float) -> None:
    at = NOON - days_ago * DAY
    make_queued(contact, now=at, state=Message.State.ACCEPTED, accepted_at=at, due_at=None)


def test_an_own_weekly_maximum_holds_the_next_message(alice: Contact) -> None:
    wishes.limit(alice, 2, None, NOON)
    received(alice, 6)
    received(alice, 1)
    outbox.intend([make_intent(alice)], NOON)
    message = decide()
    assert (message.state, message.reason) == (State.HELD, "own_cap")
    assert message.due_at == NOON + DAY
    words = explaining.explain(Decision.objects.get())
    assert "this person wants no more (third message in 7 days, limit 2)" in words


def test_without_an_own_maximum_the_same_message_leaves(alice: Contact) -> None:
    received(alice, 6)
    received(alice, 1)
    outbox.intend([make_intent(alice)], NOON)
    assert decide().state == State.QUEUED


def test_an_own_maximum_lets_service_messages_through(alice: Contact) -> None:
    Purpose.objects.update_or_create(slug="orders", defaults={"name": "Orders", "transactional": True})
    wishes.limit(alice, 1, (time(0), time(23, 59)), NOON)
    received(alice, 1)
    outbox.intend([make_intent(alice, purpose="orders")], NOON)
    assert decide().state == State.QUEUED


def test_own_quiet_hours_hold_on_the_persons_clock(alice: Contact) -> None:
    wishes.limit(alice, None, (time(12), time(15)), NOON)
    outbox.intend([make_intent(alice)], NOON)  # 13:00 in Paris
    message = decide()
    assert (message.state, message.reason, message.due_at) == (
        State.HELD,
        "own_quiet_hours",
        NOON + 2 * HOUR,
    )
    assert "12:00-15:00" in explaining.explain(Decision.objects.get())


def test_own_quiet_hours_are_asked_again_as_the_message_leaves(alice: Contact) -> None:
    make_template("hello")
    message = make_queued(alice)
    wishes.limit(alice, None, (time(12), time(15)), NOON)
    delivery.deliver_batch(lambda: NOON)
    message.refresh_from_db()
    assert (message.state, message.reason) == (State.HELD, "own_quiet_hours")


def test_wishes_can_be_taken_back(alice: Contact) -> None:
    wishes.limit(alice, 1, (time(12), time(15)), NOON)
    wishes.limit(alice, None, None, NOON)
    received(alice, 1)
    outbox.intend([make_intent(alice)], NOON)
    assert decide().state == State.QUEUED


def test_a_consent_that_has_ended_stops_the_message_and_says_why(alice: Contact) -> None:
    ends = NOON + HOUR
    consent.record([NewConsent(alice.id, "email", "offers", True, "test", expires_at=ends)], NOON)
    message = make_queued(alice, due_at=ends)
    outbox.intend([make_intent(alice)], ends)
    assert decide(ends).reason == "consent_expired"
    delivery.deliver_batch(lambda: ends)
    message.refresh_from_db()
    assert (message.state, message.reason) == (State.DROPPED, "consent_expired")
    assert "has ended" in explaining.explain(Decision.objects.latest("id"))


def test_nothing_is_sent_before_the_confirmation_even_where_nobody_need_be_asked(alice: Contact) -> None:
    Purpose.objects.update_or_create(
        slug="offers", defaults={"name": "Offers", "confirmed_channels": ["email"]}
    )
    charter.publish(charter.draft({"consent": {"unasked": "allow"}}), NOON)
    bob = make_contact()
    consent.ask([NewConsent(bob.id, "email", "offers", True, "form")], NOON)
    outbox.intend([make_intent(bob)], NOON)
    assert decide().reason == "not_confirmed"
    assert "confirmation" in explaining.explain(Decision.objects.get())
