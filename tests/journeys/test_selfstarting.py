from __future__ import annotations

from typing import Any

from contacts import rules
from journeys import graph, selfstarting
from journeys.graph import Graph

SEND = {"type": "send", "channels": ["email"], "content": {"email": "hello"}, "purpose": "offers"}


def walked(trigger: dict[str, Any], step: dict[str, Any], mode: str = "always") -> Graph:
    entry = {"mode": mode, "window": "1 day"} if mode == "window" else {"mode": mode}
    return graph.parse({"trigger": trigger, "entry": entry, "start": "only", "steps": {"only": step}})


ON_LIST = {"type": "list", "list": "vip"}
UPDATE = {"type": "update", "set": {"stage": "won"}}


def test_two_journeys_that_start_each_other_are_a_ring() -> None:
    graphs = {
        "tag": walked({"event": "Cart"}, ON_LIST),
        "greet": walked({"segment": "vip"}, UPDATE),
        "again": walked(
            {"segment": "winners", "on": "left"}, {"type": "list", "list": "vip", "action": "remove"}
        ),
    }
    segments = {"vip": None, "winners": rules.parse({"attribute": "stage", "op": "is", "value": "won"})}
    assert selfstarting.ring("greet", graphs, segments) == ["greet", "again", "greet"]
    assert selfstarting.ring("tag", graphs, segments) == []


def test_a_journey_in_the_ring_that_lets_people_in_once_a_window_breaks_it() -> None:
    graphs = {
        "greet": walked({"segment": "vip"}, UPDATE, mode="window"),
        "again": walked({"segment": "winners"}, ON_LIST),
    }
    segments = {"vip": None, "winners": rules.parse({"attribute": "stage", "op": "is", "value": "won"})}
    assert selfstarting.ring("again", graphs, segments) == []


def test_an_event_of_one_named_journey_starts_nothing_for_the_others() -> None:
    trigger = {"message": "sent", "journey": "other"}
    graphs = {"follow": walked(trigger, SEND), "other": walked({"event": "Cart"}, SEND)}
    assert selfstarting.ring("follow", graphs, {}) == []
    graphs["follow"] = walked({"message": "sent"}, {"type": "exit"})
    assert selfstarting.ring("follow", graphs, {}) == []


def test_a_click_is_a_persons_own_act_and_no_ring() -> None:
    graphs = {"click": walked({"message": "clicked"}, SEND)}
    assert selfstarting.ring("click", graphs, {}) == []
