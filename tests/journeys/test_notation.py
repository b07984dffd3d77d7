from __future__ import annotations

from typing import Any

import pytest

from journeys import library, notation


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("on: left", {"on": "left"}),
        ("at: 10:30", {"at": "10:30"}),
        ("value: 2026-03-01", {"value": "2026-03-01"}),
        ("a: yes", {"a": "yes"}),
        ("a: true\nb: null\nc: 5\nd: 2.5\ne:", {"a": True, "b": None, "c": 5, "d": 2.5, "e": None}),
        ('{"a": [1, "2", false]}', {"a": [1, "2", False]}),
        ("phone: 0033123", {"phone": "0033123"}),
    ],
)
def test_words_stay_words_and_json_stays_json(text: str, data: Any) -> None:
    assert notation.read(text) == (data, [])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1, 2", "line 1, column 9"),
        ("a: &x 1\nb: *x", "line 2, column 4"),
        ("a: !!python/object:os.system {}", "line 1, column 4"),
        ("\x00", ""),
        ("[" * 5000, ""),
        ("a" * 300_000, ""),
    ],
)
def test_what_cannot_be_read_is_a_problem_with_its_place(text: str, place: str) -> None:
    data, problems = notation.read(text)
    assert data is None
    assert problems[0].path == place


@pytest.mark.parametrize("each", library.maps(), ids=lambda each: each.slug)
def test_what_is_written_reads_the_same_again(each: library.Map) -> None:
    assert notation.read(notation.write(each.data)) == (each.data, [])


def test_fields_and_steps_are_written_in_the_order_in_which_one_reads_them() -> None:
    data = {
        "steps": {"b": {"for": "1 day", "type": "wait"}, "z": {}, "a": {"next": "b", "type": "exit"}},
        "start": "a",
        "trigger": {"event": "X"},
        "name": "N",
    }
    assert notation.write(data).splitlines() == [
        "name: N",
        "trigger: {event: X}",
        "start: a",
        "steps:",
        "  a: {type: exit, next: b}",
        "  b: {type: wait, for: 1 day}",
        "  z: {}",
    ]
