"""What differs from a plan, without a database."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.plan.catalogue import (
    ANY,
    TYPES,
    PlanError,
    Planned,
    Property,
    checked,
    fits,
    learned,
    plannable,
    problems,
)

ORDER = Planned(
    (Property("total", "number", required=True), Property("at", "time"), Property("lines", "list"))
)


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"total": 5}, []),
        ({"total": 5.5, "at": "2026-03-10", "lines": [], "colour": "red"}, []),
        ({}, [("missing", "total")]),
        ({"total": None}, [("missing", "total")]),
        ({"total": "5"}, [("wrong_type", "total")]),
        ({"total": True}, [("wrong_type", "total")]),
        ({"total": 1, "at": "yesterday"}, [("wrong_type", "at")]),
        ({"total": 1, "at": 1_700_000_000}, [("wrong_type", "at")]),
        ({"at": "2026-03-10T09:30:00.123Z", "lines": {}}, [("missing", "total"), ("wrong_type", "lines")]),
    ],
)
def test_missing_and_mistyped_properties_are_found(
    properties: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert [(one.code, one.property) for one in problems(ORDER, properties)] == expected


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "x"},
        [{"name": ""}],
        [{"name": "x", "type": "decimal"}],
        [{"name": "x"}, {"name": "x "}],
        [{"name": "x", "colour": "red"}],
        [{"name": "n" * 257}],
        [{"name": str(number)} for number in range(201)],
        [{"name": "a\0b"}],
        "x",
        None,
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(bad: object) -> None:
    with pytest.raises(PlanError):
        checked(bad)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=10), values, max_size=80))
def test_a_plan_learned_from_an_event_finds_no_fault_in_it(properties: dict[str, Any]) -> None:
    plan = checked([{"name": name, "type": kind} for name, kind in learned_names(properties).items()])
    assert problems(Planned(tuple(Property(**one) for one in plan)), properties) == []


def learned_names(properties: dict[str, Any]) -> dict[str, str]:
    """As a marketer would take them over: names that only differ by spaces at the ends cannot be planned."""
    found = learned(properties)
    assert len(found) <= 60
    return {name: kind for name, kind in found.items() if plannable(name)}


@given(values, st.sampled_from([*TYPES, ANY]))
def test_every_value_can_be_held_against_every_type(value: object, wanted: str) -> None:
    assert fits(value, wanted) in (True, False)
