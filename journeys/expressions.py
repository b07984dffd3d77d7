"""Values taken from what is known: plain, {entry: property}, {attribute: name} or {answer: path}. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from journeys import answering
from journeys.outcomes import Facts, Standing

SOURCES = ("entry", "attribute", "answer")


def problem(value: object, sources: Collection[str] = SOURCES) -> str:
    """What is wrong with a value as it is written, or nothing."""
    if not isinstance(value, Mapping):
        if is_plain(value):
            return ""
        return 'must be a text, number, true, false, null or a value such as {"entry": property}'
    if len(value) != 1 or not set(value) <= set(sources):
        return f"must have one name: {' or '.join(sources)}"
    ((source, name),) = value.items()
    return "" if isinstance(name, str) and 0 < len(name) <= 120 else f"{source} takes a name"


def is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= 2000 and "\x00" not in value
    if isinstance(value, float):
        return abs(value) < 1e15  # neither infinite nor "not a number"
    return value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 10**15)


def worth(value: Any, run: Standing, facts: Facts) -> Any:
    """What the value is for this run."""
    if not isinstance(value, Mapping):
        return value
    ((source, name),) = value.items()
    if source == "entry":
        return run.entry.get(name)
    if source == "attribute":
        return facts.known.get(name)
    return answering.look_up(facts.answers, name)


def named(values: Mapping[str, Any], source: str) -> frozenset[str]:
    """Names that ``values`` take from ``source``; of an answer, the step."""
    found = (value[source] for value in values.values() if isinstance(value, Mapping) and source in value)
    return frozenset(
        name.partition(".")[0] if source == "answer" else name for name in found if isinstance(name, str)
    )
