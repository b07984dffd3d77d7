"""Who would come to a step now, and which way they would take: rules to be counted. Pure.

A draft has nobody in it, so people are counted as they stand now: those whom the trigger would have let in
over the last 30 days, and who pass the audience. Windows since entry or since a step are taken as 30 days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from journeys.building.sketch import steps_of

LATELY = "30 days"
_SINCE = ("since_entry", "since_step")


def entering(data: Mapping[str, Any]) -> dict[str, Any]:
    """The rule of those who would have entered lately; an empty one is everyone."""
    parts: list[Any] = []
    trigger = data.get("trigger")
    trigger = trigger if isinstance(trigger, Mapping) else {}
    if trigger.get("event"):
        asked: dict[str, Any] = {"event": trigger["event"], "within": LATELY}
        if trigger.get("where"):
            asked["where"] = trigger["where"]
        parts.append(asked)
    elif trigger.get("segment"):
        parts.append({"segment": trigger["segment"], "member": trigger.get("on") != "left"})
    if isinstance(data.get("audience"), Mapping) and data["audience"]:
        parts.append(settled(data["audience"]))
    return joined(parts)


def ways(data: Any, step: str) -> list[tuple[str, dict[str, Any]]]:
    """(path of the way, rule of those who would take it) of a step that asks rules, in its order."""
    raw = steps_of(data).get(step, {})
    base = entering(data)
    found: list[tuple[str, dict[str, Any]]] = []
    passed: list[Any] = []
    branches = raw.get("branches")
    for index, way in enumerate(branches if isinstance(branches, list) else []):
        if isinstance(way, Mapping) and isinstance(way.get("if"), Mapping):
            rule = settled(way["if"])
            found.append(
                (f"branches[{index}].next", joined([base, rule, *({"not": each} for each in passed)]))
            )
            passed.append(rule)
    if found:
        found.append(("else", joined([base, *({"not": each} for each in passed)])))
    return found


def joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All of the rules that say something."""
    real = [dict(part) for part in parts if part]
    if not real:
        return {}
    return real[0] if len(real) == 1 else {"all": real}


def settled(rule: Any) -> Any:
    """The rule with windows that only a run has made into plain ones."""
    if isinstance(rule, Mapping):
        return {
            name: LATELY if name == "within" and value in _SINCE else settled(value)
            for name, value in rule.items()
        }
    return [settled(each) for each in rule] if isinstance(rule, list) else rule
