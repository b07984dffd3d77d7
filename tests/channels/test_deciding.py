from datetime import datetime, timedelta
from typing import Any

import pytest

from channels import charter, deciding, delivery, explaining, lifecycle, outbox, replaying
from channels.lifecycle import Ref, State
from channels.models import CharterVersion, Decision, Message, ProviderAccount, SandboxMessage
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import ChannelAddress, Contact, Event, Purpose
from tests.factories import NOON, make_contact, make_intent, make_provider, make_template
from tests.statements import statements

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _carriers() -> None:
    for channel in ("email", "sms", "push"):
        make_provider(channel)


def subscriber(**values: Any) -> Contact:
    contact = make_contact(**{"timezone": "Europe/Paris", "phone": "", **values})
    consent.record(
        [NewConsent(contact.id, channel, "*", True, "test") for channel in consent.CHANNELS], NOON - DAY
    )
    return contact


def rule_by(rules: dict[str, Any]) -> CharterVersion:
    version = charter.draft(rules)
    return charter.publish(version, NOON - 30 * DAY)


def decide_all() -> None:
    while deciding.decide_batch(NOON):
        pass


def test_a_message_with_consent_is_queued_with_all_that_delivery_needs() -> None:
    contact = subscriber(email="alice@example.com")
    outbox.intend([make_intent(contact)], NOON)
    assert deciding.decide_batch(NOON) == 1
    message = Message.objects.get()
    assert (message.state, message.channel, message.address) == (State.QUEUED, "email", "alice@example.com")
    assert message.provider_id == ProviderAccount.objects.get(channel="email").id
    assert (message.due_at, message.reason) == (NOON, "allowed")
    assert Decision.objects.get().outcome == Decision.Outcome.SEND


def test_nothing_due_is_nothing_decided() -> None:
    outbox.intend([make_intent(subscriber(), due_at=NOON + HOUR)], NOON)
    assert deciding.decide_batch(NOON) == 0
    assert deciding.decide_batch(NOON + HOUR) == 1


def test_without_consent_a_message_is_dropped_and_the_log_and_ledger_say_so() -> None:
    contact = make_contact()
    outbox.intend([make_intent(contact, origin_slug="welcome", origin_step="hello")], NOON)
    deciding.decide_batch(NOON)
    message = Message.objects.get()
    assert (message.state, message.reason, message.due_at) == (State.DROPPED, "not_asked", None)
    decision = Decision.objects.get()
    assert (decision.outcome, decision.reason, decision.contact_id) == (
        Decision.Outcome.DROP,
        "not_asked",
        contact.id,
    )
    assert decision.trace[-1][:2] == ["consent", "refuse"]
    event = Event.objects.get(name="Message Dropped")
    assert event.properties["journey"] == "welcome"
    assert (event.properties["step"], event.properties["reason"]) == ("hello", "not_asked")


def test_a_service_purpose_needs_no_consent() -> None:
    Purpose.objects.update_or_create(slug="orders", defaults={"name": "Orders", "transactional": True})
    outbox.intend([make_intent(make_contact(), purpose="orders")], NOON)
    deciding.decide_batch(NOON)
    assert Message.objects.get().state == State.QUEUED


def test_a_suppressed_address_is_not_queued() -> None:
    outbox.intend([make_intent(subscriber(email="bob@example.com"))], NOON)
    consent.suppress([("email", "Bob@example.com")], "complaint", NOON)
    deciding.decide_batch(NOON)
    assert Message.objects.get().reason == "suppressed"


def test_a_message_over_the_cap_is_held_until_there_is_a_place() -> None:
    rule_by({"caps": [{"limit": 1, "rolling": "7 days"}]})
    contact = subscriber()
    outbox.intend([make_intent(contact), make_intent(contact, priority=60)], NOON)
    decide_all()
    first, second = Message.objects.order_by("-priority")
    assert (first.state, second.state, second.reason) == (State.QUEUED, State.HELD, "cap")
    assert second.due_at == NOON + 7 * DAY
    assert Event.objects.filter(name="Message Held").count() == 1


def test_a_rejected_message_gives_its_place_back() -> None:
    rule_by({"caps": [{"limit": 1, "rolling": "1 day"}]})
    contact = subscriber()
    outbox.intend([make_intent(contact)], NOON)
    decide_all()
    Message.objects.update(state=State.REJECTED, due_at=None)
    outbox.intend([make_intent(contact)], NOON)
    decide_all()
    assert Message.objects.filter(state=State.QUEUED).count() == 1


