"""How long the oldest piece of due work has waited, for each pulse that works on a table of its own.

And whether that work moves: a process that is alive and takes nothing is of no use to anybody. So a pulse is
*moving* when nothing is overdue, or rows were taken lately.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

OVERDUE = timedelta(seconds=60)
LATELY = timedelta(seconds=60)


class Lag(NamedTuple):
    """``due`` since when the oldest work waits, None where none does; ``last`` when rows were taken last."""

    pulse: str
    due: datetime | None
    last: datetime | None

    def seconds(self, now: datetime) -> float:
        return max((now - self.due).total_seconds(), 0.0) if self.due else 0.0

    def moving(self, now: datetime) -> bool:
        if self.due is None or now - self.due <= OVERDUE:
            return True
        return self.last is not None and now - self.last <= LATELY


def read(now: datetime) -> list[Lag]:
    """One statement; a look-up by index for each slot."""
    with connection.cursor() as cursor:
        cursor.execute(_LAGS, {"now": now})
        return [Lag(*row) for row in cursor.fetchall()]


def oldest(lags: list[Lag], now: datetime) -> float:
    """Seconds for which the oldest due work of all waits."""
    return max((lag.seconds(now) for lag in lags), default=0.0)


_SLOTS = "generate_series(0, 63) AS s(slot) CROSS JOIN LATERAL"


def _first(table: str, where: str) -> str:
    return (
        f"(SELECT min(d.due_at) FROM {_SLOTS} (SELECT due_at FROM {table}"  # noqa: S608
        f" WHERE slot = s.slot AND {where} AND due_at <= %(now)s ORDER BY due_at LIMIT 1) AS d)"
    )


def _latest(table: str, column: str) -> str:
    return f"(SELECT {column} FROM {table} ORDER BY id DESC LIMIT 1)"  # noqa: S608


_LAGS = f"""
SELECT 'ingest', (SELECT received_at FROM contacts_inboxitem ORDER BY id LIMIT 1),
       {_latest("contacts_latestarrival", "received_at")}
UNION ALL SELECT 'engine', {_first("journeys_run", "state = 1")}, {_latest("journeys_stepentry", "at")}
UNION ALL SELECT 'decide', {_first("channels_message", "state IN (1, 2)")},
       {_latest("channels_decision", "decided_at")}
UNION ALL SELECT 'deliver', {_first("channels_message", "state = 3")},
       {_latest("channels_attempt", "started_at")}
UNION ALL SELECT 'engagement', (SELECT received_at FROM channels_hit ORDER BY id LIMIT 1),
       {_latest("channels_receipt", "received_at")}
UNION ALL SELECT 'calls',
       (SELECT min(due_at) FROM journeys_endpointcall WHERE state = 1 AND due_at <= %(now)s),
       (SELECT max(c.ended_at) FROM (SELECT ended_at FROM journeys_endpointcall
                                     ORDER BY id DESC LIMIT 100) AS c)
"""  # noqa: S608
