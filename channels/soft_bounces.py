"""Mailboxes that have been full for weeks: soft bounces end an address when there are many and nothing else.

A hard bounce and a complaint end it at once (see engagement). A block (the receiver refuses us, not the
mailbox) never does.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import psycopg
from django.db import connection

from contacts import consent
from contacts.models import Suppression

#: So many messages in a row that bounced softly within the window end an address.
MOST = 5
WINDOW = timedelta(days=30)


def heed(contact_ids: Collection[int], now: datetime) -> set[tuple[str, str]]:
    """Suppress the addresses of these contacts that have bounced softly too often; returns them."""
    if not contact_ids:
        return set()
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_WORN_OUT, [sorted(contact_ids), now - WINDOW, MOST])
        worn_out = [(str(channel), str(address)) for channel, address in cursor.fetchall()]
    note = f"{MOST} soft bounces in {WINDOW.days} days"
    return consent.suppress(worn_out, Suppression.Reason.HARD_BOUNCE, now, note=note)


# Only what came after the address was last known to work counts. Policy codes (x.7.x) are blocks.
_WORN_OUT = """
WITH told AS (
    SELECT m.channel, m.address, r.message_id, r.received_at,
           r.kind = 'bounced' AS bounced,
           coalesce(r.detail->>'soft', '') = 'true' AND coalesce(r.detail->>'block', '') <> 'true'
               AND coalesce(r.detail->>'code', '') !~ '^[45][.]7[.]' AS soft
    FROM channels_receipt r
    JOIN channels_message m ON m.id = r.message_id AND m.created_at = r.message_created_at
    WHERE r.contact_id = ANY(%b::int8[]) AND r.received_at > %b AND m.address <> ''
      AND (r.kind IN ('bounced', 'delivered') OR r.kind IN ('opened', 'clicked') AND r.actor = 'human')
), worked AS (
    SELECT channel, address, max(received_at) AS at FROM told WHERE NOT bounced GROUP BY channel, address
)
SELECT channel, address FROM told LEFT JOIN worked USING (channel, address)
WHERE bounced AND soft AND received_at > coalesce(worked.at, '-infinity')
GROUP BY channel, address HAVING count(DISTINCT message_id) >= %b
"""
