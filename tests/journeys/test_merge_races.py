"""Two contacts become one while the engine moves the runs of both, on connections of their own."""

from __future__ import annotations

import random
import time
from datetime import timedelta

import pytest

from channels.models import Message
from contacts import contention, merging, merging_by_hand
from contacts.models import Contact, Purpose
from journeys import engine, runs, versions
from journeys.models import Run, StepEntry
from journeys.runs import Entry
from tests.factories import NOON, make_contact, make_version
from tests.together import together

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOON + timedelta(minutes=1)
SEND = {"type": "send", "channels": ["email"], "content": {"email": "hello"}, "purpose": "offers"}
GRAPH = {
    "trigger": {"event": "Start"},
    "start": "stage",
    "steps": {
        "stage": {"type": "update", "set": {"stage": "customer"}, "next": "mail"},
        "mail": {**SEND, "next": "rest"},
        "rest": {"type": "wait", "for": "2 days"},
    },
}


def pair(slug: str) -> tuple[Contact, Contact]:
    """Two contacts in different slots, each with a run of a journey of its own that is due."""
    winner, loser = make_contact(attributes={"plan": "gold"}), make_contact(attributes={"size": 4})
    for contact in (winner, loser):
        version = make_version(GRAPH, slug=f"{slug}-{contact.pk}")
        runs.enter(versions.load([version.pk])[version.pk], [Entry(contact.pk, NOON, {})], NOON)
    return winner, loser


def move_runs() -> None:
    """What a worker does: a batch that lost a race is taken again."""
    idle = 0
    while idle < 3:
        try:
            idle = 0 if engine.advance(LATER) else idle + 1
        except Exception as error:
            if not contention.lost_a_race(error):
                raise
        time.sleep(0.002)


def test_every_run_takes_each_step_once_and_belongs_to_the_one_that_remains() -> None:
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    pairs = [pair(f"trial{number}") for number in range(6)]

    def merge() -> None:
        for winner, loser in pairs:
            time.sleep(random.uniform(0, 0.01))
            merging_by_hand.merge_two(winner.pk, loser.pk, LATER, by="pia")

    together(move_runs, merge, move_runs)
    move_runs()
    merging.sweep(LATER)
    remaining = {winner.pk: winner.slot for winner, _loser in pairs}
    for found in (Run, StepEntry, Message):
        rows = found._base_manager.values_list("contact_id", "slot")
        assert {*rows} == {*remaining.items()}, found
    assert StepEntry.objects.count() == Message.objects.count() * 2 == 24
    assert set(Run.objects.values_list("state", "step")) == {(Run.State.LIVE, "rest")}


def test_what_a_step_writes_and_what_a_merge_brings_are_both_kept() -> None:
    for number in range(6):
        winner, loser = pair(f"update{number}")

        def merge(pair: tuple[int, int] = (winner.pk, loser.pk)) -> None:
            time.sleep(random.uniform(0, 0.02))
            merging_by_hand.merge_two(*pair, LATER, by="pia")

        together(move_runs, merge)
        winner.refresh_from_db()
        assert winner.attributes == {"plan": "gold", "size": 4, "stage": "customer"}
        assert winner.origins["declared"]["stage"][0].startswith("journey:")
