"""The rows that engagement reads and writes, a set at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import psycopg
from django.db import connection
from psycopg.types.json import Jsonb

from channels.actors import Fetch
from channels.lifecycle import Ref
from channels.models import TrackedLink

#: Hits of our own pixels and links; a page that shows the message itself says so in the hit.
FETCHES = ("open", "click", "trap")
_AHEAD = 5_000
"Hits behind a batch among which the company of its own is looked for."

#: The columns that keep the first time of something.
FIRSTS = ("opened_at", "clicked_at", "delivered_at", "bounced_at")


@dataclass(frozen=True, slots=True)
class Hit:
    id: int
    received_at: datetime
    kind: str
    message_id: int | None
    message_created_at: datetime | None
    link_id: int | None
    provider_id: int | None
    receipt_key: str
    data: dict[str, Any]


@dataclass(slots=True)
class EngagedMessage:
    id: int
    created_at: datetime
    slot: int
    contact_id: int
    channel: str
    address: str
    purpose: str
    state: int
    accepted_at: datetime | None
    provider_id: int | None
    provider_message_id: str
    origin_kind: str
    origin_id: int | None
    origin_slug: str
    origin_step: str
    content: dict[str, str]
    times: dict[str, datetime] = field(default_factory=dict)

    @property
    def ref(self) -> Ref:
        return Ref(self.id, self.created_at, self.slot)

    def saw(self, column: str, at: datetime) -> None:
        self.times[column] = min(at, self.times.get(column, at))


@dataclass(frozen=True, slots=True)
class Returned:
    """One thing that came back. ``unnamed``: it may be counted, and kept on nobody."""

    hit: Hit
    message: EngagedMessage
    kind: str
    actor: str
    unnamed: bool = False


def take(limit: int, given_up: datetime, settled: datetime) -> list[Hit]:
    """The oldest hits whose message is known, and those received before ``given_up`` in any case.

    Fetches that came after ``settled`` are left for later. What still waits for its message is passed over,
    so that a provider's reports about other people's mails hold up nobody.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [given_up, settled, list(FETCHES), limit])
        return [Hit(*(*row[:-1], msgspec.json.decode(row[-1]))) for row in cursor.fetchall()]


def company(hits: Sequence[Hit], span: timedelta) -> list[Fetch]:
    """The fetches among ``hits``, with those of the same messages that came around them, kept or waiting."""
    own = [hit for hit in hits if hit.kind in FETCHES and hit.message_id and "in_app" not in hit.data]
    if not own:
        return []
    found = [
        Fetch(
            hit.id, hit.message_id or 0, hit.kind, hit.link_id, hit.received_at,
            str(hit.data.get("network", "")), str(hit.data.get("agent", "")),
        )
        for hit in own
    ]  # fmt: skip
    messages = sorted({fetch.message for fetch in found})
    first, last = min(fetch.at for fetch in found), max(fetch.at for fetch in found)
    with psycopg.Cursor(connection.connection) as cursor:
        behind = max(hit.id for hit in hits)
        cursor.execute(
            _COMPANY, [behind, behind + _AHEAD, messages, list(FETCHES), messages, first - span, last + span]
        )
        return [*found, *(Fetch(-place, *row) for place, row in enumerate(cursor.fetchall(), 1))]


def messages(hits: Sequence[Hit]) -> dict[object, EngagedMessage]:
    """The hits' messages, by (id, created at) and by (account, the provider's id of them).

    Providers count for themselves: the same number may name other messages of another account.
    """
    refs = sorted({(hit.message_id, hit.message_created_at) for hit in hits if hit.message_id}, key=str)
    named = sorted({str(name) for hit in hits if (name := hit.data.get("provider_message_id"))})
    if not refs and not named:
        return {}
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_MESSAGES, [[ref[0] for ref in refs], [ref[1] for ref in refs], named])
        found: dict[object, EngagedMessage] = {}
        for row in cursor.fetchall():
            message = EngagedMessage(*(*row[:-1], msgspec.json.decode(row[-1])))
            found[message.id, message.created_at] = message
            if message.provider_message_id:
                found.setdefault((message.provider_id, message.provider_message_id), message)
        return found


