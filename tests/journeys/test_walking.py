from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from journeys import graph
from journeys.outcomes import Facts
from journeys.walking import BUDGET, End, Walk
from tests.factories import NOON

FACTS = Facts(ZoneInfo("UTC"))


def walk(steps: dict[str, Any], **top: Any) -> Walk:
    data = {"trigger": {"event": "Start"}, "start": next(iter(steps)), "steps": steps, **top}
    return Walk(1, 1, 1, 1, 1, next(iter(steps)), 0, NOON, NOON, "{}", graph.parse(data))


def test_a_run_that_goes_round_without_a_wait_fails_at_the_step_budget() -> None:
    run = walk(
        {"a": {"type": "audience", "audience": "x", "next": "b"}, "b": {"type": "audience", "audience": "y"}}
    )
    # Validation refuses such a loop; this is what happens should one slip past it.
    run.graph = replace(run.graph, steps={**run.graph.steps, "b": replace(run.graph.steps["b"], next="a")})  # type: ignore[call-arg]
    for _step in range(BUDGET + 5):
        if run.moving:
            run.advance(FACTS, NOON)
    assert (run.end, run.outcome, run.step) == (End.FAILED, f"took {BUDGET} steps at one instant", "a")
    assert run.moves == ()
    assert [taken.outcome for taken in run.taken] == ["failed"]


def test_a_step_that_fails_takes_back_what_this_batch_did_before_it() -> None:
    run = walk({"a": {"type": "update", "set": {"x": 1}, "next": "b"}, "b": {"type": "wait", "for": "1 day"}})
    run.advance(FACTS, NOON)
    run.fail("broken", NOON)
    assert (run.step, run.visit, run.changes, run.due_at) == ("a", 0, {}, None)


def test_a_run_rests_after_it_changed_the_contact() -> None:
    run = walk({"a": {"type": "update", "set": {"x": 1}, "next": "b"}, "b": {"type": "exit"}})
    run.advance(FACTS, NOON)
    assert (run.moving, run.due_at, run.step) == (False, NOON, "b")


def test_being_woken_early_does_not_change_when_a_wait_ends() -> None:
    run = walk({"a": {"type": "wait", "for": "2 days"}})
    run.advance(FACTS, NOON + timedelta(hours=5))
    assert run.due_at == NOON + timedelta(days=2)
    assert run.taken == []
