"""What some people received, answered and did: all that learning needs, three statements a batch."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contacts import statements
from contacts.permission import OBJECTION


@dataclass(slots=True)
class Person:
    """One contact. ``zone`` is None where their hours are not known."""

    id: int
    group: str
    zone: ZoneInfo | None
    since: datetime
    #: (sent, answered) by channel.
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    messages: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    visits: list[datetime] = field(default_factory=list)


def after(contact_id: int, limit: int, since: datetime, now: datetime) -> tuple[list[Person], int | None]:
    """The next people by id who may be learned about, with what happened after ``since``.

    Also the id to go on after; None when everybody was seen. Of those who object nothing is read.
    """
    rows = statements.rows(_PEOPLE, [OBJECTION, contact_id, limit])
    people = {
        row[0]: Person(row[0], (row[1] or "")[:2].upper(), _zone(row[2]), max(row[3], since))
        for row in rows
        if not row[4]
    }
    ids = list(people)
    counts: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for own, channel, accepted_at, clicked_at, opened_at in statements.rows(_MESSAGES, [ids, since, now]):
        person = people[own]
        counted = counts[own][channel]
        counted[0] += 1
        counted[1] += clicked_at is not None
        person.messages.append((accepted_at, min(filter(None, (clicked_at, opened_at)), default=None)))
    for own, by_channel in counts.items():
        people[own].counts = {channel: (sent, done) for channel, (sent, done) in by_channel.items()}
    for own, hour in statements.rows(_VISITS, [ids, since, now, list(_VISIT_NAMES)]):
        people[own].visits.append(hour)
    return list(people.values()), rows[-1][0] if len(rows) == limit else None


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


_PEOPLE = """
SELECT id, country, coalesce(nullif(timezone, ''), inferred->>'timezone', ''), first_seen_at,
       attributes ? %b::text
FROM contacts_contact WHERE id > %b ORDER BY id LIMIT %b
"""
# Only first opens and clicks of people who agreed to it are kept on a message, never those of machines.
_MESSAGES = """
SELECT contact_id, channel, accepted_at, clicked_at, opened_at FROM channels_message
WHERE contact_id = ANY(%b::int8[]) AND accepted_at > %b AND accepted_at <= %b AND channel <> ''
"""
_VISIT_NAMES = ("Product Viewed", "Product Added", "Order Completed")
# One an hour: who looks at ten pages came once.
_VISITS = """
SELECT contact_id, date_trunc('hour', occurred_at) FROM contacts_event
WHERE contact_id = ANY(%b::int8[]) AND occurred_at > %b AND occurred_at <= %b
  AND (kind IN (3, 4) OR (kind = 1 AND name = ANY(%b::text[])))
GROUP BY 1, 2
"""
