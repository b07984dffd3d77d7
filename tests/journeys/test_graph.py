from __future__ import annotations

from typing import Any

import pytest

from journeys import graph
from journeys.steps.split import Split

SEND = {"type": "send", "channels": ["email"], "content": {"email": "hello"}, "purpose": "offers"}


def definition(**changes: Any) -> dict[str, Any]:
    """A small journey that is in order."""
    return {
        "name": "Small",
        "trigger": {"event": "Signed Up"},
        "start": "mail",
        "steps": {
            "mail": {**SEND, "next": "pause"},
            "pause": {"type": "wait", "for": "2 days", "next": "bye"},
            "bye": {"type": "exit", "reason": "done"},
        },
        **changes,
    }


def problems(data: Any) -> dict[str, str]:
    _graph, found = graph.check(data)
    return {problem.path: problem.message for problem in found}


def test_a_definition_in_order_has_no_problems() -> None:
    assert problems(definition()) == {}
    assert list(graph.parse(definition()).steps) == ["mail", "pause", "bye"]


def test_every_problem_is_named_at_once_with_its_path() -> None:
    data = definition(start="nowhere", goal={"window": "soon"})
    data["steps"]["mail"]["next"] = "nobody"
    data["steps"]["pause"]["for"] = "a while"
    data["steps"]["mail"]["content"] = {}
    assert {
        "start",
        "goal",
        "goal.window",
        "steps.mail.next",
        "steps.mail.content.email",
        "steps.pause.for",
    } <= problems(data).keys()


def test_an_unusable_definition_cannot_be_parsed() -> None:
    with pytest.raises(graph.GraphError, match="no step is named"):
        graph.parse(definition(start="nowhere"))


def test_a_step_that_nobody_reaches_is_a_problem() -> None:
    data = definition()
    data["steps"]["island"] = {"type": "exit"}
    assert problems(data) == {"steps.island": "is never reached"}


def test_a_kind_of_step_that_does_not_exist_is_a_problem() -> None:
    data = definition()
    data["steps"]["bye"] = {"type": "teleport"}
    assert "must be one of send" in problems(data)["steps.bye.type"]


def test_a_loop_without_a_wait_is_a_problem() -> None:
    data = definition(start="a")
    data["steps"] = {
        "a": {**SEND, "next": "b"},
        "b": {"type": "branch", "branches": [{"if": {}, "next": "a"}], "else": None},
    }
    assert "goes round without a wait" in next(iter(problems(data).values()))


def test_a_loop_through_a_wait_is_allowed() -> None:
    data = definition()
    data["steps"]["pause"]["next"] = "again"
    data["steps"]["again"] = {
        "type": "branch",
        "branches": [{"if": {"message": "opened", "within": "since_entry"}, "next": "bye"}],
        "else": "mail",
    }
    assert problems(data) == {}


def test_a_bad_rule_is_named_by_its_place_inside_the_graph() -> None:
    data = definition()
    data["steps"]["pause"] = {
        "type": "branch",
        "branches": [{"if": {"all": [{"attribute": "city", "op": "near"}]}, "next": "bye"}],
    }
    (path,) = problems(data)
    assert path.startswith("steps.pause.branches[0].if.all[0]")


def test_bad_rules_of_goal_exit_audience_and_trigger_are_named() -> None:
    bad = {"attribute": "city", "op": "near", "value": "here"}
    data = definition(
        goal={"rule": bad},
        exit=bad,
        audience=bad,
        trigger={"event": "X", "where": [{"op": "is", "value": 1}]},
    )
    assert {path.split(".")[0] for path in problems(data)} == {"goal", "exit", "audience", "trigger"}


def test_a_journey_started_by_what_journeys_do_may_not_start_again_and_again() -> None:
    data = definition(trigger={"event": "Message Sent"}, entry={"mode": "always"})
    assert list(problems(data)) == ["entry.mode"]
    assert problems(definition(trigger={"event": "Message Sent"}, entry={"mode": "once"})) == {}


def test_ten_thousand_steps_are_refused_quickly() -> None:
    data = definition()
    data["steps"] |= {f"s{number}": {"type": "wait", "for": "1 day"} for number in range(10_000)}
    assert problems(data) != {}


def test_a_chain_of_the_most_steps_is_checked_without_recursion() -> None:
    steps: dict[str, Any] = {
        f"s{n}": {"type": "audience", "audience": "list", "next": f"s{n + 1}"}
        for n in range(graph.MOST_STEPS - 1)
    }
    steps[f"s{graph.MOST_STEPS - 1}"] = {"type": "exit"}
    assert problems(definition(start="s0", steps=steps)) == {}


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "text",
        7,
        {},
        {"steps": []},
        {"steps": {"a": None}},
        {"steps": {"a": {"type": []}}},
        {"trigger": 5},
        {"name": "\x00"},
        {1: 2},
        {"steps": {"": {"type": "exit"}}, "start": ""},
        {"x": float("nan")},
    ],
)
def test_whatever_is_given_as_a_definition_is_answered_with_problems(data: Any) -> None:
    assert problems(data) != {}


def test_a_misspelt_field_is_a_problem() -> None:
    assert problems(definition(gaol={"event": "Order Completed"})) == {"gaol": "is not a field known here"}


def test_a_journey_watches_what_its_goal_exit_and_waits_are_about() -> None:
    data = definition(goal={"event": "Order Completed"}, exit={"segment": "vip"})
    data["steps"]["pause"] = {
        "type": "wait_for",
        "event": "Message Opened",
        "timeout": "2 days",
        "next": "bye",
    }
    found = graph.parse(data)
    assert found.always_watched() == {"Order Completed", "Segment Entered", "Segment Left"}
    assert found.watched() == found.always_watched() | {"Message Opened"}


def test_a_split_keeps_a_person_in_one_variant_and_follows_its_shares() -> None:
    data = definition(start="split")
    data["steps"] = {
        "split": {
            "type": "split",
            "shares": [{"name": "a", "share": 80, "next": "bye"}, {"name": "b", "share": 20, "next": "bye"}],
        },
        "bye": {"type": "exit"},
    }
    split = graph.parse(data).steps["split"]
    assert isinstance(split, Split)
    dealt = [split.variant(1, contact).name for contact in range(5000)]
    assert dealt == [split.variant(1, contact).name for contact in range(5000)]
    assert 0.77 < dealt.count("a") / len(dealt) < 0.83


def test_a_goal_by_event_looks_from_entry_on() -> None:
    goal = graph.parse(definition(goal={"event": "Order Completed", "value": "total"})).goal
    assert goal is not None
    assert goal.rule.data["within"] == "since_entry"


def test_a_loop_whose_only_stop_is_a_call_is_a_problem() -> None:
    data = {
        "trigger": {"event": "Cart"},
        "start": "ask",
        "steps": {"ask": {"type": "webhook", "endpoint": "score", "next": "ask"}},
    }
    assert problems(data) == {"steps.ask": "goes round without a wait: ask → ask"}
