"""Each promise of channels: a planted fault is found, and what is as promised is not."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection

from channels import charter, policy, policy_kept
from channels.models import Attempt, Decision, Message, Receipt
from channels.policy_facts import Person
from contacts import consent
from contacts.auditing import looking
from contacts.auditing.promise import Passing
from contacts.auditing.registry import promises
from contacts.consent import NewConsent
from contacts.models import Contact, Merge, Purpose, Suppression
from tests.channels import policy_cases
from tests.factories import NOON, make_contact, make_provider, make_queued
from tests.promises import broken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("months")]
State = Message.State
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LATER = NOON + timedelta(days=40)


def sent(contact: Contact | None = None, **values: Any) -> Message:
    """A message as decided, handed over and accepted, with its ledger and its attempt."""
    contact = contact or make_contact()
    at = values.pop("at", NOON)
    message = make_queued(
        contact,
        **{"state": State.ACCEPTED, "due_at": None, "accepted_at": at, "now": at, **values},
    )
    decided(message)
    attempt(message)
    return message


def decided(message: Message, trace: Any = (), **values: Any) -> Decision:
    return Decision.objects.create(
        **{
            "decided_at": message.created_at,
            "slot": message.slot,
            "contact": message.contact,
            "message_id": message.id,
            "message_created_at": message.created_at,
            "outcome": Decision.Outcome.SEND,
            "reason": "allowed",
            "trace": list(trace),
            **values,
        }
    )


def attempt(message: Message, **values: Any) -> Attempt:
    return Attempt.objects.create(
        **{
            "started_at": message.accepted_at or message.created_at,
            "slot": message.slot,
            "message_id": message.id,
            "message_created_at": message.created_at,
            "provider_id": 1,
            "number": 1,
            "outcome": "accepted",
            **values,
        }
    )


def receipt(message: Message, kind: str, **values: Any) -> Receipt:
    return Receipt.objects.create(
        **{
            "received_at": NOON + HOUR,
            "slot": message.slot,
            "contact_id": message.contact_id,
            "message_id": message.id,
            "message_created_at": message.created_at,
            "kind": kind,
            **values,
        }
    )


def withdraw(contact: Contact, purpose: str = "offers", ago: timedelta = HOUR) -> None:
    consent.record([NewConsent(contact.id, "email", purpose, False, "form")], NOON - ago)


def _twice() -> None:
    attempt(sent(), number=2)


def _accepted_but_queued() -> None:
    message = make_queued(make_contact(), due_at=LATER)
    decided(message)
    attempt(message)


def _arrived_unsent() -> None:
    receipt(make_queued(make_contact(), due_at=LATER, delivered_at=NOON), "delivered")


def _undecided() -> None:
    attempt(make_queued(make_contact(), state=State.ACCEPTED, due_at=None, accepted_at=NOON))


def _after_no() -> None:
    contact = make_contact()
    withdraw(contact)
    sent(contact)


def _after_no_to_all() -> None:
    contact = make_contact()
    withdraw(contact, "*")
    sent(contact)


def _to_a_barred_address() -> None:
    message = sent()
    Suppression.objects.create(channel="email", address=message.address, created_at=NOON - HOUR)


def _two_on_one_day() -> None:
    contact = make_contact(timezone="Europe/Paris")
    sent(contact)
    sent(contact, at=NOON + HOUR)


def _over_the_cap_of_a_band() -> None:
    """Two each, let out by a policy that did not know of the first one. Only who hardly reacts has a cap."""
    rules = {"caps": [{"name": "few", "limit": 1, "rolling": "7 days", "bands": ["low"]}]}
    number = charter.publish(charter.draft(rules), NOON - HOUR).number
    for band in ("low", "high"):
        contact = make_contact()
        for at in (NOON, NOON + HOUR):
            message = sent(contact, at=at)
            facts = policy_cases.facts(rules, person=policy_cases.alice(band=band), now=at)
            Decision.objects.filter(message_id=message.id).update(
                facts=policy_kept.pack(facts), charter_number=number, channel="email",
                trace=msgspec.to_builtins(policy.decide(facts).trace),
            )  # fmt: skip


def _out_of(rules: dict[str, Any], hours: float, person: Person, **values: Any) -> Message:
    """A message that was let out at noon, 13:00 in Paris, and left so many hours later."""
    number = charter.publish(charter.draft(rules), NOON - HOUR).number
    message = sent(make_contact(timezone="Europe/Paris"), accepted_at=NOON + hours * HOUR, **values)
    facts = policy_cases.facts(rules, person=person, now=NOON)
    Decision.objects.filter(message_id=message.id).update(
        facts=policy_kept.pack(facts), charter_number=number, channel="email",
        trace=msgspec.to_builtins(policy.decide(facts).trace),
    )  # fmt: skip
    return message


NIGHTS = {"quiet_hours": [{"channels": ["email"], "from": "14:00", "to": "08:00"}]}


def _left_in_quiet_hours() -> None:
    _out_of(NIGHTS, 2, policy_cases.alice())


def _left_in_their_own_quiet_hours() -> None:
    _out_of({}, 2, policy_cases.alice(quiet=(time(14), time(8))))


def _held_without_until() -> None:
    # One decision in twenty is looked at; so many that one is.
    message = sent()
    for _number in range(20):
        decided(message, [["cap", "pass", {}]], outcome=Decision.Outcome.HOLD, reason="cap")


def _held_by_a_dead_worker() -> None:
    make_queued(make_contact(), state=State.TRANSMITTING, due_at=LATER, lease_until=NOON)


def _overdue() -> None:
    make_queued(make_contact())


def _uncounted() -> None:
    receipt(sent(), "clicked", actor="human")


def _measured() -> None:
    contact = make_contact(country="FR")
    receipt(sent(contact, opened_at=NOON), "opened", actor="human")


FAULTS: dict[str, tuple[Callable[[], None], ...]] = {
    "message_once": (_twice,),
    "accepted_known": (_accepted_but_queued,),
    "delivered_sent": (_arrived_unsent,),
    "decided_first": (_undecided,),
    "consent_kept": (_after_no, _after_no_to_all),
    "suppressed_spared": (_to_a_barred_address,),
    "caps_kept": (_two_on_one_day, _over_the_cap_of_a_band),
    "hours_kept": (_left_in_quiet_hours, _left_in_their_own_quiet_hours),
    "decision_sound": (_held_without_until,),
    "leases_end": (_held_by_a_dead_worker,),
    "messages_move": (_overdue,),
    "receipts_counted": (_uncounted,),
    "measured_agreed": (_measured,),
}


@pytest.mark.parametrize(
    ("name", "plant"), [(name, one) for name, several in FAULTS.items() for one in several]
)
def test_a_planted_fault_is_found_and_only_it(name: str, plant: Callable[[], None]) -> None:
    sent()
    plant()
    assert list(broken(NOON + 4 * HOUR)) == [name]


def test_what_is_right_is_left_alone() -> None:
    contact, other = make_contact(), make_contact()
    # Said no and yes again; said no while the message was on its way; said no to something else.
    withdraw(contact)
    consent.record([NewConsent(contact.id, "email", "offers", True, "form")], NOON - MINUTE)
    sent(contact)
    withdraw(other, "news")
    consent.record([NewConsent(other.id, "email", "offers", False, "form")], NOON - timedelta(seconds=5))
    sent(other)
    # Of service messages there may be two, whatever was said, and on one day.
    Purpose.objects.get_or_create(slug="orders", defaults={"name": "Orders", "transactional": True})
    third = make_contact()
    withdraw(third, "*")
    sent(third, purpose="orders", transactional=True)
    sent(third, purpose="orders", transactional=True, at=NOON + MINUTE)
    # A day apart, and what arrived and was opened as it says.
    message = sent(third, at=NOON + timedelta(days=1), transactional=True, delivered_at=NOON + HOUR)
    receipt(message, "delivered")
    assert broken(LATER) == {}


def test_hours_are_asked_for_the_time_of_leaving_and_for_where_somebody_turns_out_to_be() -> None:
    # Handed over within the minute in which the quiet hours began, or by a service that is never held.
    _out_of(NIGHTS, 61 / 60, policy_cases.alice())
    _out_of(NIGHTS, 2, policy_cases.alice(), transactional=True)
    # Quiet where they were thought to be, and not where they really are.
    message = _out_of(NIGHTS, 2, policy_cases.alice())
    Contact.objects.filter(id=message.contact_id).update(timezone="America/New_York")
    assert broken(NOON + 4 * HOUR) == {}


def test_what_its_wisher_keeps_back_or_takes_back_is_sound() -> None:
    message = sent()
    for outcome, answer in ((Decision.Outcome.HOLD, "wait"), (Decision.Outcome.CANCEL, "cancel")):
        for _number in range(20):
            decided(message, [["origin", answer, {"why": "withheld"}]], outcome=outcome, reason="withheld")
    assert broken(NOON + HOUR) == {}


def test_people_who_turned_out_to_be_one_are_not_held_against_us() -> None:
    contact = make_contact()
    withdraw(contact)
    sent(contact)
    Merge.objects.create(
        slot=contact.slot, winner_id=contact.id, loser_id=1, loser_public_id=uuid.uuid4(), reason="test",
        merged_at=NOON + HOUR,
    )  # fmt: skip
    assert broken(NOON + 2 * HOUR) == {}


def test_a_queue_that_waits_for_a_paused_provider_waits_for_people() -> None:
    account = make_provider("email", paused=True)
    make_queued(make_contact(), provider_id=account.id)
    assert broken(NOON + HOUR) == {}


def test_overdue_work_is_no_breach_while_it_is_worked_off() -> None:
    make_queued(make_contact())
    attempt(sent(), started_at=NOON + HOUR - MINUTE, outcome="refused")
    assert broken(NOON + HOUR) == {}


def test_uncertain_messages_are_counted_and_alarm_nobody() -> None:
    message = make_queued(make_contact(), state=State.UNCERTAIN, due_at=None)
    decided(message)
    attempt(message, outcome="uncertain")
    assert broken(NOON + 2 * timedelta(seconds=1)) == {}
    account = looking.account(NOON)
    assert (account.violations, account.uncertain, account.oldest) == (0, 1, NOON)


def test_a_fault_that_is_mended_is_over() -> None:
    message = make_queued(make_contact(), due_at=LATER)
    decided(message)
    attempt(message)
    assert list(broken(NOON)) == ["accepted_known"]
    Message.objects.filter(id=message.id).update(state=State.ACCEPTED, due_at=None, accepted_at=NOON)
    assert broken(NOON + MINUTE) == {}


def test_looks_go_by_indexes_even_while_tables_are_small() -> None:
    """No look reads a whole big table: with sequential scans forbidden, none is left in its plan."""
    big = ("channels_attempt", "channels_decision", "channels_message", "channels_receipt", "contacts_event",
           "journeys_stepentry", "contacts_consententry", "journeys_run")  # fmt: skip
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for one in promises().values():
            if isinstance(one.look, Passing):
                sql = one.look.sql.replace("%(now)b", "now()")
                sql = sql.replace("%(after)b", "0").replace("%(upto)b", "9").replace("%%", "%")
                sql = sql.replace("0::text::xid8", "'0'::xid8").replace("9::text::xid8", "'9'::xid8")
                cursor.execute("EXPLAIN " + sql)
                plan = "\n".join(row[0] for row in cursor.fetchall())
                scanned = [name for name in big if f"Seq Scan on {name}" in plan]
                assert not scanned, f"{one.name}: {plan}"
