from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from channels import lifecycle, outbox
from channels.lifecycle import FINAL, MOVES, WAITING, MoveNotAllowedError, Ref, State
from channels.models import Message
from tests.factories import NOON, make_contact, make_intent

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "lifecycles.md"


def intended(count: int = 1) -> list[Ref]:
    contact = make_contact()
    outbox.intend([make_intent(contact) for _one in range(count)], NOON)
    rows = Message.objects.filter(contact=contact).order_by("id").values_list("id", "created_at", "slot")
    return [Ref(*row) for row in rows]


def test_the_drawing_in_the_docs_is_the_table_in_the_code() -> None:
    assert f"```mermaid\n{lifecycle.drawing()}```\n" in DOCUMENT.read_text(encoding="utf-8")


def test_every_state_can_reach_an_end() -> None:
    ends = set(FINAL)
    while True:
        more = {state for state, onward in MOVES.items() if ends & onward.keys()} | ends
        if more == ends:
            break
        ends = more
    assert ends == set(State)


def test_nothing_leaves_a_final_state() -> None:
    assert {State.ACCEPTED, State.REJECTED, State.DROPPED, State.CANCELLED, State.EXPIRED} == FINAL


@pytest.mark.django_db
def test_a_move_changes_rows_that_stand_where_the_mover_believes() -> None:
    refs = intended(2)
    assert lifecycle.move(refs[:1], State.INTENDED, State.DROPPED, every={"reason": "test"}) == {refs[0].id}
    assert lifecycle.move(refs, State.INTENDED, State.QUEUED, every={"due_at": NOON}) == {refs[1].id}
    assert Message.objects.get(id=refs[0].id).state == State.DROPPED


@pytest.mark.django_db
def test_a_final_message_has_no_time_to_look_at_it() -> None:
    (ref,) = intended()
    lifecycle.move([ref], {State.INTENDED, State.HELD}, State.EXPIRED)
    assert Message.objects.get(id=ref.id).due_at is None


@pytest.mark.django_db
def test_a_late_worker_with_an_old_fence_changes_nothing() -> None:
    (ref,) = intended()
    lifecycle.move([ref], State.INTENDED, State.QUEUED)
    lifecycle.move([ref], State.QUEUED, State.CLAIMED, columns={"fence": [7]})
    assert lifecycle.move([ref], State.CLAIMED, State.TRANSMITTING, fences=[6]) == set()
    assert lifecycle.move([ref], State.CLAIMED, State.TRANSMITTING, fences=[7]) == {ref.id}


@pytest.mark.django_db
def test_what_became_of_a_message_is_kept_when_its_contact_was_merged_meanwhile() -> None:
    (ref,) = intended()
    Message.objects.update(state=State.TRANSMITTING, slot=(ref.slot + 1) % 64, fence=3)
    assert lifecycle.move([ref], State.TRANSMITTING, State.ACCEPTED, fences=[2]) == set()
    assert lifecycle.move([ref], State.TRANSMITTING, State.ACCEPTED, fences=[3]) == {ref.id}


@pytest.mark.django_db
def test_a_decision_about_somebody_who_was_merged_meanwhile_is_not_written() -> None:
    (ref,) = intended()
    Message.objects.update(slot=(ref.slot + 1) % 64)
    assert lifecycle.move([ref], State.INTENDED, State.QUEUED, every={"due_at": NOON}) == set()


@pytest.mark.django_db
def test_each_message_gets_its_own_values() -> None:
    refs = intended(2)
    times = [NOON + timedelta(hours=1), NOON + timedelta(hours=2)]
    lifecycle.move(refs, State.INTENDED, State.HELD, columns={"due_at": times}, every={"reason": "quiet"})
    found = Message.objects.filter(id__in=[ref.id for ref in refs]).order_by("id")
    assert [(row.due_at, row.reason) for row in found] == [(time, "quiet") for time in times]


@pytest.mark.parametrize("source", list(State))
@pytest.mark.parametrize("target", list(State))
def test_a_move_that_is_not_in_the_table_is_refused(source: State, target: State) -> None:
    if target in MOVES[source]:
        lifecycle.move([], source, target, every={"due_at": NOON} if target in WAITING else {})
    else:
        with pytest.raises(MoveNotAllowedError):
            lifecycle.move([], source, target)


def test_a_move_writes_only_known_columns() -> None:
    with pytest.raises(MoveNotAllowedError):
        lifecycle.move([], State.INTENDED, State.DROPPED, every={"contact_id": 1})


def test_an_uncertain_message_sent_again_needs_a_time() -> None:
    with pytest.raises(MoveNotAllowedError):
        lifecycle.move([], State.UNCERTAIN, State.QUEUED)


@pytest.mark.django_db
def test_a_move_of_many_is_one_statement() -> None:
    refs = intended(50)
    before = Message.objects.filter(state=State.INTENDED).count()
    assert before == 50
    with connection.execute_wrapper(lambda execute, *rest: pytest.fail("a move used Django's cursor")):
        assert len(lifecycle.move(refs, State.INTENDED, State.CANCELLED)) == 50
