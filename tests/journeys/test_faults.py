"""Deaths, races and storms: nobody takes a step twice, nobody is left without a wake-up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from channels.models import Message
from contacts.models import Contact, Event
from journeys import engine, runs, triggers, versions
from journeys.models import JourneyVersion, Run, StepEntry
from journeys.runs import Entry
from tests import elsewhere
from tests.factories import NOON, log_event, make_contact, make_version
from tests.together import together

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)
SEND = {"type": "send", "channels": ["email"], "content": {"email": "hello"}, "purpose": "offers"}
GRAPH: dict[str, Any] = {
    "trigger": {"event": "Cart"},
    "goal": {"event": "Order Completed"},
    "start": "mail",
    "steps": {
        "mail": {**SEND, "next": "pause"},
        "pause": {"type": "wait", "for": "2 days", "next": "last"},
        "last": SEND,
    },
}
IMPORTS = "from journeys import engine, redirecting, triggers\n"
BOTH = "while triggers.follow(now) or engine.advance(now): pass"


def work_elsewhere(now: datetime, crashpoint: str, script: str = BOTH) -> int:
    """Triggers and engine in a process of its own, which may die at a point; returns its exit status."""
    return elsewhere.run(IMPORTS + script, now=now, crashpoint=crashpoint)


def finish(now: datetime) -> None:
    while triggers.follow(now) or engine.advance(now):
        pass


def nothing_is_doubled_or_stuck() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) - count(DISTINCT (run_id, visit)) FROM journeys_stepentry")
        assert cursor.fetchone() == (0,)
    keys = Message.objects.values_list("origin_run", "origin_step")
    assert len(keys) == len(set(keys))
    assert not Run.objects.filter(state=Run.State.LIVE, due_at=None).exists()


@pytest.mark.parametrize(
    "point",
    ["triggers.written", "triggers.committed", "engine.claimed", "engine.written", "engine.committed"],
)
def test_a_worker_killed_at_any_point_is_made_good_by_the_next(point: str) -> None:
    make_version(GRAPH)
    people = [make_contact() for _ in range(5)]
    for contact in people:
        log_event(contact, "Cart", NOON)
    assert work_elsewhere(NOON, f"{point}:1") == 137
    for days in (0, 2, 5):
        finish(NOON + days * DAY)
    assert set(Run.objects.values_list("state", flat=True)) == {Run.State.COMPLETED}
    assert Run.objects.count() == len(people)
    assert Message.objects.count() == 2 * len(people)
    assert Event.objects.filter(name="Journey Entered").count() == len(people)
    assert Event.objects.filter(name="Journey Ended").count() == len(people)
    nothing_is_doubled_or_stuck()


def many(count: int) -> list[Contact]:
    return [make_contact() for _ in range(count)]


def loaded(version: JourneyVersion) -> versions.Version:
    return versions.load([version.id])[version.id]


def test_three_engines_at_once_take_each_step_once() -> None:
    version = loaded(make_version(GRAPH))
    runs.enter(version, [Entry(contact.id, NOON) for contact in many(120)], NOON)

    def work() -> None:
        for _round in range(40):
            engine.advance(NOON, limit=20)

    together(work, work, work)
    finish(NOON)
    assert Message.objects.count() == 120
    assert set(Run.objects.values_list("step", flat=True)) == {"pause"}
    nothing_is_doubled_or_stuck()


def test_whoever_lets_people_in_at_once_lets_each_in_once() -> None:
    version = loaded(make_version({**GRAPH, "entry": {"mode": "once"}}))
    entries = [Entry(contact.id, NOON) for contact in many(60)]

    def let_in() -> None:
        runs.enter(version, entries, NOON)
        Run.objects.filter(state=Run.State.LIVE, contact_id=entries[0].contact_id).update(
            state=Run.State.COMPLETED, due_at=None
        )

    together(let_in, let_in, let_in)
    assert Run.objects.count() == 60


def test_an_event_that_arrives_while_a_run_falls_asleep_still_wakes_it() -> None:
    steps = {"wait": {"type": "wait_for", "event": "Clicked", "timeout": "5 days", "next": None}}
    version = loaded(make_version({"trigger": {"event": "Cart"}, "start": "wait", "steps": steps}))
    people = many(80)
    runs.enter(version, [Entry(contact.id, NOON) for contact in people], NOON)
    later = NOON + timedelta(seconds=5)
    for contact in people:
        log_event(contact, "Clicked", NOON + timedelta(seconds=1))

    def sleep() -> None:
        for _round in range(30):
            engine.advance(NOON, limit=10)

    def wake() -> None:
        while triggers.follow(later, limit=10):
            pass

    together(sleep, wake)
    finish(later)
    engine.advance(later)
    woken = set(StepEntry.objects.values_list("outcome", flat=True))
    left = Run.objects.filter(state=Run.State.LIVE).exclude(watching=["Clicked"])
    assert woken <= {"event"}
    assert not left.exists()
    finish(later)
    assert Run.objects.filter(state=Run.State.COMPLETED).count() == 80


def test_an_event_read_before_the_run_falls_asleep_is_not_slept_through() -> None:
    """The engine's clock is behind the event's: it must come again when the event is past."""
    steps = {"wait": {"type": "wait_for", "event": "Clicked", "timeout": "5 days", "next": None}}
    version = loaded(make_version({"trigger": {"event": "Cart"}, "start": "wait", "steps": steps}))
    contact = make_contact()
    runs.enter(version, [Entry(contact.id, NOON)], NOON)
    log_event(contact, "Clicked", NOON + timedelta(seconds=1))
    assert triggers.follow(NOON + timedelta(seconds=5))
    engine.advance(NOON)
    engine.advance(NOON + timedelta(seconds=1))
    assert Run.objects.get().state == Run.State.COMPLETED


def test_a_storm_of_events_lets_one_person_in_once() -> None:
    make_version({**GRAPH, "entry": {"mode": "always"}})
    contact = make_contact()
    for second in range(300):
        log_event(contact, "Cart", NOON + timedelta(seconds=second))
    finish(NOON + timedelta(minutes=10))
    assert Run.objects.count() == 1
    assert Message.objects.count() == 1
