"""What choosing a channel or an hour is worth: people for whom it is chosen against those left as they are.

Who belongs to which group was drawn by lot (see ``channels.smart``), so the difference is what the choice
does. Messages of one person go together: rates have the error of a ratio over people, not over messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from math import sqrt
from typing import NamedTuple

import psycopg
from django.db import OperationalError, connection, transaction

from analytics.reports import Period
from channels import choosing, send_time, smart

CHANNEL, HOUR = "channel", "hour"
_RULES = {CHANNEL: choosing.RULE, HOUR: send_time.RULE}
BEST, CONTROL, EXPLORE = ARMS = (smart.BEST, smart.CONTROL, smart.EXPLORE)
OUTCOMES = ("opened", "clicked", "converted")
#: With fewer people in a group a difference says nothing.
FEWEST = 30
#: 95 of 100 such intervals hold the true difference.
_Z = 1.96
_LIMIT_MS = 10_000


class TooLongError(Exception):
    """Counting took longer than a page may wait."""


class Rate(NamedTuple):
    """Messages with an outcome, the share of all of the group, and the variance of that share."""

    number: int
    share: float
    variance: float


class Difference(NamedTuple):
    """By how much a rate differs, from ``low`` to ``high`` with 95 % confidence."""

    value: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Group:
    """Messages of one way of choosing that were accepted, by what people then did."""

    arm: str
    people: int
    messages: int
    rates: dict[str, Rate]


@dataclass(frozen=True, slots=True)
class Report:
    """The groups by arm, those that have messages. Opens and clicks are of people, never of machines."""

    what: str
    period: Period
    groups: dict[str, Group]

    def against(self, arm: str) -> dict[str, Difference]:
        """What is chosen against what came about by ``arm``, by outcome; empty where there are too few."""
        best, other = self.groups.get(BEST), self.groups.get(arm)
        if best is None or other is None or min(best.people, other.people) < FEWEST:
            return {}
        return {name: _difference(best.rates[name], other.rates[name]) for name in OUTCOMES}


def report(what: str, period: Period) -> Report:
    """Count the choices of ``what`` in these UTC days. One statement. Raises TooLongError."""
    begins = datetime.combine(period.first, time(), UTC)
    ends = datetime.combine(period.last + timedelta(days=1), time(), UTC)
    values = {"rule": _RULES[what], "begins": begins, "ends": ends, "arms": list(ARMS)}
    try:
        with transaction.atomic():
            connection.ensure_connection()
            with psycopg.Cursor(connection.connection) as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {_LIMIT_MS}")
                cursor.execute(_GROUPS, values)
                rows = cursor.fetchall()
                # Inside a caller's own transaction the limit would outlive the count.
                cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except (OperationalError, psycopg.errors.QueryCanceled) as error:
        raise TooLongError from error
    # Sums come as decimals.
    groups = [_group(arm, *(int(one) for one in sums)) for arm, *sums in rows]
    by_arm = {one.arm: one for one in groups}
    return Report(what, period, {arm: by_arm[arm] for arm in ARMS if arm in by_arm})


def _group(arm: str, people: int, messages: int, squares: int, *sums: int) -> Group:
    """``sums`` are three for each outcome: of messages, of their squares by person, and with all messages."""
    rates = {}
    for place, name in enumerate(OUTCOMES):
        number, number_squares, products = sums[3 * place : 3 * place + 3]
        share = number / messages
        spread = number_squares - 2 * share * products + share**2 * squares
        known = people / (people - 1) if people > 1 else 1.0
        rates[name] = Rate(number, share, max(spread, 0.0) * known / messages**2)
    return Group(arm, people, messages, rates)


def _difference(one: Rate, other: Rate) -> Difference:
    value, error = one.share - other.share, _Z * sqrt(one.variance + other.variance)
    return Difference(value, value - error, value + error)


# The first decision about a message says how its choice came about; a message has the same lot whenever it is
# asked about. The first condition on the trace is that of the index.
_GROUPS = """
WITH chosen AS (
    SELECT DISTINCT ON (d.message_id) d.message_id, d.message_created_at, d.contact_id, line->2->>'arm' AS arm
    FROM channels_decision d CROSS JOIN LATERAL jsonb_array_elements(d.trace) AS line
    WHERE d.decided_at >= %(begins)b::timestamptz AND d.decided_at < %(ends)b::timestamptz
      AND d.contact_id > 0 AND (d.trace @> '[["smart_channel"]]' OR d.trace @> '[["best_hour"]]')
      AND line->>0 = %(rule)b AND line->2->>'arm' = ANY(%(arms)b::text[])
    ORDER BY d.message_id, d.id
), people AS (
    SELECT c.arm, c.contact_id, count(*) AS n, count(m.opened_at) AS opened, count(m.clicked_at) AS clicked,
           count(r.id) AS converted
    FROM chosen c
    JOIN channels_message m ON m.id = c.message_id AND m.created_at = c.message_created_at AND m.state = 6
    LEFT JOIN journeys_run r ON r.id = m.origin_run AND r.state = 3 AND r.ended_at > m.accepted_at
    GROUP BY 1, 2
)
SELECT arm, count(*), sum(n), sum(n * n), sum(opened), sum(opened * opened), sum(opened * n),
       sum(clicked), sum(clicked * clicked), sum(clicked * n),
       sum(converted), sum(converted * converted), sum(converted * n)
FROM people GROUP BY arm
"""
