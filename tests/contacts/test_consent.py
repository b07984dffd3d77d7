from datetime import timedelta

import pytest

from contacts import consent, permission
from contacts.consent import NewConsent
from contacts.models import ConsentEntry, ConsentState, Contact, Event, Purpose, Suppression
from tests.factories import NOON, make_contact
from tests.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Contact:
    return make_contact(first_name="Alice")


def say(contact: Contact, purpose: str, given: bool, channel: str = "email") -> None:
    consent.record([NewConsent(contact.id, channel, purpose, given, "test")], NOON)


def may(contact: Contact, purpose: str, channel: str = "email") -> bool | None:
    return permission.of(consent.states([contact.id]).get(contact.id, {}), channel, purpose)


def test_what_was_never_asked_is_unknown(alice: Contact) -> None:
    assert may(alice, "offers") is None
    assert consent.allowed([(alice.id, "email", "offers")]) == set()


def test_a_consent_is_kept_in_ledger_state_and_log(alice: Contact) -> None:
    said_at = NOON - timedelta(days=3)
    consent.record(
        [
            NewConsent(
                alice.id, "email", "offers", True, "form", wording="2026-03", proof={"page": "/join"},
                occurred_at=said_at,
            )
        ],
        NOON,
    )  # fmt: skip
    entry = ConsentEntry.objects.get()
    assert (entry.action, entry.wording, entry.proof) == ("in", "2026-03", {"page": "/join"})
    assert (entry.occurred_at, entry.recorded_at, entry.slot) == (said_at, NOON, alice.slot)
    state = ConsentState.objects.get()
    assert (state.allowed, state.entry_id, state.since) == (True, entry.id, said_at)
    event = Event.objects.get()
    assert (event.name, event.contact_id) == ("Consent Given", alice.id)
    assert event.properties == {"channel": "email", "purpose": "offers", "origin": "form"}


def test_the_latest_line_decides(alice: Contact) -> None:
    say(alice, "offers", True)
    say(alice, "offers", False)
    assert may(alice, "offers") is False
    assert ConsentEntry.objects.count() == 2
    assert Event.objects.filter(name="Consent Withdrawn").count() == 1


def test_within_one_batch_the_last_line_decides(alice: Contact) -> None:
    consent.record(
        [NewConsent(alice.id, "sms", "news", given, "test") for given in (True, False, True)], NOON
    )
    assert may(alice, "news", "sms") is True


def test_withdrawing_everything_closes_what_was_open(alice: Contact) -> None:
    say(alice, "offers", True)
    say(alice, "*", False)
    assert may(alice, "offers") is False
    assert may(alice, "something new") is False


def test_a_purpose_allowed_after_withdrawing_everything_is_allowed(alice: Contact) -> None:
    say(alice, "*", False)
    say(alice, "offers", True)
    assert (may(alice, "offers"), may(alice, "news")) == (True, False)


def test_allowing_everything_does_not_overturn_a_refusal_of_one_purpose(alice: Contact) -> None:
    say(alice, "offers", False)
    say(alice, "*", True)
    assert (may(alice, "offers"), may(alice, "news")) == (False, True)


def test_allowing_everything_again_opens_what_withdrawing_everything_closed(alice: Contact) -> None:
    say(alice, "offers", True)
    say(alice, "news", False)
    say(alice, "*", False)
    say(alice, "*", True)
    assert (may(alice, "offers"), may(alice, "news")) == (True, False)


def test_other_channels_are_left_alone(alice: Contact) -> None:
    say(alice, "offers", True, "sms")
    say(alice, "*", False, "email")
    assert may(alice, "offers", "sms") is True


def test_withdrawing_twice_writes_one_line(alice: Contact) -> None:
    say(alice, "offers", True)
    assert consent.withdraw(alice.id, NOON, origin="test", channels=["email"], purpose="offers") == 1
    assert consent.withdraw(alice.id, NOON, origin="test", channels=["email"], purpose="offers") == 0


def test_withdrawing_from_everything_closes_every_channel(alice: Contact) -> None:
    assert consent.withdraw(alice.id, NOON, origin="test") == len(consent.CHANNELS)
    assert [may(alice, "offers", channel) for channel in consent.CHANNELS] == [False] * 4
    assert consent.withdraw(alice.id, NOON, origin="test") == 0


def test_service_messages_need_no_consent(alice: Contact) -> None:
    Purpose.objects.update_or_create(slug="orders", defaults={"name": "Orders", "transactional": True})
    say(alice, "*", False)
    assert consent.allowed([(alice.id, "email", "orders"), (alice.id, "email", "offers")]) == {
        (alice.id, "email", "orders")
    }


def test_recording_takes_the_same_statements_for_ten_and_a_thousand() -> None:
    people = [make_contact() for _one in range(10)]
    totals = []
    for size in (10, 1000):
        entries = [NewConsent(people[i % 10].id, "email", f"p{i}", True, "test") for i in range(size)]
        with statements() as count:
            consent.record(entries, NOON)
        totals.append(count.total)
    assert totals == [10, 10]  # savepoint, end, lock, number, load, terms, heads, two COPYs, state


def test_a_suppressed_address_is_found_whatever_its_case() -> None:
    assert consent.suppress([("email", "Bob@Example.com")], "complaint", NOON) == {
        ("email", "bob@example.com")
    }
    assert consent.suppressed([("email", "BOB@example.com"), ("sms", "+33612345678")]) == {
        ("email", "BOB@example.com")
    }


def test_suppressing_twice_keeps_the_first_reason() -> None:
    consent.suppress([("sms", "+33612345678")], "manual", NOON)
    assert consent.suppress([("sms", "+33612345678")], "complaint", NOON) == set()
    assert Suppression.objects.get().reason == "manual"


def test_an_endless_push_address_can_be_suppressed() -> None:
    address = "https://push.example.com/" + "x" * 2000
    consent.suppress([("push", address)], "invalid", NOON)
    assert consent.suppressed([("push", address)]) == {("push", address)}


def test_a_suppression_can_be_lifted() -> None:
    consent.suppress([("email", "bob@example.com")], "manual", NOON)
    assert consent.allow_again([("email", "Bob@example.com")], NOON) == 1
    assert consent.suppressed([("email", "bob@example.com")]) == set()


def test_nothing_is_asked_of_the_database_for_no_addresses() -> None:
    assert consent.suppressed([]) == set()
    assert consent.suppressed([("email", "")]) == set()
