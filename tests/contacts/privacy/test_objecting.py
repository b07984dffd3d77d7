"""An objection to profiling changes what happens: nothing is inferred any more, and segments by it let go."""

from datetime import timedelta

import pytest

from contacts import ingest, segments
from contacts.models import Contact, Prediction, Segment
from contacts.privacy import objecting
from tests.factories import NOON, make_contact, make_source, put_in_inbox

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(minutes=5)


def _known() -> Contact:
    contact = make_contact(inferred={"language": "fr"})
    contact.identifiers.create(kind="user", value="u1", slot=contact.slot, created_at=NOON)
    Prediction.objects.create(contact=contact, slot=contact.slot, name="churn", number=0.9, computed_at=NOON)
    return contact


def _visit() -> None:
    context = {"timezone": "Europe/Paris", "locale": "fr-FR"}
    call = {"type": "identify", "user_id": "u1", "context": context, "properties": {"plan": "gold"}}
    put_in_inbox(make_source(), call, now=LATER)
    ingest.take_in(LATER)


def test_without_an_objection_a_visit_lets_something_be_inferred() -> None:
    contact = _known()
    _visit()
    assert Contact.objects.get(pk=contact.pk).inferred["timezone"] == "Europe/Paris"


def test_after_an_objection_nothing_is_kept_and_nothing_inferred_anew() -> None:
    contact = _known()
    assert objecting.object_to_profiling([contact.pk], NOON) == 1
    assert objecting.object_to_profiling([contact.pk], NOON) == 0
    _visit()
    assert Contact.objects.get(pk=contact.pk).inferred == {}
    assert not Prediction.objects.exists()
    assert objecting.open_to_profiling([contact.pk]) == set()


def test_no_event_takes_an_objection_back_but_the_person_does() -> None:
    contact = _known()
    objecting.object_to_profiling([contact.pk], NOON)
    call = {"type": "identify", "user_id": "u1", "properties": {objecting.OBJECTION: None}}
    put_in_inbox(make_source(), call, now=LATER)
    ingest.take_in(LATER)
    assert objecting.objects(Contact.objects.get(pk=contact.pk))
    assert objecting.take_back([contact.pk], LATER) == 1
    assert objecting.open_to_profiling([contact.pk]) == {contact.pk}


def test_a_segment_by_prediction_lets_the_person_go() -> None:
    contact = _known()
    rule = {"prediction": "churn", "op": "gte", "value": 0.5}
    segment = Segment.objects.create(name="Leaving", slug="leaving", rule=rule)
    segments.ensure_current(NOON)
    assert list(segment.memberships.values_list("contact_id", flat=True)) == [contact.pk]
    objecting.object_to_profiling([contact.pk], NOON)
    segments.ensure_current(LATER)
    assert not segment.memberships.exists()
