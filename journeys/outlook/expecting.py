"""Gathers what is expected of live journeys, and what waits already, for some lots of people."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain

import psycopg
from django.db import connection

from journeys import versions
from journeys.backtest import forecast
from journeys.backtest.forecast import AHEAD, Foreseen
from journeys.models import Journey
from journeys.outlook import broadcasts, house_clock
from journeys.outlook.expected import CAMPAIGN, JOURNEY, OTHER, Expected, Gathered, Origin
from journeys.versions import Version

#: Messages of one journey that are kept at most: enough to count with.
MOST = 200_000


def gather(now: datetime, lots: Sequence[int], seconds: float) -> Gathered:
    """All that people of these lots may expect in the coming days. Playing ends after ``seconds``."""
    found = Gathered(zone=house_clock.zone(now))
    until = time.monotonic() + seconds

    def go_on() -> bool:
        return time.monotonic() < until

    sent_by_campaigns = broadcasts.journeys()
    names = dict(Journey.objects.values_list("id", "name"))
    for version in sorted(versions.live(), key=lambda one: one.journey_id):
        if version.graph is None or version.journey_id in sent_by_campaigns:
            continue
        origin = Origin(
            JOURNEY, names.get(version.journey_id, version.slug), version.journey_id, version.slug
        )
        add(found, origin, _of_journey(version, now, lots, go_on), now)
        if not go_on():
            found.unplayed.append(origin.name)
    for origin, messages in broadcasts.foreseen(now, lots, go_on):
        add(found, origin, messages, now)
        if not go_on():
            found.unplayed.append(origin.name)
    _add_waiting(found, now, lots, names)
    return found


def _of_journey(
    version: Version, now: datetime, lots: Sequence[int], go_on: forecast.GoOn
) -> Iterator[Foreseen]:
    if version.graph is None:
        return iter(())
    return chain(
        forecast.of_those_inside(version.journey_id, now, lots, go_on),
        forecast.of_those_to_come(version.graph, version.journey_id, now, lots, go_on),
    )


def add(found: Gathered, origin: Origin, messages: Iterator[Foreseen], now: datetime) -> None:
    """Keep the messages of ``origin`` that fall into the coming days."""
    place = _new(found, origin)
    for number, one in enumerate(messages):
        if number >= MOST:
            found.unplayed.append(origin.name)
            break
        if now <= one.at < now + AHEAD:
            found.messages.append(
                Expected(
                    one.contact_id, one.at, one.channel, one.purpose, one.transactional, place,
                    one.leaves, one.pressed, found.zone,
                )
            )  # fmt: skip


def _add_waiting(found: Gathered, now: datetime, lots: Sequence[int], names: dict[int, str]) -> None:
    """Messages that are on their way: held, or not looked at yet."""
    by_number = {origin.number: place for place, origin in enumerate(found.origins)}
    by_kind: dict[str, int] = {}
    for contact_id, due_at, channel, purpose, transactional, kind, number, slug in _waiting(now, lots):
        if number is not None and kind in (JOURNEY, CAMPAIGN):
            if number not in by_number:
                by_number[number] = _new(found, Origin(kind, names.get(number, slug), number, slug))
            place = by_number[number]
        else:
            if kind not in by_kind:
                by_kind[kind] = _new(found, Origin(OTHER, kind, None, kind))
            place = by_kind[kind]
        at = max(due_at, now)
        found.messages.append(
            Expected(contact_id, at, channel, purpose, transactional, place, zone=found.zone)
        )


def _new(found: Gathered, origin: Origin) -> int:
    found.origins.append(origin)
    return len(found.origins) - 1


def _waiting(
    now: datetime, lots: Sequence[int]
) -> list[tuple[int, datetime, str, str, bool, str, int | None, str]]:
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_WAITING, [list(lots), now + AHEAD, now - timedelta(days=90), MOST])
        return cursor.fetchall()


# Nothing waits for longer than its deadline; so partitions of long ago need not be looked at.
_WAITING = """
SELECT m.contact_id, m.due_at, coalesce(nullif(m.channel, ''), m.wanted ->> 0, ''), m.purpose,
       m.transactional, m.origin_kind, m.origin_id, m.origin_slug
FROM channels_message m
WHERE m.slot = ANY(%b::int2[]) AND m.state IN (1, 2, 3) AND m.due_at < %b::timestamptz
  AND m.created_at > %b::timestamptz AND m.origin_kind <> 'test'
LIMIT %b::int8
"""
