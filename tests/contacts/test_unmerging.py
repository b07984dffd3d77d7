"""Two contacts are parted again, also where one batch brought all of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contacts import consent, ingest, unmerging
from contacts.models import Contact, Identifier, Merge, Purpose, Source
from tests.factories import NOON, make_source, put_in_inbox

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def source() -> Source:
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    source = make_source()
    told = {"type": "identify", "anonymous_id": "a1", "properties": {"city": "Lyon", "firstName": "Eve"}}
    put_in_inbox(source, told, now=NOON)
    ingest.take_in(NOON)
    return source


def owner(value: str) -> Contact:
    return Contact.objects.get(pk=Identifier.objects.get(value=value).contact_id)


def test_who_was_made_in_the_batch_that_merged_gives_back_what_the_other_brought(source: Source) -> None:
    put_in_inbox(
        source,
        {"type": "identify", "user_id": "eve", "properties": {"plan": "gold"}},
        {"type": "identify", "user_id": "eve", "anonymous_id": "a1", "properties": {"size": 4}},
        now=NOON + HOUR,
        lane=0,
    )
    ingest.take_in(NOON + HOUR)
    merged = owner("eve")
    assert merged.attributes == {"city": "Lyon", "plan": "gold", "size": 4}
    unmerging.undo(Merge.objects.get(winner_id=merged.pk).pk, NOON + 2 * HOUR)
    eve, browser = owner("eve"), owner("a1")
    assert (eve.attributes, eve.first_name) == ({"plan": "gold", "size": 4}, "")
    assert (browser.attributes, browser.first_name) == ({"city": "Lyon"}, "Eve")
    assert eve.first_seen_at == NOON + HOUR
    assert "city" not in eve.origins["declared"]


def test_what_was_refused_in_the_batch_that_merged_both_have_refused(source: Source) -> None:
    put_in_inbox(source, {"type": "identify", "user_id": "eve"}, now=NOON)
    ingest.take_in(NOON)
    for contact in (owner("eve"), owner("a1")):
        consent.record([consent.NewConsent(contact.pk, "email", "offers", True, "form")], NOON)
    no = {"type": "track", "name": "Consent Updated", "properties": {"offers": False, "channel": "email"}}
    put_in_inbox(source, {**no, "user_id": "eve", "anonymous_id": "a1"}, now=NOON + HOUR)
    ingest.take_in(NOON + HOUR)
    unmerging.undo(Merge.objects.get().pk, NOON + 2 * HOUR)
    people = {owner("eve").pk, owner("a1").pk}
    assert len(people) == 2
    states = consent.states(people)
    assert [states[one]["email", "offers"] for one in people] == [False, False]
