"""Finds where expected messages clash: with one another, with the charter, with what can be sent. Pure.

A clash is plain data: its kind, its day, the origins it concerns, and figures. Words are found where it is
shown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from itertools import combinations
from typing import Any, NamedTuple

from journeys.backtest.lives import PRESSURE
from journeys.outlook.expected import CLOSED_DAYS, Expected, Stopped

TWICE, PRESSED, CLOSED, CAPACITY, WARMUP, PAUSED = (
    "twice", "pressed", "closed", "capacity", "warmup", "paused",
)  # fmt: skip
KINDS = (CLOSED, PAUSED, WARMUP, CAPACITY, PRESSED, TWICE)
#: Of 100 people who get the one, so many must get the other too before it is told.
SHARE = 5.0
#: Fewer of 100 people who get anything on that day are no news.
FEW = 1.0
#: The most that are told of one day and kind: the largest.
_MOST = 5

Clash = dict[str, Any]


class Carrier(NamedTuple):
    """How much a channel's provider takes: messages a second (None: no limit), whether it is paused, and how
    many it may send on days on which a new sender warms up."""

    per_second: float | None
    paused: bool
    warmup: Mapping[date, int] = {}


def find(
    messages: Collection[Expected],
    stopped: Collection[Stopped],
    carriers: Mapping[str, Carrier],
    factor: int,
) -> list[Clash]:
    """All clashes, by day and then by how grave they are."""
    found = [
        *_twice(messages, factor),
        *_held(messages, stopped, factor),
        *_carried(messages, carriers, factor),
    ]
    return sorted(found, key=lambda one: (one["day"], KINDS.index(one["kind"]), -one["number"]))


def _clash(kind: str, day: date, origins: Iterable[int], number: int, **more: Any) -> Clash:
    return {"kind": kind, "day": f"{day}", "origins": sorted(origins), "number": number, **more}


def _twice(messages: Iterable[Expected], factor: int) -> list[Clash]:
    """Two origins that reach the same people on one day."""
    reached: dict[date, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for one in messages:
        if not one.transactional:
            reached[one.day][one.origin].add(one.contact_id)
    found = []
    for day, origins in reached.items():
        clashes, everybody = [], len(set[int]().union(*origins.values()))
        for first, second in combinations(sorted(origins), 2):
            both = len(origins[first] & origins[second])
            share = 100 * both / min(len(origins[first]), len(origins[second]))
            if both and share >= SHARE and 100 * both >= FEW * everybody:
                clashes.append(_clash(TWICE, day, (first, second), both * factor, share=round(share, 1)))
        found += sorted(clashes, key=lambda one: -one["number"])[:_MOST]
    return found


def _held(messages: Iterable[Expected], stopped: Iterable[Stopped], factor: int) -> list[Clash]:
    """People over the charter's caps, and days on which it lets nothing leave."""
    people: dict[date, set[int]] = defaultdict(set)
    for one in messages:
        if not one.transactional:
            people[one.day].add(one.contact_id)
    held: dict[tuple[date, str, str], list[Expected]] = defaultdict(list)
    for one_stopped in stopped:
        kind = (
            PRESSED if one_stopped.reason in PRESSURE else CLOSED if one_stopped.reason in CLOSED_DAYS else ""
        )
        if kind:
            held[one_stopped.message.day, kind, one_stopped.rule].append(one_stopped.message)
    found = []
    for (day, kind, rule), theirs in held.items():
        concerned = {one.contact_id for one in theirs}
        share = 100 * len(concerned) / len(people[day])
        if kind == PRESSED and share < FEW:
            continue
        origins = [origin for origin, _count in Counter(one.origin for one in theirs).most_common(_MOST)]
        found.append(_clash(kind, day, origins, len(concerned) * factor, share=round(share, 1), rule=rule))
    return found


def _carried(messages: Iterable[Expected], carriers: Mapping[str, Carrier], factor: int) -> list[Clash]:
    """Channels whose provider is paused, or takes longer than an hour for an hour's messages."""
    hours: dict[tuple[date, str], Counter[int]] = defaultdict(Counter)
    origins: dict[tuple[date, str], set[int]] = defaultdict(set)
    for one in messages:
        if one.leaves:
            hours[one.day, one.channel][one.hour] += 1
            origins[one.day, one.channel].add(one.origin)
    found = []
    for (day, channel), counted in hours.items():
        carrier = carriers.get(channel)
        if carrier is None:
            continue
        hour, most = max(counted.items(), key=lambda one: (one[1], -one[0]))
        told: dict[str, Any] = {"channel": channel, "hour": hour}
        number, allowed = sum(counted.values()) * factor, carrier.warmup.get(day)
        concerned = origins[day, channel]
        if carrier.paused:
            found.append(_clash(PAUSED, day, concerned, number, **told))
        elif allowed is not None and number > allowed:
            found.append(_clash(WARMUP, day, concerned, number, allowed=allowed, **told))
        elif carrier.per_second and most * factor > carrier.per_second * 3600:
            takes = round(most * factor / (carrier.per_second * 3600), 1)
            told |= {"hours": takes, "per_second": carrier.per_second}
            found.append(_clash(CAPACITY, day, concerned, most * factor, **told))
    return found
