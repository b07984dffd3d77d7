"""The evaluator of rules, on PostgreSQL."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from contacts import consent, event_log, rules
from contacts.consent import NewConsent
from contacts.event_log import NewEvent
from contacts.models import Contact, Prediction
from contacts.rules_sql import Subject, matching, verdicts
from tests.factories import NOON, make_contact
from tests.statements import statements

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def happen(contact: Contact, name: str, at: datetime = NOON, /, **properties: Any) -> None:
    event_log.append([NewEvent(contact.id, name, at, at, properties=properties)])


def holds(written: Any, contact: Contact, as_of: datetime = NOON) -> bool:
    """The answer, after checking that all three ways of asking give the same one."""
    rule = rules.parse(written)
    whole = matching(rule, as_of=as_of).filter(id=contact.id).exists()
    some = matching(rule, as_of=as_of, contact_ids=[contact.id]).exists()
    (judged,) = verdicts([rule], [Subject(contact.id, contact.slot)], as_of)
    assert whole == some == bool(judged)
    return whole


@pytest.mark.parametrize(
    ("attributes", "op", "value", "expected"),
    [
        ({"a": "Lyon"}, "is", "Lyon", True),
        ({"a": "Lyon"}, "is", "lyon", False),
        ({"a": 5}, "is", 5, True),
        ({"a": 5}, "is", "5", True),
        ({"a": "5.0"}, "is", 5, True),
        ({"a": True}, "is", True, True),
        ({"a": ["Lyon"]}, "is", "Lyon", False),
        ({"a": ["Lyon"]}, "is", '["Lyon"]', False),
        ({"a": None}, "is", "", False),
        ({}, "is_not", "Lyon", True),
        ({"a": "Nice"}, "is_not", "Lyon", True),
        ({"a": 7}, "in", ["x", 7, True], True),
        ({"a": True}, "in", ["x", 7, True], True),
        ({"a": "Grand Lyon"}, "contains", "lYON", True),
        ({"a": ["vip", "b2b"]}, "contains", "vip", True),
        ({"a": ["vip", "b2b"]}, "contains", "vi", False),
        ({"a": "50%_off"}, "contains", "%_", True),
        ({"a": "50 off"}, "contains", "%", False),
        ({"a": "Lyon"}, "starts_with", "ly", True),
        ({"a": 5}, "gt", 4, True),
        ({"a": "59.90"}, "gte", 59.9, True),
        ({"a": "abc"}, "gt", 5, False),
        ({"a": {"x": 1}}, "gt", 0, False),
        ({"a": "9" * 4000}, "gt", 5, False),
        ({"a": "0x10"}, "lt", 5, False),
        ({"a": "2026-03-01"}, "before", "2026-03-02", True),
        ({"a": "2026-02-31"}, "before", "2027-01-01", False),
        ({"a": "now"}, "before", "2027-01-01", False),
        ({"a": "infinity"}, "after", "2026-01-01", False),
        ({"a": 20260301}, "before", "2027-01-01", False),
        ({"a": "2026-03-10T13:30:00+02:00"}, "within_days", 1, True),
        ({"a": "2026-03-08"}, "within_days", 1, False),
        ({"a": "2026-01-01"}, "before", "30 days", True),
        ({"a": ""}, "exists", None, False),
        ({"a": 0}, "exists", None, True),
        ({"a": ""}, "missing", None, True),
        ({"a": None}, "missing", None, True),
    ],
)
def test_an_attribute_is_compared_by_its_type_and_never_raises(
    attributes: dict[str, Any], op: str, value: Any, expected: bool
) -> None:
    contact = make_contact(attributes=attributes)
    written = {"attribute": "a", "op": op, "value": value}
    assert holds(written, contact) is expected
    assert holds({"not": written}, contact) is not expected


def test_what_a_person_said_goes_before_what_was_inferred() -> None:
    contact = make_contact(attributes={"a": "said", "b": None}, inferred={"a": "guessed", "b": "guessed"})
    assert holds({"attribute": "a", "op": "is", "value": "said"}, contact)
    assert holds({"attribute": "b", "op": "is", "value": "guessed"}, contact)


@pytest.mark.parametrize(
    "key", ["a.b", "$", "__proto__", "it's", '"', "a\nb", "%s", "{}", "x'; DROP TABLE x--", "é"]
)
def test_odd_keys_are_found_exactly(key: str) -> None:
    contact = make_contact(attributes={key: "yes"})
    happen(contact, key, NOON, **{key: "yes"})
    assert holds({"attribute": key, "op": "is", "value": "yes"}, contact)
    assert holds({"event": key, "where": [{"property": key, "op": "is", "value": "yes"}]}, contact)
    assert not holds({"attribute": key + "x", "op": "exists"}, contact)
    assert not holds({"attribute": key, "op": "is", "value": key}, contact)


def test_columns_are_attributes_too() -> None:
    contact = make_contact(email="ada@example.com", country="FR", last_seen_at=NOON - 2 * DAY)
    assert holds({"attribute": "email", "op": "contains", "value": "ADA@"}, contact)
    assert holds({"attribute": "country", "op": "in", "value": ["DE", "FR"]}, contact)
    assert holds({"attribute": "known", "op": "is", "value": True}, contact)
    assert holds({"attribute": "phone", "op": "missing"}, contact)
    assert holds({"attribute": "last_seen_at", "op": "within_days", "value": 3}, contact)
    assert holds({"attribute": "last_seen_at", "op": "before", "value": "1 day"}, contact)


def test_events_are_counted_within_their_window() -> None:
    contact = make_contact()
    for days in (1, 5, 40):
        happen(contact, "Order Completed", NOON - days * DAY, total=20 * days)
    event = {"event": "Order Completed"}
    assert holds({**event, "count": {"gte": 3}}, contact)
    assert not holds({**event, "count": {"gte": 3}, "within": "30 days"}, contact)
    assert holds({**event, "count": {"eq": 2}, "within": "30 days"}, contact)
    assert holds({**event, "count": {"lte": 0}, "within": "12 hours"}, contact)
    assert holds({**event, "count": {"lte": 1}, "before": "2026-03-01"}, contact)
    assert holds({**event, "count": 1, "before": "30 days"}, contact)
    assert holds({**event, "where": [{"property": "total", "op": "gte", "value": 800}]}, contact)
    assert not holds({**event, "where": [{"property": "total", "op": "gte", "value": 801}]}, contact)


def test_nothing_after_the_instant_of_asking_counts() -> None:
    contact = make_contact()
    happen(contact, "Order Completed", NOON)
    assert not holds({"event": "Order Completed"}, contact, NOON - timedelta(seconds=1))
    assert holds({"event": "Order Completed"}, contact, NOON)


def test_an_event_leaves_its_window_when_its_time_is_over() -> None:
    contact = make_contact()
    happen(contact, "Order Completed", NOON)
    rule = {"event": "Order Completed", "within": "1 day"}
    assert holds(rule, contact, NOON + DAY - timedelta(seconds=1))
    assert not holds(rule, contact, NOON + DAY)


def test_a_property_can_be_summed() -> None:
    contact = make_contact()
    happen(contact, "Order Completed", total=30)
    happen(contact, "Order Completed", total="20.50")
    happen(contact, "Order Completed", total="free")
    event = "Order Completed"
    assert holds({"event": event, "sum": {"property": "total", "gte": 50.5}}, contact)
    assert not holds({"event": event, "sum": {"property": "total", "gte": 51}}, contact)
    assert holds({"event": event, "sum": {"property": "total", "lte": 60}}, contact)
    assert holds({"event": event, "sum": {"property": "total", "lte": 60}}, make_contact())


def test_a_property_inside_another_is_reached_by_a_list() -> None:
    contact = make_contact()
    happen(contact, "Cart Updated", NOON, **{"cart": {"id": "c1"}, "cart.id": "c2"})
    event = "Cart Updated"
    assert holds(
        {"event": event, "where": [{"property": ["cart", "id"], "op": "is", "value": "c1"}]}, contact
    )
    assert holds({"event": event, "where": [{"property": "cart.id", "op": "is", "value": "c2"}]}, contact)


def test_alternatives_hold_for_the_whole_base_as_for_one_contact() -> None:
    buyer, reader, neither = make_contact(), make_contact(attributes={"city": "Lyon"}), make_contact()
    happen(buyer, "Order Completed")
    happen(reader, "Message Opened", channel="email")
    either = {
        "any": [
            {"event": "Order Completed"},
            {
                "all": [
                    {"message": "opened", "channel": "email"},
                    {"attribute": "city", "op": "is", "value": "Lyon"},
                ]
            },
        ]
    }
    assert [holds(either, each) for each in (buyer, reader, neither)] == [True, True, False]
    assert [holds({"not": either}, each) for each in (buyer, reader, neither)] == [False, False, True]


def test_what_a_source_calls_a_message_event_says_nothing_about_our_messages() -> None:
    contact = make_contact()
    event_log.append([NewEvent(contact.id, "Message Opened", NOON, NOON, event_log.TRACK)])
    assert not holds({"message": "opened"}, contact)
    assert holds({"event": "Message Opened"}, contact)
    happen(contact, "Message Opened")  # of our own kind, as it is when nothing else is said
    assert holds({"message": "opened"}, contact)


def test_windows_of_a_journey_start_where_the_subject_says() -> None:
    contact = make_contact()
    happen(contact, "Order Completed", NOON - DAY)
    entry = rules.parse({"event": "Order Completed", "within": "since_entry"})
    step = rules.parse({"event": "Order Completed", "within": "since_step"})
    subjects = [
        Subject(contact.id, contact.slot, NOON - 2 * DAY, NOON - timedelta(hours=1)),
        Subject(contact.id, contact.slot, NOON - DAY, NOON - 2 * DAY),
        Subject(contact.id, contact.slot),
    ]
    assert verdicts([entry, step, entry], subjects, NOON) == [{0, 2}, {1, 2}, {0, 2}]


def test_verdicts_need_no_subjects() -> None:
    assert verdicts([rules.parse({})], [], NOON) == [set()]


def test_a_contact_that_is_gone_holds_nothing() -> None:
    assert verdicts([rules.parse({})], [Subject(0, 0)], NOON) == [set()]


def test_one_statement_answers_all_rules_for_any_number_of_subjects() -> None:
    asked = [
        rules.parse({"event": "Order Completed", "within": "30 days"}),
        rules.parse({"message": "opened", "count": {"lte": 0}}),
        rules.parse({"consent": {"channel": "email", "purpose": "offers"}}),
    ]
    people = [make_contact() for _number in range(20)]
    for size in (10, 1000):
        subjects = [Subject(people[n % 20].id, people[n % 20].slot) for n in range(size)]
        with statements() as count:
            assert [len(held) for held in verdicts(asked, subjects, NOON)] == [0, size, 0]
        assert count.total == 1


def test_consent_is_what_was_last_said_of_the_purpose() -> None:
    contact = make_contact()
    asked = {"channel": "email", "purpose": "offers"}
    lines = (
        ("", True, "unknown"),
        ("offers", True, "allowed"),
        ("*", False, "refused"),
        ("offers", True, "allowed"),
    )
    for purpose, given, expected in lines:
        if purpose:
            consent.record([NewConsent(contact.id, "email", purpose, given, "test")], NOON)
        for state in ("unknown", "allowed", "refused", "expired", "pending"):
            assert holds({"consent": asked, "state": state}, contact) is (state == expected)


def test_consent_that_has_ended_is_neither_allowed_nor_refused() -> None:
    contact = make_contact()
    asked = {"channel": "email", "purpose": "offers"}
    consent.record([NewConsent(contact.id, "email", "*", True, "test", expires_at=NOON + 9 * DAY)], NOON)
    assert holds({"consent": asked, "state": "allowed"}, contact)
    assert holds({"consent": asked, "expires_within": "10 days"}, contact)
    assert not holds({"consent": asked, "expires_within": "8 days"}, contact)
    assert holds({"consent": asked, "state": "expired"}, contact, NOON + 9 * DAY)
    assert not holds({"consent": asked, "state": "refused"}, contact, NOON + 9 * DAY)


def test_allowing_everything_does_not_undo_the_refusal_of_one_purpose() -> None:
    contact = make_contact()
    for purpose, given in (("offers", False), ("*", True)):
        consent.record([NewConsent(contact.id, "email", purpose, given, "test")], NOON)
    assert holds({"consent": {"channel": "email", "purpose": "offers"}, "state": "refused"}, contact)
    assert holds({"consent": {"channel": "email", "purpose": "news"}, "state": "allowed"}, contact)


def test_a_suppressed_address_cannot_be_reached() -> None:
    contact = make_contact(email="Ada@Example.com", phone="+33600000000")
    assert holds({"address": "email"}, contact)
    assert holds({"address": "sms", "reachable": True}, contact)
    assert holds({"address": "push", "reachable": False}, contact)
    consent.suppress([("email", "ada@example.com")], "manual", NOON)
    assert holds({"address": "email", "reachable": False}, contact)
    assert holds({"address": "email"}, contact, NOON - DAY)


def test_a_prediction_is_a_number_or_a_label() -> None:
    contact, other = make_contact(), make_contact()
    Prediction.objects.create(
        contact=contact,
        slot=contact.slot,
        name="churn",
        number=0.75,
        value={"label": "high"},
        computed_at=NOON,
    )
    assert holds({"prediction": "churn", "op": "gte", "value": 0.75}, contact)
    assert holds({"prediction": "churn", "op": "is", "value": "high"}, contact)
    assert holds({"prediction": "churn", "op": "in", "value": ["low", 0.75]}, contact)
    assert not holds({"prediction": "churn", "op": "is_not", "value": "high"}, contact)
    assert holds({"prediction": "churn", "op": "is_not", "value": "high"}, other)
    assert holds({"prediction": "churn", "op": "missing"}, other)
    assert holds({"prediction": "churn", "op": "exists"}, contact)


def test_the_hundredth_condition_and_the_deepest_one_are_answered() -> None:
    contact = make_contact(attributes={"k99": 1})
    deep: dict[str, Any] = {"attribute": "k99", "op": "exists"}
    for level in range(18):
        deep = {"all": [deep]} if level % 2 else {"any": [deep, {"attribute": "nothing", "op": "exists"}]}
    assert holds(deep, contact)
    assert holds({"any": [{"attribute": f"k{n}", "op": "gte", "value": 1} for n in range(100)]}, contact)