@pytest.mark.parametrize("state", [State.QUEUED, State.CLAIMED, State.TRANSMITTING, State.UNCERTAIN])
def test_a_message_that_may_yet_arrive_keeps_its_place(state: State) -> None:
    rule_by({"caps": [{"limit": 1, "rolling": "1 day"}]})
    contact = subscriber()
    outbox.intend([make_intent(contact)], NOON)
    decide_all()
    Message.objects.update(state=state, due_at=None if state == State.UNCERTAIN else NOON)
    outbox.intend([make_intent(contact)], NOON)
    decide_all()
    assert Message.objects.filter(state=State.HELD).count() == 1


def test_what_was_accepted_long_ago_takes_no_place() -> None:
    rule_by({"caps": [{"limit": 1, "rolling": "1 day"}]})
    contact = subscriber()
    outbox.intend([make_intent(contact)], NOON - 3 * DAY)
    Message.objects.update(
        state=State.ACCEPTED, due_at=None, accepted_at=NOON - 2 * DAY, channel="email", purpose="offers"
    )
    outbox.intend([make_intent(contact)], NOON)
    decide_all()
    assert Message.objects.filter(state=State.QUEUED).count() == 1


def test_quiet_hours_follow_the_persons_clock() -> None:
    rule_by({"quiet_hours": [{"channels": ["sms"], "from": "20:00", "to": "08:00"}]})
    here = subscriber(phone="+33612345678")
    there = subscriber(phone="+13055550123", timezone="America/Los_Angeles")
    content = {"wanted": ("sms",), "content": {"sms": "code"}}
    outbox.intend([make_intent(here, **content), make_intent(there, **content)], NOON)
    decide_all()
    assert Message.objects.get(contact=here).state == State.QUEUED
    held = Message.objects.get(contact=there)
    assert (held.state, held.reason, held.due_at) == (State.HELD, "quiet_hours", NOON.replace(hour=15))


def test_an_unknown_zone_waits_for_every_zone_of_the_country() -> None:
    rule_by({"quiet_hours": [{"channels": ["sms"], "from": "20:00", "to": "08:00"}]})
    contact = subscriber(phone="+12125550123", timezone="", country="US")
    outbox.intend([make_intent(contact, wanted=("sms",), content={"sms": "code"})], NOON)
    decide_all()
    assert Message.objects.get().due_at == NOON.replace(hour=18)  # 08:00 in Honolulu


def test_an_unknown_zone_is_the_default_where_the_charter_says_so() -> None:
    rule_by(
        {
            "quiet_hours": [{"channels": ["sms"], "from": "20:00", "to": "08:00"}],
            "time": {"unknown_zone": "default", "default_zone": "Europe/Paris"},
        }
    )
    contact = subscriber(phone="+12125550123", timezone="", country="US")
    outbox.intend([make_intent(contact, wanted=("sms",), content={"sms": "code"})], NOON)
    decide_all()
    assert Message.objects.get().state == State.QUEUED


@pytest.mark.parametrize(
    ("value", "expected"), [("2026-03-20T00:00:00+00:00", State.HELD), ("soon", State.QUEUED)]
)
def test_a_break_is_read_from_the_persons_attributes(value: str, expected: State) -> None:
    outbox.intend([make_intent(subscriber(attributes={"paused_until": value}))], NOON)
    decide_all()
    assert Message.objects.get().state == expected


def test_no_push_while_an_email_is_scheduled() -> None:
    rule_by({"redundancy": [{"drop": "push", "when": "email", "ahead": "24 hours"}]})
    contact = subscriber()
    ChannelAddress.objects.create(
        slot=contact.slot, contact=contact, channel="push", address="https://push.example/1", created_at=NOON
    )
    outbox.intend(
        [
            make_intent(contact, due_at=NOON + 5 * HOUR),
            make_intent(contact, wanted=("push",), content={"push": "hi"}),
        ],
        NOON,
    )
    decide_all()
    push = Message.objects.get(wanted=["push"])
    assert (push.state, push.reason) == (State.DROPPED, "redundant")


