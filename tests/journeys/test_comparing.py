from __future__ import annotations

from typing import Any

from journeys import comparing, library

STEPS: dict[str, Any] = {
    "rest": {"type": "wait", "for": "2 days", "next": "bye"},
    "bye": {"type": "exit", "reason": "done"},
}
GRAPH: dict[str, Any] = {"name": "A", "trigger": {"event": "Cart"}, "start": "rest", "steps": STEPS}


def said(before: Any, after: Any) -> list[str]:
    return [str(change) for change in comparing.compare(before, after)]


def test_a_definition_does_not_differ_from_itself() -> None:
    for each in library.maps():
        assert comparing.compare(each.data, each.data) == []


def test_changes_are_told_in_words_where_they_are() -> None:
    steps = {"rest": {**STEPS["rest"], "for": "3 days", "next": "end"}, "end": STEPS["bye"]}
    after = {**GRAPH, "trigger": {"event": "Order"}, "steps": steps}
    assert said(GRAPH, after) == [
        "trigger: When “Cart” happens → When “Order” happens",
        "steps.rest: Wait 2 days (next → bye) → Wait 3 days (next → end)",
        "steps.end is new: Leave the journey: done",
        "steps.bye is gone: Leave the journey: done",
    ]


def test_what_the_words_leave_out_is_shown_as_it_is_written() -> None:
    steps = {**STEPS, "bye": {**STEPS["bye"], "note": {"stage": "end"}}}
    (change,) = comparing.compare(GRAPH, {**GRAPH, "steps": steps})
    assert "stage: end" in change.after
    assert "note" not in change.before


def test_definitions_that_are_not_in_order_can_be_compared() -> None:
    assert said({}, GRAPH)
    assert said(GRAPH, [1])
    assert comparing.fates(GRAPH, None) == {"rest": "removed", "bye": "removed"}
