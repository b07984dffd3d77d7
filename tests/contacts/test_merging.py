"""What belongs to a contact follows it into the one that remains."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection

from contacts import event_log, ingest, merging, permission, unmerging
from contacts.consent import NewConsent, record, states
from contacts.event_log import NewEvent
from contacts.models import Contact, Event, Merge, Segment, SegmentMembership, Source
from journeys.models import Journey, JourneyVersion, Run
from tests.factories import NOON, make_source, put_in_inbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> Source:
    return make_source()


@pytest.fixture
def stranger(source: Source) -> Contact:
    put_in_inbox(source, {"type": "track", "name": "Seen", "anonymous_id": "a1"})
    ingest.take_in(NOON)
    return Contact.objects.latest("id")


@pytest.fixture
def ada(source: Source) -> Contact:
    put_in_inbox(source, {"type": "identify", "user_id": "ada", "properties": {"city": "Paris"}})
    ingest.take_in(NOON)
    return Contact.objects.latest("id")


def join(source: Source) -> None:
    put_in_inbox(source, {"type": "identify", "user_id": "ada", "anonymous_id": "a1"})
    ingest.take_in(NOON)


def consent(contact: Contact, purpose: str, given: bool) -> None:
    record([NewConsent(contact.id, "email", purpose, given, "test")], NOON)


def test_events_move_and_keep_their_lane(source: Source, stranger: Contact, ada: Contact) -> None:
    join(source)
    moved = Event.objects.get(name="Seen")
    assert (moved.contact_id, moved.slot, moved.lane) == (ada.id, ada.slot, stranger.slot)


def test_what_the_one_that_remains_does_not_know_is_taken_over(source: Source, ada: Contact) -> None:
    put_in_inbox(
        source,
        {
            "type": "identify",
            "anonymous_id": "a1",
            "properties": {"city": "Rome", "size": "M", "lastName": "L"},
        },
        now=NOON - timedelta(days=9),
    )
    ingest.take_in(NOON)
    join(source)
    contact = Contact.objects.get()
    assert contact.attributes == {"city": "Paris", "size": "M"}
    assert (contact.last_name, contact.first_seen_at) == ("L", NOON - timedelta(days=9))


def test_the_merge_is_kept_with_what_undoes_it(source: Source, stranger: Contact, ada: Contact) -> None:
    join(source)
    merge = Merge.objects.get()
    assert (merge.winner_id, merge.loser_id) == (ada.id, stranger.id)
    assert merge.snapshot["contact"]["public_id"] == str(stranger.public_id)
    assert merge.snapshot["moved"]["contacts_identifier"] == [{"kind": "anonymous", "value": "a1"}]
    assert len(merge.snapshot["moved"]["contacts_event"]) == 2


def test_a_segment_of_both_holds_the_one_that_remains_once(
    source: Source, stranger: Contact, ada: Contact
) -> None:
    both, only = (Segment.objects.create(name=name, slug=name) for name in ("both", "only"))
    for segment, contact in ((both, stranger), (both, ada), (only, stranger)):
        SegmentMembership.objects.create(segment=segment, contact=contact, slot=contact.slot, entered_at=NOON)
    join(source)
    members = SegmentMembership.objects.values_list("segment__slug", "contact_id", "slot")
    assert sorted(members) == [("both", ada.id, ada.slot), ("only", ada.id, ada.slot)]
    assert len(Merge.objects.get().snapshot["settled"]["contacts_segmentmembership"]) == 1


@pytest.mark.parametrize(
    ("of_stranger", "of_ada", "expected"),
    [
        ({"offers": False}, {"offers": True}, False),
        ({"offers": True}, {"offers": False}, False),
        ({"offers": True}, {}, True),
        ({"*": False}, {"offers": True}, False),
        ({"offers": True}, {"*": False}, False),
        ({"*": True}, {"offers": False}, False),
        ({"*": True}, {"offers": True}, True),
    ],
)
def test_of_two_answers_the_stricter_holds(
    source: Source,
    stranger: Contact,
    ada: Contact,
    of_stranger: dict[str, bool],
    of_ada: dict[str, bool],
    expected: bool,
) -> None:
    for contact, answers in ((stranger, of_stranger), (ada, of_ada)):
        for purpose, given in answers.items():
            consent(contact, purpose, given)
    join(source)
    assert permission.of(states([ada.id])[ada.id], "email", "offers") is expected


def test_of_two_live_runs_the_older_goes_on(source: Source, stranger: Contact, ada: Contact) -> None:
    journey = Journey.objects.create(name="Welcome", slug="welcome")
    version = JourneyVersion.objects.create(journey=journey, number=1, graph={}, published_at=NOON)
    for contact, days in ((stranger, 2), (ada, 1)):
        at = NOON - timedelta(days=days)
        Run.objects.create(
            slot=contact.slot,
            contact=contact,
            journey=journey,
            version=version,
            step="wait",
            due_at=NOON,
            since=at,
            entered_at=at,
        )
    join(source)
    older, newer = Run.objects.order_by("entered_at")
    assert (older.contact_id, older.slot, older.state) == (ada.id, ada.slot, Run.State.LIVE)
    assert (newer.state, newer.outcome, newer.due_at) == (Run.State.EXITED, "merged", None)


def test_what_a_slow_pulse_wrote_for_the_one_that_is_no_more_is_swept_up(
    source: Source, stranger: Contact, ada: Contact
) -> None:
    join(source)
    event_log.append([NewEvent(stranger.id, "Message Opened", NOON, NOON)])
    assert merging.sweep(NOON) == 1
    assert Event.objects.get(name="Message Opened").contact_id == ada.id
    assert merging.sweep(NOON) == 0


@pytest.mark.parametrize("table", merging.tables(), ids=lambda table: table.name)
def test_every_table_that_follows_contacts_finds_their_rows_by_an_index(table: merging.Table) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s", [table.name])
        definitions = [definition for (definition,) in cursor.fetchall()]
    assert any("(contact_id" in text and " WHERE " not in text for text in definitions)


def test_a_merge_can_be_undone(source: Source, stranger: Contact, ada: Contact) -> None:
    segment = Segment.objects.create(name="both", slug="both")
    for contact in (stranger, ada):
        SegmentMembership.objects.create(segment=segment, contact=contact, slot=contact.slot, entered_at=NOON)
    consent(stranger, "offers", False)
    consent(ada, "offers", True)
    join(source)
    put_in_inbox(source, {"type": "track", "name": "Later", "user_id": "ada"})
    ingest.take_in(NOON)
    assert unmerging.undo(Merge.objects.get().id, NOON) == stranger.id
    restored = Contact.objects.get(pk=stranger.id)
    assert (restored.public_id, restored.slot, restored.known) == (stranger.public_id, stranger.slot, False)
    owners = dict(Event.objects.filter(name__in=["Seen", "Later"]).values_list("name", "contact_id"))
    assert owners == {"Seen": stranger.id, "Later": ada.id}
    assert sorted(segment.memberships.values_list("contact_id", flat=True)) == sorted([stranger.id, ada.id])
    assert states([stranger.id, ada.id]) == {
        stranger.id: {("email", "offers"): False},
        ada.id: {("email", "offers"): True},
    }
    put_in_inbox(source, {"type": "track", "name": "Again", "anonymous_id": "a1"})
    ingest.take_in(NOON)
    assert Event.objects.get(name="Again").contact_id == stranger.id
    assert merging.sweep(NOON) == 0


def test_a_merge_is_undone_once_and_from_the_last_backwards(
    source: Source, stranger: Contact, ada: Contact
) -> None:
    put_in_inbox(source, {"type": "identify", "anonymous_id": "a1", "properties": {"email": "a@example.org"}})
    put_in_inbox(source, {"type": "track", "name": "X", "anonymous_id": "a2"})
    ingest.drain(lambda: NOON, seconds=30)
    put_in_inbox(
        source,
        {
            "type": "track",
            "name": "X",
            "anonymous_id": "a2",
            "context": {"traits": {"email": "a@example.org"}},
        },
    )
    ingest.take_in(NOON)
    join(source)
    first, last = Merge.objects.order_by("id")
    with pytest.raises(unmerging.NotUndoableError):
        unmerging.undo(first.id, NOON)
    unmerging.undo(last.id, NOON)
    unmerging.undo(first.id, NOON)
    with pytest.raises(unmerging.NotUndoableError):
        unmerging.undo(first.id, NOON)
    assert Contact.objects.count() == 3


def test_no_table_of_contacts_is_forgotten() -> None:
    followed = {table.name for table in merging.tables()}
    for model in apps.get_models():
        columns = {field.column for field in model._meta.concrete_fields}
        assert "contact_id" not in columns or model._meta.db_table in followed, model


def test_undoing_gives_back_the_traits_that_were_taken_over(source: Source, ada: Contact) -> None:
    traits = {"city": "Rome", "size": "M", "pet": "cat", "lastName": "Stray"}
    put_in_inbox(source, {"type": "identify", "anonymous_id": "a1", "properties": traits})
    ingest.take_in(NOON)
    join(source)
    put_in_inbox(source, {"type": "identify", "user_id": "ada", "properties": {"pet": "dog"}})
    ingest.take_in(NOON)
    unmerging.undo(Merge.objects.get().id, NOON)
    ada.refresh_from_db()
    assert (ada.attributes, ada.last_name) == ({"city": "Paris", "pet": "dog"}, "")
    former = Contact.objects.exclude(pk=ada.pk).get()
    assert (former.attributes, former.last_name) == ({"city": "Rome", "size": "M", "pet": "cat"}, "Stray")


def test_undoing_opens_again_what_only_the_others_refusal_had_closed(
    source: Source, stranger: Contact, ada: Contact
) -> None:
    consent(ada, "offers", True)
    consent(stranger, "*", False)
    join(source)
    assert permission.of(states([ada.id])[ada.id], "email", "offers") is False
    unmerging.undo(Merge.objects.get().id, NOON + timedelta(minutes=1))
    held = states([ada.id, stranger.id])
    assert permission.of(held[ada.id], "email", "offers") is True
    assert permission.of(held[stranger.id], "email", "offers") is False


def test_who_refused_while_they_were_one_nobody_can_say_so_both_have(
    source: Source, stranger: Contact, ada: Contact
) -> None:
    for contact in (ada, stranger):
        consent(contact, "offers", True)
    join(source)
    record([NewConsent(ada.id, "email", "offers", False, "test")], NOON + timedelta(minutes=1))
    unmerging.undo(Merge.objects.get().id, NOON + timedelta(minutes=2))
    held = states([ada.id, stranger.id])
    assert {each: permission.of(held[each], "email", "offers") for each in (ada.id, stranger.id)} == {
        ada.id: False,
        stranger.id: False,
    }


def test_undoing_brings_back_the_browser_that_fell_off(source: Source, ada: Contact) -> None:
    browsers = [f"b{number}" for number in range(5)]
    for browser in [*browsers, "a1"]:
        ids = {"anonymous_id": browser} | ({"user_id": "ada"} if browser in browsers else {})
        put_in_inbox(source, {"type": "track", "name": "X", **ids})
        ingest.take_in(NOON)
    join(source)
    assert sorted(ada.identifiers.values_list("value", flat=True)) == ["a1", "ada", *browsers[1:]]
    unmerging.undo(Merge.objects.get().id, NOON)
    assert sorted(ada.identifiers.values_list("value", flat=True)) == ["ada", *browsers]
