"""The load that a draft or a campaign will bring, before it is published or scheduled.

The same playing and the same counting as for the calendar, of this one alone and of fewer people, so that
somebody can wait for it. What others bring is what the calendar knows.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db import transaction

from contacts import slots
from contacts.models import Contact
from journeys import graph
from journeys.backtest import forecast
from journeys.backtest.playing import only_read
from journeys.models import Campaign, Journey
from journeys.outlook import broadcasts, expecting, house_clock, keeping
from journeys.outlook.expected import JOURNEY, Gathered, Origin

#: About so many people are looked at.
PEOPLE = 4_000
#: An answer is shown again for this long, with its time.
KEPT = 900
_SECONDS = 15.0


class Before(NamedTuple):
    """What one journey or campaign will bring, and what the others bring."""

    at: datetime
    lots: int
    told: dict[str, Any]
    others: dict[str, Any] | None


def of_draft(journey: Journey, now: datetime) -> Before | None:
    """Of a journey's draft, were it published now; None where it has problems."""
    found, _problems = graph.check(journey.draft)
    if found is None:
        return None
    origin = Origin(JOURNEY, journey.name, journey.pk, journey.slug)

    def play(lots: list[int], go_on: forecast.GoOn) -> Iterator[forecast.Foreseen]:
        return forecast.of_those_to_come(found, journey.pk, now, lots, go_on)

    return _told(origin, journey.draft, play, now)


def of_campaign(campaign: Campaign, now: datetime) -> Before | None:
    """Of a campaign, were it scheduled now; None where it has problems."""
    drawn = broadcasts.as_journey(campaign, now)
    if graph.check(drawn)[0] is None:
        return None
    asked = [drawn, str(campaign.until_day), campaign.throttle, campaign.throttle_per]

    def play(lots: list[int], go_on: forecast.GoOn) -> Iterator[forecast.Foreseen]:
        return broadcasts.of(campaign, now, lots, go_on)

    return _told(broadcasts.origin(campaign), asked, play, now)


def _told(origin: Origin, asked: Any, play: Any, now: datetime) -> Before:
    key = hashlib.sha256(json.dumps([origin.number, asked], sort_keys=True, default=str).encode()).hexdigest()
    kept = cache.get(f"outlook:{key}")
    if kept is None:
        kept = _work_out(origin, play, now)
        cache.set(f"outlook:{key}", kept, KEPT)
    at, lots, told = kept
    return Before(at, lots, told, _others(origin))


def _work_out(origin: Origin, play: Any, now: datetime) -> tuple[datetime, int, dict[str, Any]]:
    lots = keeping.chosen(Contact.objects.count(), PEOPLE)
    until = time.monotonic() + _SECONDS

    def go_on() -> bool:
        return time.monotonic() < until

    gathered = Gathered(zone=house_clock.zone(now))
    with transaction.atomic():
        only_read()
        expecting.add(gathered, origin, play(lots, go_on), now)
        if not go_on():
            gathered.unplayed.append(origin.name)
        told = keeping.told(gathered, now, slots.SLOTS // len(lots), alone=True)
    return now, len(lots), told


def _others(origin: Origin) -> dict[str, Any] | None:
    """Day -> messages of all the others, as the calendar knows them."""
    kept = keeping.latest()
    if kept is None:
        return None
    known: dict[str, Any] = kept.result
    ours = {place for place, one in enumerate(known["origins"]) if one["number"] == origin.number}
    found = dict.fromkeys(known["days"], 0)
    for day, place, _channel, _purpose, messages in known["loads"]:
        if place not in ours and day in found:
            found[day] += messages
    return found


class Row(NamedTuple):
    """One day of what is to come: messages by channel, and of others; shares of the longest bar."""

    day: str
    channels: list[tuple[str, int]]
    messages: int
    others: int | None
    share: float
    people: int


def rows(before: Before) -> list[Row]:
    """Day by day."""
    told = before.told
    by_day: dict[str, dict[str, int]] = {day: {} for day in told["days"]}
    for day, _origin, channel, _purpose, messages in told["loads"]:
        if day in by_day:
            by_day[day][channel] = by_day[day].get(channel, 0) + messages
    most = max((sum(channels.values()) for channels in by_day.values()), default=0) or 1
    return [
        Row(
            day,
            sorted(channels.items()),
            sum(channels.values()),
            before.others.get(day) if before.others is not None else None,
            100 * sum(channels.values()) / most,
            told["people"].get(day, 0),
        )
        for day, channels in by_day.items()
    ]


def segments(before: Before) -> list[tuple[str, list[int], int]]:
    """(name, messages of each day, of all days) of the segments that get any, most first."""
    found = []
    for segment in before.told["segments"]:
        by_day = dict.fromkeys(before.told["days"], 0)
        for day, _origin, _channel, _purpose, messages in segment["loads"]:
            if day in by_day:
                by_day[day] += messages
        if total := sum(by_day.values()):
            found.append((segment["name"], list(by_day.values()), total))
    return sorted(found, key=lambda one: -one[2])
