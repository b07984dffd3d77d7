"""Rules as of a day in the past: what the log knows is exact, what it does not know is counted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from contacts import attributes, consent, event_log, rules, segments
from contacts.consent import NewConsent
from contacts.event_log import NewEvent
from contacts.models import Contact, Prediction, Segment
from contacts.segments import Preview
from tests.factories import NOON, make_contact

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
THEN = NOON - 10 * DAY


def make(**columns: Any) -> Contact:
    return make_contact(**{"first_seen_at": NOON - 90 * DAY, "updated_at": NOON - 90 * DAY, **columns})


def at(written: Any, as_of: datetime = THEN) -> Preview:
    return segments.preview(rules.parse(written), as_of, past=True)


def happen(contact: Contact, name: str, when: datetime, /, **properties: Any) -> None:
    event_log.append([NewEvent(contact.id, name, when, when, kind=1, properties=properties)])


def test_what_happened_later_does_not_count_and_is_certain() -> None:
    contact = make()
    happen(contact, "Order Completed", THEN - DAY)
    happen(contact, "Order Completed", THEN + DAY)
    found = at({"event": "Order Completed", "count": 1})
    assert (found.size, found.unsure) == (1, 0)


def test_who_came_later_was_not_there() -> None:
    make(first_seen_at=THEN + DAY, updated_at=THEN + DAY)
    found = at({"not": {"event": "Order Completed"}})
    assert (found.size, found.unsure) == (0, 0)


def test_who_was_in_a_segment_is_read_from_the_log() -> None:
    contact = make()
    segment = Segment.objects.create(name="Friends", slug="friends", kind="static")
    segments.add(segment, [contact.id], THEN - 5 * DAY)
    segments.remove(segment, [contact.id], THEN + DAY)
    assert at({"segment": "friends"}).sample == [contact]
    assert at({"segment": "friends", "within": "4 days"}).size == 0
    assert at({"segment": "friends"}, THEN - 6 * DAY).size == 0
    assert at({"segment": "friends", "member": False}, NOON).sample == [contact]
    assert at({"segment": "friends"}).unsure == 0


def test_a_value_that_was_told_before_is_certain_and_a_later_one_is_counted() -> None:
    certain, changed = make(), make()
    attributes.set_attributes({certain.id: {"city": "Lyon"}}, THEN - DAY, {certain.id: "staff"})
    attributes.set_attributes({changed.id: {"city": "Lyon"}}, THEN + DAY, {changed.id: "staff"})
    attributes.set_attributes({certain.id: {"plan": "gold"}}, THEN + DAY, {certain.id: "staff"})
    found = at({"attribute": "city", "op": "is", "value": "Lyon"})
    assert (found.size, found.unsure) == (2, 1)


def test_when_somebody_was_last_seen_follows_from_what_they_did() -> None:
    contact = make(last_seen_at=NOON)
    happen(contact, "Page Viewed", THEN - 20 * DAY)
    happen(contact, "Page Viewed", NOON)
    asked = {"attribute": "last_seen_at", "op": "before", "value": "14 days"}
    assert (at(asked).size, at(asked).unsure) == (1, 0)


def test_consents_and_predictions_of_later_are_counted() -> None:
    one, other = make(), make()
    consent.record([NewConsent(one.id, "email", "offers", True, "test")], THEN + DAY)
    Prediction.objects.create(contact_id=other.id, slot=other.slot, name="churn", number=1, computed_at=NOON)
    asked: dict[str, Any] = {
        "any": [
            {"consent": {"channel": "email", "purpose": "offers"}},
            {"prediction": "churn", "op": "exists"},
        ]
    }
    assert at(asked).unsure == 2
    assert at(asked, NOON).unsure == 0
