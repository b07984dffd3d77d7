"""Reading that may not be kept on anybody: it is counted without names, and what was kept before goes.

Of people who have not agreed only the day of their last open stays, for the hygiene of lists; no template,
rule or report reads more. Withdrawing reaches back: receipts of opens and clicks become totals, the times
leave the messages and the events leave the log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import psycopg
from django.db import connection, transaction

from channels.engagement_rows import Returned
from contacts import event_log
from contacts.crashpoints import crashpoint
from contacts.event_log import NewEvent

#: Events younger than this may not have been counted yet by those who read the log.
_COUNTED_BY = timedelta(minutes=10)


class _Total(NamedTuple):
    day: date
    channel: str
    origin_kind: str
    origin_slug: str
    origin_step: str
    template: str
    kind: str
    actor: str


def count(receipts: Sequence[Returned]) -> None:
    """Add opens and clicks to the totals, and remember the day of each person's last human open."""
    if not receipts:
        return
    totals = Counter(
        _Total(
            one.hit.received_at.date(), one.message.channel, one.message.origin_kind, one.message.origin_slug,
            one.message.origin_step, one.message.content.get(one.message.channel, ""), one.kind, one.actor,
        )
        for one in receipts
    )  # fmt: skip
    opened: dict[int, tuple[int, date]] = {}
    for one in receipts:
        if one.kind == "opened" and one.actor == "human":
            before = opened.get(one.message.contact_id, (0, date.min))[1]
            opened[one.message.contact_id] = one.message.slot, max(before, one.hit.received_at.date())
    with psycopg.Cursor(connection.connection) as cursor:
        columns = [list(column) for column in zip(*sorted(totals), strict=True)]
        cursor.execute(_ADD, [*columns, [totals[key] for key in sorted(totals)]])
        if opened:
            ids = sorted(opened)
            cursor.execute(_OPENED, [ids, [opened[one][0] for one in ids], [opened[one][1] for one in ids]])


def follow(now: datetime, limit: int = 200) -> int:
    """Take what was measured off the names of up to ``limit`` people who withdrew; returns how many.

    Totals keep it. What may not have been counted yet waits some minutes and is taken off then.
    """
    with transaction.atomic(), psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_WITHDRAWN, [now - _COUNTED_BY, limit])
        found = cursor.fetchall()
        if not found:
            return 0
        ids, channels = [row[0] for row in found], [row[1] for row in found]
        cursor.execute(_REMEMBER, [ids, channels])
        cursor.execute(_TAKE_OFF, [ids, channels])
        cursor.execute(_FORGET_TIMES, [ids, channels])
        cursor.execute(_FORGET_SEEN, [ids, channels])
        crashpoint("unmeasuring.taken")
        cursor.execute(_FORGET_EVENTS, [ids, channels])
        cursor.execute(_SETTLE, [ids, channels])
        # Whoever keeps segments looks at these people anew.
        event_log.append([NewEvent(one, "Identified", now, now) for one in sorted(set(ids))])
    return len(found)


_COLUMNS = "day, channel, origin_kind, origin_slug, origin_step, template, kind, actor"
_ONCE = f"({_COLUMNS}, named)"

_ADD = f"""
INSERT INTO channels_engagementtotal ({_COLUMNS}, hits, named)
SELECT *, false FROM unnest(%b::date[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
                            %b::text[], %b::text[], %b::int4[])
ON CONFLICT {_ONCE} DO UPDATE SET hits = channels_engagementtotal.hits + excluded.hits
"""  # noqa: S608

_OPENED = """
INSERT INTO channels_lastopen (contact_id, slot, day)
SELECT * FROM unnest(%b::int8[], %b::int2[], %b::date[])
ON CONFLICT (contact_id) DO UPDATE SET day = greatest(channels_lastopen.day, excluded.day)
"""

# Whose withdrawal is some minutes old: by then every open of before has come through.
_WITHDRAWN = """
SELECT contact_id, channel FROM contacts_consentstate
WHERE NOT settled AND purpose = 'tracking' AND since <= %b ORDER BY contact_id LIMIT %b
FOR UPDATE SKIP LOCKED
"""

_PEOPLE = "unnest(%b::int8[], %b::text[]) AS u(contact_id, channel)"
_READ = "r.kind IN ('opened', 'clicked', 'dismissed')"
_THEIR = f"""
FROM {_PEOPLE} JOIN channels_receipt r ON r.contact_id = u.contact_id AND {_READ}
JOIN channels_message m
  ON m.id = r.message_id AND m.created_at = r.message_created_at AND m.channel = u.channel
"""

_REMEMBER = f"""
INSERT INTO channels_lastopen (contact_id, slot, day)
SELECT r.contact_id, min(r.slot), max((r.received_at AT TIME ZONE 'UTC')::date) {_THEIR}
WHERE r.kind = 'opened' AND r.actor = 'human' GROUP BY r.contact_id
ON CONFLICT (contact_id) DO UPDATE SET day = greatest(channels_lastopen.day, excluded.day)
"""

_TAKE_OFF = f"""
WITH gone AS (
    DELETE FROM channels_receipt d USING (
        SELECT r.id, r.received_at, m.channel, m.origin_kind, m.origin_slug, m.origin_step,
               coalesce(m.content->>m.channel, '') AS template {_THEIR}
    ) AS r WHERE d.id = r.id AND d.received_at = r.received_at
    RETURNING (d.received_at AT TIME ZONE 'UTC')::date AS day, r.channel, r.origin_kind, r.origin_slug,
              r.origin_step, r.template, d.kind, d.actor
)
INSERT INTO channels_engagementtotal ({_COLUMNS}, hits, named)
SELECT {_COLUMNS}, count(*), true FROM gone GROUP BY {_COLUMNS}
ON CONFLICT {_ONCE} DO UPDATE SET hits = channels_engagementtotal.hits + excluded.hits
"""  # noqa: S608

_FORGET_TIMES = f"""
UPDATE channels_message m SET opened_at = NULL, clicked_at = NULL FROM {_PEOPLE}
WHERE m.contact_id = u.contact_id AND m.channel = u.channel
  AND (m.opened_at IS NOT NULL OR m.clicked_at IS NOT NULL)
"""  # noqa: S608

_FORGET_SEEN = f"""
UPDATE channels_inappmessage i SET seen_at = NULL FROM {_PEOPLE}
WHERE i.contact_id = u.contact_id AND u.channel = 'inapp' AND i.seen_at IS NOT NULL
"""  # noqa: S608

_FORGET_EVENTS = f"""
DELETE FROM contacts_event e USING {_PEOPLE}
WHERE e.contact_id = u.contact_id AND e.name IN ('Message Opened', 'Message Clicked', 'Message Dismissed')
  AND e.properties->>'channel' = u.channel
"""  # noqa: S608

_SETTLE = f"""
UPDATE contacts_consentstate s SET settled = true FROM {_PEOPLE}
WHERE s.contact_id = u.contact_id AND s.channel = u.channel AND s.purpose = 'tracking'
"""  # noqa: S608