def write_receipts(receipts: Sequence[Returned]) -> None:
    if not receipts:
        return
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY channels_receipt (received_at, contact_id, message_id, message_created_at, provider_id,"
            " link_id, slot, kind, actor, detail) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(
            ("timestamptz", "int8", "int8", "timestamptz", "int4", "int4", "int2", "text", "text", "jsonb")
        )
        for receipt in receipts:
            hit, message = receipt.hit, receipt.message
            copy.write_row(
                (
                    hit.received_at, message.contact_id, message.id, message.created_at, hit.provider_id,
                    hit.link_id, message.slot, receipt.kind, receipt.actor, Jsonb(hit.data),
                )
            )  # fmt: skip


def update_times(messages: Sequence[EngagedMessage]) -> None:
    """Write the first times that the messages saw; an earlier one that stands is kept."""
    if not messages:
        return
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            _UPDATE,
            [
                [message.id for message in messages],
                [message.created_at for message in messages],
                [message.slot for message in messages],
                *([message.times.get(column) for message in messages] for column in FIRSTS),
            ],
        )


def urls(link_ids: Collection[int]) -> dict[int, str]:
    """Where tracked links lead."""
    if not link_ids:
        return {}
    return dict(TrackedLink.objects.filter(id__in=link_ids).values_list("id", "url"))


def forget(hit_ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM channels_hit WHERE id = ANY(%s)", [list(hit_ids)])


_TAKE = """
SELECT h.id, h.received_at, h.kind, h.message_id, h.message_created_at, h.link_id, h.provider_id,
       h.receipt_key, h.data
FROM channels_hit h
WHERE (h.received_at <= %s
   OR EXISTS (SELECT 1 FROM channels_message m
              WHERE m.id = h.message_id AND m.created_at = h.message_created_at AND m.contact_id > 0)
   OR EXISTS (SELECT 1 FROM channels_message m
              WHERE m.provider_message_id = h.data->>'provider_message_id' AND m.provider_message_id <> ''
                AND (m.provider_id = h.provider_id OR m.provider_id IS NULL)))
  AND (h.received_at <= %s OR h.kind <> ALL(%s) OR h.data ? 'in_app')
ORDER BY h.id
LIMIT %s
FOR UPDATE OF h SKIP LOCKED
"""

_COMPANY = """
SELECT message_id, kind, link_id, received_at, coalesce(data->>'network', ''), coalesce(data->>'agent', '')
FROM channels_hit WHERE id > %b AND id <= %b::int8 AND message_id = ANY(%b::int8[]) AND kind = ANY(%b::text[])
UNION ALL
SELECT message_id,
       CASE WHEN detail->>'why' = 'hidden_link' AND link_id IS NULL AND kind = 'clicked' THEN 'trap'
            WHEN kind = 'clicked' THEN 'click' ELSE 'open' END,
       link_id, received_at, coalesce(detail->>'network', ''), coalesce(detail->>'agent', '')
FROM channels_receipt
WHERE message_id = ANY(%b::int8[]) AND received_at >= %b AND received_at <= %b
  AND kind IN ('opened', 'clicked') AND NOT detail ? 'in_app'
"""

_MESSAGES = """
SELECT m.id, m.created_at, m.slot, m.contact_id, m.channel, m.address, m.purpose, m.state, m.accepted_at,
       m.provider_id, m.provider_message_id, m.origin_kind, m.origin_id, m.origin_slug, m.origin_step,
       m.content
FROM (
    SELECT m.* FROM unnest(%b::int8[], %b::timestamptz[]) AS u(id, created_at)
    JOIN channels_message m ON m.id = u.id AND m.created_at = u.created_at
    UNION ALL
    SELECT m.* FROM channels_message m
    WHERE m.provider_message_id = ANY(%b::text[]) AND m.provider_message_id <> ''
) AS m
-- What comes back about a message of somebody who was erased concerns nobody.
WHERE m.contact_id > 0
"""

_UPDATE = """
UPDATE channels_message m SET
    opened_at = least(m.opened_at, u.opened_at),
    clicked_at = least(m.clicked_at, u.clicked_at),
    delivered_at = least(m.delivered_at, u.delivered_at),
    bounced_at = least(m.bounced_at, u.bounced_at)
FROM unnest(%b::int8[], %b::timestamptz[], %b::int2[], %b::timestamptz[], %b::timestamptz[],
            %b::timestamptz[], %b::timestamptz[])
    AS u(id, created_at, slot, opened_at, clicked_at, delivered_at, bounced_at)
WHERE m.id = u.id AND m.created_at = u.created_at AND m.slot = u.slot
"""
