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
        counted = [event for event in events if event.name in kpis.BY_EVENT]
        _add(_cells(_without_repeats(counted, now), _credited_channels(counted)))
        event_log.advance(READER, events)
    return len(events)


def _without_repeats(events: Sequence[LogEvent], now: datetime) -> list[LogEvent]:
    """Without the second open or click of a message: those figures count messages, not fetches."""
    keys = {
        event.id: once.key("kpi", kpis.BY_EVENT[event.name].key, event.properties.get("message"))
        for event in events
        if kpis.BY_EVENT[event.name].once
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


def _cells(events: Sequence[LogEvent], credited: dict[int, str]) -> dict[Cell, tuple[int, Decimal]]:
    """Sum events by (day, KPI, channel, journey) into (count, amount)."""
    counts: dict[Cell, int] = defaultdict(int)
    amounts: dict[Cell, Decimal] = defaultdict(Decimal)
    for event in events:
        kpi = kpis.BY_EVENT[event.name]
        facts = event.properties
        channel = credited.get(event.id) or _text(facts.get("channel"))
        journey = facts.get("journey_id")
        cell = (
            event.occurred_at.astimezone(UTC).date(),
            kpi.key,
            channel,
            journey if isinstance(journey, int) else 0,
        )
        counts[cell] += 1
        if kpi.amount:
            amounts[cell] += money(facts.get(kpi.amount))
    return {cell: (count, amounts[cell]) for cell, count in counts.items()}


def _credited_channels(events: Iterable[LogEvent]) -> dict[int, str]:
    """Channel of the last message before each conversion, by event id; one statement for all."""
    converted = [event for event in events if event.name == kpis.BY_KEY["converted"].event]
    if not converted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT u.event_id, m.channel"
            " FROM unnest(%s::int8[], %s::int8[], %s::int4[], %s::timestamptz[])"
            "   AS u(event_id, contact_id, journey_id, at)"
            " CROSS JOIN LATERAL (SELECT channel FROM channels_message m"
            "   WHERE m.contact_id = u.contact_id AND m.origin_id = u.journey_id"
            "     AND m.accepted_at <= u.at AND m.accepted_at > u.at - make_interval(days => %s)"
            "   ORDER BY m.accepted_at DESC LIMIT 1) AS m",
            [
                [event.id for event in converted],
                [event.contact_id for event in converted],
                [event.properties.get("journey_id") for event in converted],
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


def _text(value: Any) -> str:
    return value[:16] if isinstance(value, str) else ""