def test_conditions_that_no_longer_hold_cancel_the_message() -> None:
    lyon, paris = subscriber(attributes={"city": "Lyon"}), subscriber(attributes={"city": "Paris"})
    rule = {"attribute": "city", "op": "is", "value": "Lyon"}
    outbox.intend([make_intent(one, conditions=rule) for one in (lyon, paris)], NOON)
    decide_all()
    assert Message.objects.get(contact=lyon).state == State.QUEUED
    cancelled = Message.objects.get(contact=paris)
    assert (cancelled.state, cancelled.reason) == (State.CANCELLED, "conditions")


def test_conditions_that_cannot_be_read_do_not_hold() -> None:
    outbox.intend([make_intent(subscriber(), conditions={"what": "?"})], NOON)
    decide_all()
    assert Message.objects.get().state == State.CANCELLED


def test_windows_since_entry_begin_where_the_wish_says() -> None:
    contact = subscriber()
    rule = {"event": "Consent Given", "count": {"lte": 0}, "within": "since_entry"}
    outbox.intend(
        [
            make_intent(contact, conditions=rule, entered_at=NOON - 2 * DAY),
            make_intent(contact, conditions=rule, entered_at=NOON - HOUR),
        ],
        NOON,
    )
    decide_all()
    early, late = Message.objects.order_by("entered_at")
    assert (early.state, late.state in {State.QUEUED, State.HELD}) == (State.CANCELLED, True)


def test_a_message_of_a_person_who_is_gone_is_cancelled() -> None:
    contact = subscriber()
    outbox.intend([make_intent(contact)], NOON)
    Contact.objects.filter(id=contact.id).delete()
    decide_all()
    assert (Message.objects.get().state, Message.objects.get().reason) == (State.CANCELLED, "no_contact")


def test_a_paused_provider_is_written_to_the_ledger_once() -> None:
    ProviderAccount.objects.update(paused=True)
    outbox.intend([make_intent(subscriber())], NOON)
    for minutes in (0, 15, 30):
        deciding.decide_batch(NOON + timedelta(minutes=minutes))
    assert (Message.objects.get().state, Decision.objects.count()) == (State.HELD, 1)


def test_a_decision_names_the_charter_that_ruled() -> None:
    version = rule_by({})
    outbox.intend([make_intent(subscriber())], NOON)
    decide_all()
    assert Decision.objects.get().charter_number == version.number


def test_a_message_called_off_meanwhile_leaves_no_decision_to_send() -> None:
    outbox.intend([make_intent(subscriber(), origin_run=3)], NOON)
    outbox.cancel([3], "goal", NOON)
    assert deciding.decide_batch(NOON) == 0
    assert Decision.objects.get().reason == "goal"


