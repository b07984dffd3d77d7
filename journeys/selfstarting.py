"""Journeys that start themselves or each other for ever: found before they are published. Pure.

What a journey does becomes events in the log; an event may start a journey. Round a ring of journeys somebody
could be sent for ever, unless one of them lets a person in only once, or once in a window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from contacts import rules, rules_tree
from contacts.rules import Rule
from journeys.entering import SEGMENT_EVENTS
from journeys.graph import Graph
from journeys.steps.update import Update

_MESSAGES = frozenset(
    {"Message Sent", "Message Delivered", "Message Dropped", "Message Held", "Message Failed"}
)
"What follows from sending without anybody's doing. A click or an opening is a person's own act."


@dataclass(frozen=True, slots=True)
class Emitted:
    """What a journey brings about: names of events, attributes it sets, lists it changes."""

    events: frozenset[str]
    attributes: frozenset[str] = frozenset()
    lists: frozenset[str] = field(default_factory=frozenset)


def emitted(graph: Graph) -> Emitted:
    steps = graph.steps.values()
    events = {"Journey Entered", "Journey Ended"}
    if graph.goal:
        events.add("Journey Converted")
    if any(step.sends() for step in steps):
        events |= _MESSAGES
    attributes = {name for step in steps if isinstance(step, Update) for name in step.changes}
    if attributes:
        events.add("Identified")
    return Emitted(frozenset(events), frozenset(attributes), frozenset(graph.lists().values()))


def ring(name: str, graphs: Mapping[str, Graph], segments: Mapping[str, Rule | None]) -> list[str]:
    """Journeys of one ring through ``name``, beginning with it; nothing where there is none.

    ``segments`` are all there are: slug -> rule, None for a list kept by hand.
    """
    told = {each: emitted(graph) for each, graph in graphs.items()}
    free = [each for each, graph in graphs.items() if graph.entry.mode == "always"]
    if name not in free:
        return []
    came_from: dict[str, str] = {}
    ahead = [name]
    while ahead:
        here = ahead.pop(0)
        for other in free:
            if _starts(here, told[here], graphs[other], segments):
                if other == name:
                    return _way(here, name, came_from)
                if other not in came_from:
                    came_from[other] = here
                    ahead.append(other)
    return []


def _way(last: str, name: str, came_from: Mapping[str, str]) -> list[str]:
    way = [last]
    while way[-1] != name:
        way.append(came_from[way[-1]])
    return [*reversed(way), name]


def _starts(name: str, told: Emitted, other: Graph, segments: Mapping[str, Rule | None]) -> bool:
    trigger = other.trigger
    if trigger.segment:
        return _moves(told, trigger.segment, segments, frozenset())
    if trigger.event in SEGMENT_EVENTS.values():
        return any(_moves(told, slug, segments, frozenset()) for slug in segments)
    if trigger.event not in told.events:
        return False
    # "of the journey so-and-so" is about that one alone.
    named = [
        test["value"]
        for test in trigger.where
        if test.get("property") == "journey" and test.get("op") == "is"
    ]
    return not named or name in named


def _moves(told: Emitted, slug: str, segments: Mapping[str, Rule | None], seen: frozenset[str]) -> bool:
    """Whether what was ``told`` of a journey can put people into a segment or take them out."""
    if slug in told.lists:
        return True
    rule = segments.get(slug)
    if rule is None or slug in seen:
        return False
    for leaf in rules_tree.leaves(rule):
        if isinstance(leaf, rules_tree.Attribute):
            if leaf.name in told.attributes:
                return True
        elif isinstance(leaf, rules_tree.InSegment):
            if _moves(told, leaf.slug, segments, seen | {slug}):
                return True
        elif rules.event_names(leaf) & told.events:
            return True
    return False
