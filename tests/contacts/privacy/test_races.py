"""Erasure while others write about the same person, and erasure that dies half way."""

from __future__ import annotations

import contextlib
import random
import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings

from channels import engagement
from channels.models import Hit, Message
from contacts import ingest, merging_by_hand, unmerging
from contacts.models import Contact, Event, Identifier, Merge, PrivacyRequest, Tombstone
from contacts.privacy import erasing
from journeys.models import Run
from tests import elsewhere
from tests.contacts.privacy import cast
from tests.factories import NOON, make_contact, make_source, put_in_inbox
from tests.together import together

pytestmark = pytest.mark.django_db(transaction=True)
DUE = NOON + timedelta(days=1)
OVER = DUE + timedelta(hours=1)


@pytest.fixture(autouse=True)
def _own_file(settings: LazySettings, tmp_path: Any) -> None:
    settings.SEGUE_HOME = tmp_path
    return


def gone(user: str = cast.USER_ID) -> bool:
    return not Identifier.objects.filter(value=user).exists()


@pytest.mark.parametrize("round_", range(4))
def test_events_of_the_same_person_arrive_meanwhile(round_: int) -> None:
    contact = cast.make_somebody()
    cast.read_the_log()
    request = cast.approved(contact)
    shop = make_source("Racing")
    calls = [
        {"type": "identify", "user_id": cast.USER_ID, "anonymous_id": f"b{n % 3}", "properties": {"n": n}}
        for n in range(60)
    ]
    random.shuffle(calls)
    for start in range(0, 60, 20):
        put_in_inbox(shop, *calls[start : start + 20], lane=start // 20)

    def take_in() -> None:
        while ingest.take_in(DUE, limit=7):
            pass

    def erase() -> None:
        for _turn in range(50):
            cast.read_the_log()
            erasing.pulse(DUE + timedelta(seconds=11 * _turn))
            if PrivacyRequest.objects.get(pk=request.pk).state == "done":
                return

    together(take_in, take_in, erase)
    take_in()
    erasing.pulse(OVER)
    assert gone()
    assert not Contact.objects.filter(pk=contact.pk).exists()
    assert not Event.objects.filter(contact_id=contact.pk).exists()
    assert cast.traces(("canary-4711", "canary.bird@")) == []


def test_an_engine_that_had_read_the_run_leaves_nothing_behind() -> None:
    contact = cast.make_somebody()
    cast.read_the_log()
    run = Run.objects.get()
    request = cast.approved(contact)
    erasing.pulse(DUE)
    # What a pulse writes that had read before: steps, intents, an event, under the old number.
    Message.objects.create(
        created_at=DUE, due_at=DUE, slot=contact.slot, contact_id=contact.pk, key=request.reference
    )
    Run.objects.filter(pk=run.pk).update(contact_id=contact.pk, slot=contact.slot, entry={"of": "canary"})
    erasing.pulse(OVER)
    assert not Message.objects.filter(contact_id=contact.pk).exists()
    assert not Message.objects.filter(state=Message.State.INTENDED).exists()
    assert not Run.objects.filter(contact_id=contact.pk).exists()
    assert cast.traces() == ["contacts_source"]


def test_a_receipt_of_a_message_that_left_recreates_nobody() -> None:
    contact = cast.make_somebody()
    cast.read_the_log()
    sent = Message.objects.get(state=Message.State.ACCEPTED)
    cast.erase(contact)
    events = Event.objects.count()
    about = {"message_id": sent.pk, "message_created_at": sent.created_at}
    Hit.objects.create(received_at=OVER, kind="click", data={"agent": "Firefox", "method": "GET"}, **about)
    named = {"provider_message_id": "canary-1"}
    Hit.objects.create(received_at=OVER, kind="complained", receipt_key="r1", data=named)
    engagement.absorb(OVER)
    engagement.absorb(OVER + timedelta(hours=1))
    assert not Hit.objects.exists()
    assert Event.objects.count() == events
    assert not Contact.objects.exists()


@pytest.mark.parametrize("erased_wins", [True, False])
@pytest.mark.parametrize("round_", range(2))
def test_a_merge_by_hand_meanwhile_leaves_nothing_of_the_person(erased_wins: bool, round_: int) -> None:
    contact, other = cast.make_somebody(), make_contact()
    cast.read_the_log()
    request = cast.approved(contact)
    pair = (contact.pk, other.pk) if erased_wins else (other.pk, contact.pk)

    def merge() -> None:
        time.sleep(random.uniform(0, 0.03))
        with contextlib.suppress(merging_by_hand.GoneError):
            merging_by_hand.merge_two(*pair, DUE, by="pia")

    def erase() -> None:
        for turn in range(50):
            cast.read_the_log()
            erasing.pulse(DUE + timedelta(seconds=11 * turn))
            if PrivacyRequest.objects.get(pk=request.pk).state == "done":
                return

    together(merge, erase)
    erasing.pulse(OVER)
    assert PrivacyRequest.objects.get(pk=request.pk).state == "done"
    assert not Contact.objects.filter(pk=contact.pk).exists()
    assert cast.traces() == ["contacts_source"]


def test_whose_erasure_has_begun_is_not_merged_nor_parted() -> None:
    contact, other, former = cast.make_somebody(), make_contact(), make_contact()
    merging_by_hand.merge_two(contact.pk, former.pk, NOON, by="pia")
    cast.read_the_log()
    assert erasing.begin(cast.approved(contact), DUE)
    for pair in ((contact.pk, other.pk), (other.pk, contact.pk)):
        with pytest.raises(merging_by_hand.GoneError):
            merging_by_hand.merge_two(*pair, DUE, by="pia")
    with pytest.raises(unmerging.NotUndoableError):
        unmerging.undo(Merge.objects.get(loser_id=former.pk).pk, DUE)


def test_two_erasing_workers_do_it_once() -> None:
    contact = cast.make_somebody()
    cast.read_the_log()
    cast.approved(contact)
    together(*[lambda: erasing.pulse(DUE)] * 4)
    request = PrivacyRequest.objects.get(kind="erasure")
    assert request.entries.filter(what="erased").count() == 1
    counted = {one["table"]: one["rows"] for one in (request.certificate or {})["tables"]}
    assert counted["contacts_contact"] == 1


@pytest.mark.parametrize(
    ("point", "begun"),
    [
        ("erasing.before_begun", False),
        ("erasing.after_begun", True),
        ("erasing.between_tables:3", True),
        ("erasing.between_tables:20", True),
        ("erasing.before_settled", True),
    ],
)
def test_a_death_at_any_point_is_gone_on_from(point: str, begun: bool) -> None:
    contact, other = cast.make_somebody(), make_contact()
    cast.read_the_log()
    request = cast.approved(contact)
    assert (
        elsewhere.run("from contacts.privacy import erasing; erasing.pulse(now)", now=DUE, crashpoint=point)
        == 137
    )
    assert Tombstone.objects.exists() is begun
    erasing.pulse(DUE + timedelta(seconds=1))
    erasing.pulse(OVER)
    request.refresh_from_db()
    assert request.state == "done"
    counted = {one["table"]: one["rows"] for one in (request.certificate or {})["tables"]}
    assert counted["contacts_contact"] == 1
    assert counted["contacts_identifier"] == 4
    assert cast.traces() == ["contacts_source"]
    assert list(Contact.objects.all()) == [other]
