from __future__ import annotations

import json
from typing import Any

import pytest

from journeys import answering, graph

ANSWERS = {"score": {"status": 200, "body": {"risk": 7, "tags": ["a", "b"], "vip": True, "rows": [{"n": 1}]}}}


@pytest.mark.parametrize(
    ("path", "op", "value", "holds"),
    [
        ("score.body.risk", "gte", 7, True),
        ("score.body.risk", "lt", 7, False),
        ("score.body.tags", "contains", "b", True),
        ("score.body.vip", "is", 1, False),
        ("score.body.vip", "is", True, True),
        ("score.body.rows.0.n", "is", 1, True),
        ("score.body.rows.9.n", "exists", None, False),
        ("other.body", "missing", None, True),
        ("score.body.tags", "gt", 1, False),
        ("score.status", "is_not", 500, True),
    ],
)
def test_a_question_about_an_answer(path: str, op: str, value: Any, holds: bool) -> None:
    text = f"{path} {op} {'' if value is None else json.dumps(value)}"
    asked = answering.parse_asked(text)
    assert asked.holds(ANSWERS) is holds


def test_a_branch_may_ask_what_an_endpoint_answered_and_nothing_that_no_step_asks() -> None:
    steps: dict[str, Any] = {
        "score": {"type": "webhook", "endpoint": "scoring", "next": "choose"},
        "choose": {
            "type": "branch",
            "branches": [{"answer": "score.body.risk gte 5", "if": {}, "next": "bye"}],
        },
        "bye": {"type": "exit"},
    }
    data = {"trigger": {"on_request": True}, "start": "score", "steps": steps}
    assert graph.check(data)[1] == []
    steps["choose"]["branches"][0]["answer"] = "nobody.body is 5"
    assert [problem.path for problem in graph.check(data)[1]] == ["steps.choose"]


@pytest.mark.parametrize(
    "text", ["", "score gte 5", "score.body", "score.body near 5", "score.body gte much", 7, "a.b is"]
)
def test_a_question_that_makes_no_sense_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"such as|must be one of|does not go"):
        answering.parse_asked(text)
