"""Counts expected messages by day, origin, channel, purpose and segment. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from journeys.outlook.expected import Expected

Row = list[Any]
"[day, origin, channel, purpose, messages]"


def loads(messages: Iterable[Expected], factor: int) -> list[Row]:
    """Messages that will leave, as for everybody."""
    return _rows(
        Counter((one.day, one.origin, one.channel, one.purpose) for one in messages if one.leaves), factor
    )


def _rows(counted: Mapping[tuple[date, int, str, str], int], factor: int) -> list[Row]:
    return [[f"{day}", *rest, number * factor] for (day, *rest), number in sorted(counted.items())]


def by_segment(
    messages: Iterable[Expected], members: Mapping[int, Sequence[int]], factor: int
) -> dict[int, list[Row]]:
    """The same for each segment: ``members`` tells the segments of a contact."""
    found: dict[int, Counter[tuple[date, int, str, str]]] = defaultdict(Counter)
    for one in messages:
        if one.leaves:
            for segment in members.get(one.contact_id, ()):
                found[segment][one.day, one.origin, one.channel, one.purpose] += 1
    return {segment: _rows(counted, factor) for segment, counted in found.items()}


def people(messages: Iterable[Expected], factor: int) -> dict[str, int]:
    """Day -> people who get anything."""
    seen: dict[date, set[int]] = defaultdict(set)
    for one in messages:
        if one.leaves:
            seen[one.day].add(one.contact_id)
    return {f"{day}": len(them) * factor for day, them in sorted(seen.items())}
