"""Fill the daily KPIs from the event log, a batch at a time, exactly once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import connection, transaction

from analytics import kpis
from contacts import event_log, once
from contacts.event_log import LogEvent
from journeys.models import Journey

READER = "rollup"
#: Lists of an order that no figure needs and that cost most of the reading.
_UNUSED = ("products",)
#: A conversion is credited to the last message of its journey within this many days.
CREDIT_DAYS = 5

Cell = tuple[date, str, str, int]


def follow(now: datetime, limit: int = 20_000) -> int:
    """Count the next events into daily KPIs; returns how many events were read.

    Cursor and figures move in one transaction, so a crash counts nothing twice.
    """
    with transaction.atomic():
        events = event_log.read_after(READER, limit, leave_out=_UNUSED)
        # Only what Segue itself wrote: a source may send events of the same names.
        counted = [
            event for event in events if event.kind == event_log.SYSTEM and event.name in kpis.BY_EVENT
        ]
        journeys = _journeys(counted)
        _add(_cells(_without_repeats(counted, now), journeys, _credited_channels(counted, journeys)))
        event_log.advance(READER, events)
    return len(events)


def _journeys(events: Iterable[LogEvent]) -> dict[int, int]:
    """Journey id by event id; events name their journey by id or by slug."""
    by_slug = {_slug(event) for event in events if _slug(event)}
    known = dict(Journey.objects.filter(slug__in=by_slug).values_list("slug", "pk")) if by_slug else {}
    found = {}
    for event in events:
        named = event.properties.get("journey_id")
        found[event.id] = named if isinstance(named, int) else known.get(_slug(event), 0)
    return found


def _without_repeats(events: Sequence[LogEvent], now: datetime) -> list[LogEvent]:
    """Without the second open or click of a message: those figures count messages, not fetches."""
    keys = {
        event.id: once.key("kpi", event.name, event.properties.get("message"))
        for event in events
        if any(kpi.once for kpi in kpis.BY_EVENT[event.name])
    }
    fresh = once.claim(keys.values(), now)
    kept = []
    for event in events:
        key = keys.get(event.id)
        if key is None or key in fresh:
            kept.append(event)
        if key is not None:
            fresh.discard(key)
    return kept


def _cells(
    events: Sequence[LogEvent], journeys: dict[int, int], credited: dict[int, str]
) -> dict[Cell, tuple[int, Decimal]]:
    """Sum events by (day, KPI, channel, journey) into (count, amount)."""
    counts: dict[Cell, int] = defaultdict(int)
    amounts: dict[Cell, Decimal] = defaultdict(Decimal)
    for event in events:
        day = event.occurred_at.astimezone(UTC).date()
        for kpi in kpis.BY_EVENT[event.name]:
            if kpi.credited and event.id not in credited:
                continue
            channel = credited[event.id] if kpi.credited else _text(event.properties.get("channel"))
            cell = (day, kpi.key, channel, journeys[event.id])
            counts[cell] += 1
            if kpi.amount:
                amounts[cell] += money(event.properties.get(kpi.amount))
    return {cell: (count, amounts[cell]) for cell, count in counts.items()}


def _credited_channels(events: Iterable[LogEvent], journeys: dict[int, int]) -> dict[int, str]:
    """Channel of the last message before each conversion, by event id; one statement for all."""
    converted = [event for event in events if any(kpi.credited for kpi in kpis.BY_EVENT[event.name])]
    if not converted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT u.event_id, m.channel"
            " FROM unnest(%s::int8[], %s::int8[], %s::int4[], %s::timestamptz[])"
            "   AS u(event_id, contact_id, journey_id, at)"
            " CROSS JOIN LATERAL (SELECT channel FROM channels_message m"
            "   WHERE m.contact_id = u.contact_id AND m.origin_id = u.journey_id"
            "     AND m.origin_kind IN ('journey', 'campaign') AND m.accepted_at <= u.at"
            "     AND m.accepted_at > u.at - make_interval(days => %s)"
            "   ORDER BY m.accepted_at DESC LIMIT 1) AS m",
            [
                [event.id for event in converted],
                [event.contact_id for event in converted],
                [journeys[event.id] for event in converted],
                [event.occurred_at for event in converted],
                CREDIT_DAYS,
            ],
        )
        return dict(cursor.fetchall())


def _add(cells: dict[Cell, tuple[int, Decimal]]) -> None:
    if not cells:
        return
    # In key order, so that two workers wait for each other instead of deadlocking.
    rows = [(*cell, *figures) for cell, figures in sorted(cells.items())]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO analytics_dailykpi AS k (day, kpi, channel, journey_id, count, amount)"
            " SELECT * FROM unnest(%s::date[], %s::text[], %s::text[], %s::int4[], %s::int8[], %s::numeric[])"
            " ON CONFLICT (day, kpi, channel, journey_id) DO UPDATE"
            " SET count = k.count + excluded.count, amount = k.amount + excluded.amount",
            list(map(list, zip(*rows, strict=True))),
        )


def money(value: Any) -> Decimal:
    """A property as an amount; what is no sensible number counts as nothing."""
    try:
        amount = Decimal(str(value)) if isinstance(value, int | float | str) else Decimal()
    except InvalidOperation:
        return Decimal()
    return amount.quantize(Decimal("0.01")) if amount.is_finite() and abs(amount) < 10**12 else Decimal()


def _slug(event: LogEvent) -> str:
    named = event.properties.get("journey")
    return named if isinstance(named, str) else ""


def _text(value: Any) -> str:
    return value[:16] if isinstance(value, str) else ""
