from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from journeys import engine, mending, runs, versions
from journeys.models import Journey, Run
from journeys.runs import Entry
from tests.factories import NOON, make_contact, make_version

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
GRAPH: dict[str, Any] = {
    "trigger": {"event": "Cart"},
    "entry": {"mode": "always", "key": "cart"},
    "start": "rest",
    "steps": {"rest": {"type": "wait", "for": "30 days"}},
}


def let_in(keys: list[str], now: Any) -> None:
    """One person in one slot, with a run for each key, due at ``now``."""
    (version,) = versions.live()
    contact_id = Run.objects.values_list("contact_id", flat=True).first() or make_contact().id
    runs.enter(version, [Entry(contact_id, now, key=key) for key in keys], now)


def waiting() -> set[str]:
    return set(Run.objects.filter(due_at__lte=NOON).values_list("key", flat=True))


def test_a_fresh_step_does_not_wait_behind_a_crowd_that_was_due_before() -> None:
    make_version(GRAPH)
    let_in([f"old-{number}" for number in range(20)], NOON - HOUR)
    let_in(["fresh"], NOON)
    assert engine.advance(NOON, limit=4) == 5
    assert "fresh" not in waiting()
    assert len(waiting()) == 16


def test_the_crowd_goes_on_while_fresh_ones_keep_coming() -> None:
    make_version(GRAPH)
    let_in([f"old-{number}" for number in range(12)], NOON - HOUR)
    for number in range(4):
        let_in([f"fresh-{number}"], NOON)
        engine.advance(NOON, limit=4)
    assert waiting() == set()


def test_the_health_of_runs_tells_who_is_overdue_and_who_stands_nowhere() -> None:
    version = make_version(GRAPH)
    let_in(["a", "b"], NOON)
    assert mending.health(NOON).good
    late = mending.health(NOON + HOUR)
    assert (late.live, late.due, late.overdue, late.oldest_due, late.good) == (2, 2, 2, NOON, False)
    engine.advance(NOON)
    assert mending.health(NOON + HOUR).good
    Run.objects.filter(key="a").update(step="nowhere")
    assert mending.health(NOON).astray == 1
    Journey.objects.filter(pk=version.journey_id).update(status="archived")
    assert mending.health(NOON).astray == 2


def test_failed_runs_are_gathered_by_cause() -> None:
    version = make_version(GRAPH)
    let_in(["a", "b", "c"], NOON)
    Run.objects.update(state=Run.State.FAILED, due_at=None, ended_at=NOON, outcome="broken")
    Run.objects.filter(key="c").update(outcome="other")
    first, second = mending.causes()
    assert (first.journey_id, first.step, first.cause, first.count) == (
        version.journey_id,
        "rest",
        "broken",
        2,
    )
    assert (second.cause, second.count) == ("other", 1)
    chosen = list(mending.failed(first.journey_id, first.step, first.cause).values_list("id", flat=True))
    assert (mending.skip(chosen, NOON), mending.retry(chosen, NOON)) == (0, 2)
    assert [cause.cause for cause in mending.causes(version.journey)] == ["other"]
