"""Changes of attributes that depend on what is there: counting up, adding to a list, taking from it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from journeys.outcomes import Change

MOST_ITEMS = 500
"A list keeps this many, the latest ones."
_LARGEST = 10**15


def changed(current: Any, change: Change) -> Any:
    """What an attribute that is ``current`` becomes. None clears it."""
    if change.act == "increment":
        return _sum(current, change.by)
    items = current if isinstance(current, list) else [] if current is None else [current]
    if change.by is None:
        return current
    kept = [item for item in items if not _same(item, change.by)]
    if change.act == "remove":
        return kept
    return items if len(kept) < len(items) else [*items, change.by][-MOST_ITEMS:]


def folded(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The new values of the attributes in ``changes``, where ``values`` are those of now."""
    return {
        name: changed(values.get(name), change) if isinstance(change, Change) else change
        for name, change in changes.items()
    }


def _sum(current: Any, by: Any) -> Any:
    if not _is_number(by):
        return current
    total = (current if _is_number(current) else 0) + by
    return total if abs(total) < _LARGEST else current


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(one: Any, other: Any) -> bool:
    # True is 1 in Python, but not to anybody else.
    return isinstance(one, bool) == isinstance(other, bool) and one == other
