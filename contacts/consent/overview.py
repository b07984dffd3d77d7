"""Consents at a glance: by channel and purpose, week by week, and those about to end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contacts import statements
from contacts.consent.ledger import CHANNELS
from contacts.models import Purpose

WEEKS = 12


@dataclass(frozen=True, slots=True)
class Cell:
    """How many people of one channel and purpose gave which answer."""

    channel: str
    purpose: str
    allowed: int
    refused: int
    expired: int
    pending: int
    unknown: int

    @property
    def total(self) -> int:
        return self.allowed + self.refused + self.expired + self.pending + self.unknown


@dataclass(frozen=True, slots=True)
class Week:
    """Lines of the ledger in one week that begins on ``first``."""

    first: date
    given: int
    withdrawn: int


def cells(now: datetime) -> list[Cell]:
    """For each purpose and channel; who only spoke about everything counts with that answer."""
    people = statements.rows("SELECT count(*) FROM contacts_contact WHERE known", [])[0][0]
    counted = {(row[0], row[1]): [int(one) for one in row[2:]] for row in statements.rows(_CELLS, [now])}
    found = []
    for purpose in Purpose.objects.filter(transactional=False).values_list("slug", flat=True):
        for channel in CHANNELS:
            allowed, refused, expired, pending = said = counted.get((channel, purpose), [0, 0, 0, 0])
            unknown = max(0, people - sum(said))
            found.append(Cell(channel, purpose, allowed, refused, expired, pending, unknown))
    return found


def weeks(now: datetime) -> list[Week]:
    """The last weeks, the oldest first; a week without a line is there too."""
    monday = now.date() - timedelta(days=now.weekday())
    first = monday - timedelta(weeks=WEEKS - 1)
    counted = {row[0]: row[1:] for row in statements.rows(_WEEKS, [first])}
    days = [first + timedelta(weeks=number) for number in range(WEEKS)]
    return [Week(day, *counted.get(day, (0, 0))) for day in days]


_CELLS = """
WITH answers AS (
    SELECT s.channel, s.purpose, s.allowed, s.why, s.expires_at FROM contacts_consentstate s
    WHERE s.purpose <> '*'
    UNION ALL
    SELECT s.channel, p.slug, s.allowed, s.why, s.expires_at
    FROM contacts_consentstate s CROSS JOIN contacts_purpose p
    WHERE s.purpose = '*' AND p.slug <> 'tracking' AND NOT EXISTS (
        SELECT FROM contacts_consentstate own
        WHERE own.contact_id = s.contact_id AND own.channel = s.channel AND own.purpose = p.slug
    )
), told AS (
    SELECT channel, purpose, why, allowed, allowed AND expires_at IS NOT NULL AND expires_at <= %b AS over
    FROM answers
)
SELECT channel, purpose, count(*) FILTER (WHERE allowed AND NOT over),
       count(*) FILTER (WHERE NOT allowed AND why = ''),
       count(*) FILTER (WHERE over OR why = 'expired'), count(*) FILTER (WHERE why = 'pending')
FROM told GROUP BY channel, purpose
"""

_WEEKS = """
SELECT date_trunc('week', recorded_at AT TIME ZONE 'UTC')::date, count(*) FILTER (WHERE action = 'in'),
       count(*) FILTER (WHERE action = 'out')
FROM contacts_consententry WHERE recorded_at >= %b::date GROUP BY 1
"""
