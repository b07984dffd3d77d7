"""Hands the people of a frozen audience on to the engine when it is their turn, at the campaign's pace.

One statement marks them and starts their runs, so that each is handed on once, whoever is killed where.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg
from django.db import connection

from channels import withholding
from channels.withholding import Wisher
from contacts import slots
from journeys.models import Campaign, CampaignOccurrence, CampaignRecipient, Journey

BATCH = 5000
#: While so many of its messages wait for a worker, nobody more is handed on: whatever else is urgent does not
#: wait behind them, and a pause has little to keep back.
ON_THEIR_WAY = 20_000
#: What was not handed on because no worker came is made up for over so long, and no more.
CATCH_UP = timedelta(seconds=10)


def wisher(campaign: Campaign, occurrence: CampaignOccurrence) -> Wisher:
    """Whose messages the occurrence's are."""
    return Wisher(Journey.Kind.CAMPAIGN, campaign.pk, occurrence.label)


def release(campaign: Campaign, occurrence: CampaignOccurrence, now: datetime, limit: int = BATCH) -> int:
    """Hand on whose turn it is; returns how many. Call with the campaign locked."""
    allowed = min(limit, allowance(campaign, occurrence, now))
    if allowed <= 0:
        return 0
    room = ON_THEIR_WAY - withholding.on_their_way(wisher(campaign, occurrence), ON_THEIR_WAY)
    allowed = min(allowed, room)
    if allowed <= 0 or occurrence.version_id is None:
        return 0
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            _RELEASE,
            {
                "occurrence": occurrence.pk,
                "now": now,
                "limit": allowed,
                "journey": campaign.pk,
                "version": occurrence.version_id,
                "step": occurrence.label,
            },
        )
        row = cursor.fetchone()
    count = int(row[0]) if row else 0
    _pace(campaign, occurrence, count, allowed, now)
    occurrence.released += count
    occurrence.save(update_fields=["released", "paced_at"])
    return count


def allowance(campaign: Campaign, occurrence: CampaignOccurrence, now: datetime) -> int:
    """How many the pace allows at ``now``."""
    if campaign.pace is None:
        return BATCH
    if occurrence.paced_at is None or occurrence.paced_at > now:
        # The first goes at once. A clock that was set back begins anew.
        occurrence.paced_at = now - campaign.pace
    earliest = now - max(CATCH_UP, campaign.pace)
    occurrence.paced_at = max(occurrence.paced_at, earliest)
    return int((now - occurrence.paced_at) / campaign.pace)


def _pace(
    campaign: Campaign, occurrence: CampaignOccurrence, count: int, allowed: int, now: datetime
) -> None:
    if campaign.pace is None or occurrence.paced_at is None:
        return
    occurrence.paced_at += campaign.pace * count
    if count < allowed:
        # Nobody was there to be handed on: the allowance is not saved up.
        occurrence.paced_at = max(occurrence.paced_at, now - campaign.pace)


def waiting(occurrence: CampaignOccurrence) -> bool:
    """Whether somebody's turn is still to come."""
    return CampaignRecipient.objects.filter(
        occurrence=occurrence, state=CampaignRecipient.State.WAITING
    ).exists()


def unwalked(campaign: Campaign, occurrence: CampaignOccurrence, now: datetime) -> bool:
    """Whether somebody was handed on and has not asked for their message yet. They are due since then."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM journeys_run WHERE slot = ANY(%s) AND state = 1 AND due_at <= %s"
            " AND journey_id = %s AND step = %s)",
            [list(range(slots.SLOTS)), now + timedelta(minutes=5), campaign.pk, occurrence.label],
        )
        row = cursor.fetchone()
    return bool(row and row[0])


_RELEASE = """
WITH picked AS (
    SELECT id FROM journeys_campaignrecipient
    WHERE occurrence_id = %(occurrence)b::int8 AND state = 1 AND due_at <= %(now)b::timestamptz
    ORDER BY due_at, id LIMIT %(limit)b::int8
), moved AS (
    UPDATE journeys_campaignrecipient r SET state = 2, released_at = %(now)b::timestamptz
    FROM picked p WHERE r.id = p.id AND r.state = 1
    RETURNING r.contact_id, r.slot
), began AS (
    INSERT INTO journeys_run (slot, contact_id, journey_id, version_id, key, state, step, visit, due_at,
                              since, watching, entered_at, outcome, entry)
    SELECT c.slot, c.id, %(journey)b::int8, %(version)b::int8, %(step)b, 1, %(step)b, 0,
           %(now)b::timestamptz, %(now)b::timestamptz, '[]', %(now)b::timestamptz, '', '{}'
    FROM moved m JOIN contacts_contact c ON c.id = m.contact_id AND c.slot = m.slot
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM moved
"""
