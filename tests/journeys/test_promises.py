"""Each promise of journeys: a planted fault is found, and what is as promised is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from channels.models import Message
from journeys import engine, runs, versions
from journeys.models import ClockMark, JourneyVersion, Run, StepEntry
from journeys.runs import Entry
from tests.factories import NOON, make_contact, make_version
from tests.promises import assert_promises_hold, broken

pytestmark = pytest.mark.django_db
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SEND = {"type": "send", "channels": ["email"], "content": {"email": "hello"}, "purpose": "offers"}
GRAPH: dict[str, Any] = {
    "trigger": {"event": "Cart"},
    "start": "mail",
    "steps": {"mail": {**SEND, "next": "pause"}, "pause": {"type": "wait", "for": "2 days"}},
}


def enter(version: JourneyVersion, **entry: Any) -> Run:
    contact = make_contact()
    runs.enter(versions.load({version.id})[version.id], [Entry(contact.id, NOON, entry)], NOON)
    return Run.objects.get(contact=contact)


def test_a_walk_keeps_every_promise() -> None:
    version = make_version(GRAPH)
    enter(version)
    engine.advance(NOON)
    assert StepEntry.objects.filter(outcome="intended").count() == 1
    assert_promises_hold(NOON + SECOND)


def test_a_message_that_vanished_is_missed() -> None:
    enter(make_version(GRAPH))
    engine.advance(NOON)
    Message.objects.all().delete()
    assert list(broken(NOON + SECOND)) == ["step_has_message"]


def test_a_step_that_was_taken_twice_is_named() -> None:
    enter(make_version(GRAPH))
    engine.advance(NOON)
    step = StepEntry.objects.get(outcome="intended")
    step.pk, step.at = None, step.at + SECOND
    step.save(force_insert=True)
    assert "step_once" in broken(NOON + SECOND)


def test_runs_that_nobody_moves_are_named_until_somebody_does() -> None:
    enter(make_version(GRAPH))
    assert "runs_move" in broken(NOON + HOUR)
    engine.advance(NOON + HOUR)
    assert "runs_move" not in broken(NOON + HOUR)


def test_an_occasion_that_let_somebody_in_twice_is_named() -> None:
    run = enter(make_version(GRAPH), occasion="2026-03-10")
    Run.objects.filter(pk=run.pk).update(state=Run.State.COMPLETED, due_at=None)
    run.pk = None
    run.due_at = NOON + 2 * HOUR
    run.save(force_insert=True)
    assert list(broken(NOON + SECOND)) == ["occasion_once"]


def test_a_schedule_that_nobody_follows_is_named() -> None:
    graph = {**GRAPH, "audience": {}, "trigger": {"every": "day", "at": "09:00"}}
    version = make_version(graph)
    ClockMark.objects.create(journey=version.journey, at=NOON)
    assert broken(NOON + 10 * 60 * SECOND) == {}
    assert list(broken(NOON + HOUR)) == ["schedules_followed"]