def test_a_batch_takes_the_same_statements_for_ten_and_a_thousand() -> None:
    rule_by(charter.DEFAULT)
    totals = []
    for size in (10, 1000):
        people = [subscriber() for _one in range(size // 2)]
        rule = {"attribute": "email", "op": "exists"}
        outbox.intend([make_intent(people[i // 2], conditions=rule) for i in range(size)], NOON)
        with statements() as count:
            assert deciding.decide_batch(NOON, 64_000, most_slots=64) == size
        totals.append(count.total)
    assert totals[0] == totals[1] < 30


def queued(contact: Contact, **values: Any) -> Message:
    outbox.intend([make_intent(contact, **values)], NOON)
    decide_all()
    message = Message.objects.get(contact=contact)
    assert message.state == State.QUEUED
    return message


def test_nothing_has_come_against_a_message_that_may_leave() -> None:
    assert deciding.recheck([queued(subscriber())], NOON) == {}


def test_a_withdrawal_before_the_claim_stops_the_message() -> None:
    contact = subscriber()
    message = queued(contact)
    consent.withdraw(contact.id, NOON, origin="test")
    against = deciding.recheck([message], NOON)
    assert against[message.id].reason == "no_consent"
    lifecycle.move([Ref(message.id, message.created_at, message.slot)], State.QUEUED, State.CLAIMED)
    assert deciding.turn_back([message], against, NOON) == {message.id}
    message.refresh_from_db()
    assert (message.state, message.reason) == (State.DROPPED, "no_consent")
    assert Decision.objects.latest("id").reason == "no_consent"
    assert Event.objects.filter(name="Message Dropped").count() == 1


def test_a_bounce_before_the_claim_stops_the_message() -> None:
    message = queued(subscriber(email="carol@example.com"))
    consent.suppress([("email", "carol@example.com")], "hard_bounce", NOON)
    assert deciding.recheck([message], NOON)[message.id].reason == "suppressed"


def test_a_conversion_before_the_claim_cancels_the_message() -> None:
    contact = subscriber(attributes={"city": "Lyon"})
    message = queued(contact, conditions={"attribute": "city", "op": "is", "value": "Lyon"})
    Contact.objects.filter(id=contact.id).update(attributes={"city": "Nice"})
    against = deciding.recheck([message], NOON)
    deciding.turn_back([message], against, NOON)
    message.refresh_from_db()
    assert (message.state, message.reason) == (State.CANCELLED, "conditions")


def test_a_message_that_comes_late_into_quiet_hours_is_held_again() -> None:
    rule_by({"quiet_hours": [{"channels": ["sms"], "from": "20:00", "to": "08:00"}]})
    contact = subscriber(phone="+33612345678")
    message = queued(contact, wanted=("sms",), content={"sms": "code"})
    night = NOON + 8 * HOUR
    deciding.turn_back([message], deciding.recheck([message], night), night)
    message.refresh_from_db()
    assert (message.state, message.due_at) == (State.HELD, NOON.replace(hour=7) + DAY)


def turned_back(message: Message, now: datetime) -> Message:
    deciding.turn_back([message], deciding.recheck([message], now), now)
    message.refresh_from_db()
    return message


def test_one_that_would_rather_not_come_late_is_dropped_as_the_quiet_hours_begin() -> None:
    rule_by({"quiet_hours": [{"channels": ["sms"], "from": "20:00", "to": "08:00"}]})
    contact = subscriber(phone="+33612345678")
    message = queued(contact, wanted=("sms",), content={"sms": "code"}, on_hold="drop")
    assert turned_back(message, NOON + 8 * HOUR).state == State.DROPPED
    assert replaying.replay(Decision.objects.latest("id")).status == replaying.SAME


def test_where_one_channel_closes_before_the_claim_the_message_takes_the_next_one() -> None:
    contact = subscriber(email="carol@example.com", phone="+33612345678")
    message = queued(contact, wanted=("email", "sms"), content={"email": "spring", "sms": "code"})
    consent.suppress([("email", "carol@example.com")], "hard_bounce", NOON)
    assert turned_back(message, NOON).state == State.HELD
    line = Decision.objects.latest("id")
    assert "it is decided about anew, for SMS" in [step.words for step in explaining.steps(line)]
    assert replaying.replay(line).status == replaying.SAME
    decide_all()
    message.refresh_from_db()
    assert (message.state, message.channel) == (State.QUEUED, "sms")


def test_one_that_may_be_rerouted_does_not_wait_for_the_end_of_the_quiet_hours() -> None:
    rule_by({"quiet_hours": [{"channels": ["sms"], "from": "20:00", "to": "08:00"}]})
    contact = subscriber(phone="+33612345678")
    ways = {"wanted": ("sms", "email"), "content": {"email": "spring", "sms": "code"}}
    waits, goes = queued(contact, **ways), queued(subscriber(phone="+33612345679"), **ways, on_hold="reroute")
    night = NOON + 8 * HOUR
    assert turned_back(waits, night).due_at == NOON.replace(hour=7) + DAY
    assert turned_back(goes, night).due_at == night


def test_a_message_past_its_deadline_expires_at_the_claim() -> None:
    message = queued(subscriber(), deadline_at=NOON + HOUR)
    later = NOON + 2 * HOUR
    deciding.turn_back([message], deciding.recheck([message], later), later)
    message.refresh_from_db()
    assert message.state == State.EXPIRED


def test_the_recheck_takes_the_same_statements_for_ten_and_a_hundred() -> None:
    totals = []
    for size in (10, 100):
        messages = [queued(subscriber()) for _one in range(size)]
        with statements() as count:
            deciding.recheck(messages, NOON)
        totals.append(count.total)
    assert totals[0] == totals[1]


def test_delivery_hands_nothing_over_after_an_unsubscribe() -> None:
    ProviderAccount.objects.filter(channel="email").update(settings={})
    make_template("spring")
    kept, left = subscriber(), subscriber()
    outbox.intend([make_intent(kept), make_intent(left)], NOON)
    decide_all()
    consent.withdraw(left.id, NOON, origin="test", channels=["email"], purpose="offers")
    delivery.deliver_batch(lambda: NOON)
    assert [mail.address for mail in SandboxMessage.objects.all()] == [kept.email]
    assert Message.objects.get(contact=left).state == State.DROPPED
