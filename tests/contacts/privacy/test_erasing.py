"""Erasure leaves nothing of a person but totals, a certificate and marks that name nobody."""

from datetime import timedelta

import pytest
from django.db import connection

from channels.models import AudienceDeparture, Decision, Message, Receipt
from contacts import merging_by_hand, unmerging
from contacts.models import ConsentEntry, Contact, Event, Merge, PrivacyRequest, Segment, Tombstone
from contacts.privacy import erasing, people, requests
from contacts.privacy.inventory import NOBODY, inventory
from contacts.privacy.inventory_kinds import Act
from journeys.models import Run
from tests.contacts.privacy import cast
from tests.factories import NOON, make_contact

pytestmark = pytest.mark.django_db

DUE = NOON + timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_file(settings, tmp_path) -> None:  # type: ignore[no-untyped-def]
    settings.SEGUE_HOME = tmp_path


def test_the_cast_is_known_to_nearly_every_table() -> None:
    somebody = people.known([cast.make_somebody().pk])
    known = [table.model for table in inventory().people if people.count(table, somebody, NOON)]
    assert len(known) >= 25


def test_nothing_that_names_an_erased_person_is_left_in_any_table() -> None:
    contact = cast.make_somebody()
    cast.read_the_log()
    assert len(cast.traces()) > 15
    request = cast.erase(contact)
    assert request.state == PrivacyRequest.State.DONE
    assert cast.traces() == ["contacts_source"]  # the shop's own name
    assert cast.traces((str(contact.public_id),)) == []


def test_others_keep_everything() -> None:
    other = make_contact(email="other@example.com", attributes={"pet": "dog"})
    contact = cast.make_somebody()
    cast.read_the_log()
    cast.erase(contact)
    assert list(Contact.objects.values_list("pk", flat=True)) == [other.pk]
    assert Contact.objects.get(pk=other.pk).attributes == {"pet": "dog"}


def test_totals_stay_right() -> None:
    contact = cast.make_somebody()
    cast.read_the_log()
    messages, runs = Message.objects.count(), Run.objects.count()
    cast.erase(contact)
    assert (Message.objects.count(), Run.objects.count()) == (messages, runs)
    assert set(Message.objects.values_list("contact_id", flat=True)) == {NOBODY}
    assert set(Receipt.objects.values_list("contact_id", "kind")) == {(NOBODY, "opened")}
    assert (Decision.objects.get().contact_id, Decision.objects.get().trace) == (NOBODY, [])
    assert ConsentEntry.objects.get().proof == {}
    assert Segment.objects.get().size == 0


def test_what_waits_is_called_off_and_runs_end() -> None:
    contact = cast.make_somebody()
    cast.read_the_log()
    cast.erase(contact)
    assert Message.objects.filter(state=Message.State.CANCELLED, due_at=None).count() == 1
    assert Run.objects.get().state == Run.State.EXITED


def test_destinations_are_told_by_digest() -> None:
    contact = cast.make_somebody()
    cast.read_the_log()
    cast.erase(contact)
    gone = AudienceDeparture.objects.get()
    assert len(gone.email_sha256) == len(gone.phone_sha256) == 64


def test_nothing_happens_before_the_waiting_time_is_over_and_it_can_be_called_off() -> None:
    contact = cast.make_somebody()
    request = cast.approved(contact)
    erasing.pulse(DUE - timedelta(seconds=1))
    assert Contact.objects.filter(pk=contact.pk).exists()
    requests.call_off(request, NOON, "officer")
    erasing.pulse(DUE + timedelta(days=9))
    assert Contact.objects.filter(pk=contact.pk).exists()
    assert not Tombstone.objects.exists()


def test_nobody_is_erased_without_an_approval() -> None:
    contact = cast.make_somebody()
    requests.ask(contact, PrivacyRequest.Kind.ERASURE, NOON, origin="preference centre", by="the person")
    erasing.pulse(DUE + timedelta(days=90))
    assert Contact.objects.filter(pk=contact.pk).exists()


def test_a_message_that_is_being_handed_over_is_waited_for_and_then_the_law_goes_first() -> None:
    contact = cast.make_somebody()
    cast.read_the_log()
    Message.objects.filter(state=Message.State.ACCEPTED).update(state=Message.State.TRANSMITTING, due_at=NOON)
    request = cast.approved(contact)
    erasing.pulse(DUE)
    request.refresh_from_db()
    assert request.state == PrivacyRequest.State.RUNNING
    assert Contact.objects.filter(pk=contact.pk).exists()
    erasing.pulse(DUE + erasing.PATIENCE)
    assert not Contact.objects.filter(pk=contact.pk).exists()


def test_events_that_no_reader_has_counted_yet_are_waited_for() -> None:
    contact = cast.make_somebody()
    cast.read_the_log()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE contacts_cursor SET xid = 0, event_id = 0 WHERE reader = 'rollup'")
    cast.approved(contact)
    erasing.pulse(DUE)
    assert Event.objects.filter(contact_id=contact.pk).exists()
    cast.read_the_log()
    erasing.pulse(DUE + timedelta(seconds=11))
    assert not Event.objects.filter(contact_id=contact.pk).exists()


def test_a_certificate_counts_every_table_names_nobody_and_cannot_be_altered_unseen() -> None:
    contact = cast.make_somebody()
    cast.read_the_log()
    certificate = cast.erase(contact).certificate or {}
    counted = {one["table"]: one["rows"] for one in certificate["tables"]}
    assert counted["contacts_contact"] == 1
    assert counted["contacts_identifier"] == 4
    assert counted["contacts_deadletter"] == 2
    assert all(one["why"] for one in certificate["tables"] if one["act"] != Act.DELETE)
    assert not any(word in str(certificate).lower() for word in cast.CANARIES)
    assert certificate["sha256"] == erasing.digest(certificate)
    certificate["tables"][0]["rows"] += 1
    assert certificate["sha256"] != erasing.digest(certificate)


def test_rows_of_a_late_writer_are_swept() -> None:
    contact = cast.make_somebody()
    cast.read_the_log()
    cast.approved(contact)
    erasing.pulse(DUE)
    Event.objects.create(
        lane=1,
        slot=contact.slot,
        contact_id=contact.pk,
        kind=7,
        name="Late",
        occurred_at=NOON,
        received_at=NOON,
    )
    erasing.pulse(DUE + timedelta(minutes=1))
    assert not Event.objects.filter(contact_id=contact.pk).exists()
    erasing.pulse(DUE + timedelta(hours=1))
    assert set(PrivacyRequest.objects.values_list("contact_id", flat=True)) == {NOBODY}


def test_who_was_parted_from_the_erased_one_stays() -> None:
    contact, other, third = cast.make_somebody(), make_contact(email="bob@example.com"), make_contact()
    Merge.objects.all().delete()
    for pair in ((contact, other), (other, third)):
        winner, loser = pair
        merging_by_hand.merge_two(winner.pk, loser.pk, NOON, by="pia")
        unmerging.undo(Merge.objects.latest("id").pk, NOON)
    cast.read_the_log()
    cast.erase(contact)
    assert {one.pk for one in Contact.objects.all()} == {other.pk, third.pk}
    assert Contact.objects.get(pk=other.pk).email == "bob@example.com"
    assert cast.traces() == ["contacts_source"]
