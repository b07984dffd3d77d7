"""The calendar as days that are shown: what stands on them, what load they bring, and what clashes. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from journeys.outlook.clashes import Clash
from journeys.outlook.expected import KINDS, Mark

VIEWS = ("month", "week", "agenda")
_DAY = timedelta(days=1)
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; empty is everything."""

    kind: str = ""
    channel: str = ""
    purpose: str = ""
    segment: str = ""

    def fits(self, mark: Mark) -> bool:
        return (
            self.kind in ("", mark.kind)
            and (not self.channel or self.channel in mark.channels)
            and (not self.purpose or self.purpose in mark.purposes)
            and (not self.segment or not mark.segments or self.segment in mark.segments)
        )


class Item(NamedTuple):
    """One line of a day: an occurrence, a sequence that sends on that day, or both in one."""

    kind: str
    name: str
    number: int | None
    at: str
    state: str
    size: int | None
    messages: int | None


@dataclass(slots=True)
class Day:
    """One day of the calendar. ``messages`` is None where nothing was foreseen for it."""

    date: date
    today: bool = False
    outside: bool = False
    messages: int | None = None
    channels: list[tuple[str, int]] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)
    #: What the charter calls a day on which it lets nothing leave, or not everything.
    closed: list[str] = field(default_factory=list)
    share: float = 0.0


def period(view: str, at: date) -> tuple[date, date]:
    """First and last day that a view shows around ``at``: whole weeks, or two weeks from ``at`` on."""
    if view == "agenda":
        return at, at + 13 * _DAY
    if view == "week":
        first = at - at.weekday() * _DAY
        return first, first + (_WEEK - 1) * _DAY
    first = at.replace(day=1)
    last = (first + 31 * _DAY).replace(day=1) - _DAY
    return first - first.weekday() * _DAY, last + (_WEEK - 1 - last.weekday()) * _DAY


def turned(view: str, at: date, by: int) -> date:
    """A day in the period before (-1) or after (1)."""
    if view == "agenda":
        return at + 14 * by * _DAY
    if view == "week":
        return at + _WEEK * by * _DAY
    return at.replace(day=1) - _DAY if by < 0 else (at.replace(day=1) + 31 * _DAY).replace(day=1)


def days(
    first: date, last: date, today: date, marks: Sequence[Mark], told: Mapping[str, Any], filters: Filters
) -> list[Day]:
    """Each day from ``first`` to ``last``. ``told`` is what ``keeping`` worked out, or nothing yet."""
    known, origins = set(told.get("days", ())), told.get("origins", [])
    wanted = {place for place, one in enumerate(origins) if filters.kind in ("", one["kind"])}
    by_day = _by_day(told, filters, wanted)
    found = []
    for number in range((last - first).days + 1):
        at = first + number * _DAY
        rows = by_day.get(f"{at}", [])
        day = Day(at, today=at == today)
        if f"{at}" in known:
            channels = Counter[str]()
            for _origin, channel, _purpose, messages in rows:
                channels[channel] += messages
            day.messages, day.channels = channels.total(), channels.most_common()
        day.items = _items([mark for mark in marks if mark.day == at and filters.fits(mark)], rows, origins)
        day.clashes = [
            clash
            for clash in told.get("clashes", [])
            if clash["day"] == f"{at}" and _concerns(clash, wanted, filters)
        ]
        found.append(day)
    most = max((day.messages or 0 for day in found), default=0) or 1
    for day in found:
        day.share = 100 * (day.messages or 0) / most
    return found


def _by_day(
    told: Mapping[str, Any], filters: Filters, wanted: set[int]
) -> dict[str, list[tuple[int, str, str, int]]]:
    """Day -> (origin, channel, purpose, messages), of what is asked for."""
    rows = told.get("loads", [])
    if filters.segment:
        rows = next((one["loads"] for one in told.get("segments", []) if one["slug"] == filters.segment), [])
    found: dict[str, list[tuple[int, str, str, int]]] = defaultdict(list)
    for day, origin, channel, purpose, messages in rows:
        fits = filters.channel in ("", channel) and filters.purpose in ("", purpose)
        if fits and origin in wanted:
            found[day].append((origin, channel, purpose, messages))
    return found


def _items(
    marks: Sequence[Mark], rows: Sequence[tuple[int, str, str, int]], origins: Sequence[Mapping[str, Any]]
) -> list[Item]:
    """Occurrences with what they bring, then sequences by their load."""
    brought = Counter[int]()
    for origin, _channel, _purpose, messages in rows:
        brought[origin] += messages
    by_number = {origins[place]["number"]: place for place in brought}
    found = []
    for mark in marks:
        place = by_number.get(mark.number)
        load = brought.pop(place, None) if place is not None else None
        at = f"{mark.at:%H:%M}" if mark.at else ""
        found.append(Item(mark.kind, mark.name, mark.number, at, mark.state, mark.size, load))
    for place, messages in brought.most_common():
        one = origins[place]
        found.append(Item(one["kind"], one["name"], one["number"], "", "", None, messages))
    return found


def _concerns(clash: Clash, wanted: set[int], filters: Filters) -> bool:
    if filters.channel and clash.get("channel", filters.channel) != filters.channel:
        return False
    return not filters.kind or bool(set(clash["origins"]) & wanted)


def choices(told: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """What can be asked for, by what there is: (value, name)."""
    rows = told.get("loads", [])
    return {
        "kinds": [(kind, kind) for kind in KINDS],
        "channels": [(name, name) for name in sorted({row[2] for row in rows})],
        "purposes": [(name, name) for name in sorted({row[3] for row in rows})],
        "segments": [(one["slug"], one["name"]) for one in told.get("segments", [])],
    }
