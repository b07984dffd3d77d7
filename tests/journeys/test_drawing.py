from __future__ import annotations

from typing import Any

import pytest

from journeys import drawing, graph, library
from journeys.drawing import Block


def drawn(data: Any) -> list[Any]:
    found = graph.parse(data)
    return [shape(chain) for chain in drawing.draw(found.start, found.steps)]


def shape(blocks: list[Block[Any]]) -> list[Any]:
    """Names of steps; ways as dictionaries; jumps as arrows; the end as a stop."""
    lines: list[Any] = []
    for block in blocks:
        if block.step is None:
            lines.append(f"→{block.jump}" if block.jump else "■")
            continue
        lines.append(block.step.id)
        if block.ways:
            lines.append({way.outcome: shape(way.blocks) for way in block.ways})
    return lines


def test_the_cart_reminder_reads_from_top_to_bottom() -> None:
    (cart,) = (each for each in library.maps() if each.slug == "cart-reminder")
    assert drawn(cart.data) == [
        [
            "day-1", "email", "day-2", "sms", "day-3", "subscribed",
            {"subscribed to push": ["push"], "else": []},
            "day-5", "willing", {"allowed offers": ["retarget"], "else": []}, "watch",
            {"event": ["■"], "timed_out": ["forget", "gone"]},
        ]
    ]  # fmt: skip


def test_ways_that_meet_again_go_on_below() -> None:
    (welcome,) = (each for each in library.maps() if each.slug == "welcome")
    assert drawn(welcome.data) == [
        ["email", "opened", {"event": [], "timed_out": ["push"]}, "first-order", "■"]
    ]


def definition(steps: dict[str, Any]) -> dict[str, Any]:
    return {"trigger": {"event": "X"}, "start": next(iter(steps)), "steps": steps}


def fork(yes: str | None, no: str | None) -> dict[str, Any]:
    return {"type": "branch", "branches": [{"if": {}, "next": yes}], "else": no}


def test_a_way_back_is_a_jump() -> None:
    steps = {"pause": {"type": "wait", "for": "1 day", "next": "again"}, "again": fork("pause", None)}
    assert drawn(definition(steps)) == [["pause", "again", {"yes": ["→pause"], "else": ["■"]}]]


def test_every_step_is_drawn_once_however_deep() -> None:
    steps: dict[str, Any] = {f"f{n}": fork(f"f{n + 1}", f"e{n}") for n in range(12)}
    steps |= {f"e{n}": {"type": "exit"} for n in range(12)} | {"f12": {"type": "exit"}}
    text = str(drawn(definition(steps)))
    assert all(text.count(f"'{name}'") == 1 for name in steps)


@pytest.mark.parametrize("each", library.maps(), ids=lambda each: each.slug)
def test_no_step_of_a_ready_made_map_is_left_out(each: library.Map) -> None:
    text = str(drawn(each.data))
    assert all(f"'{name}'" in text for name in each.data["steps"])
