"""Taking messages that are due: under a lease, with a fence that a late worker cannot pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from django.conf import settings
from django.db import connection, transaction

from channels import deciding, flow, lifecycle
from channels.flow import Gates
from channels.lifecycle import Ref, State
from channels.models import ProviderAccount
from channels.providers import carries
from contacts import slots
from contacts.crashpoints import crashpoint

#: How long a worker has for a batch before others may take its messages for abandoned.
LEASE = timedelta(seconds=settings.SEGUE_LEASE)
_HANDFUL = 8


@dataclass(slots=True)
class Claimed:
    """A message that this worker may deliver until ``lease`` ends.

    ``content``, ``variables`` and ``conditions`` may be shared with others: they are only read.
    """

    id: int
    created_at: datetime
    slot: int
    fence: int
    contact_id: int
    key: UUID
    channel: str
    address: str
    purpose: str
    transactional: bool
    content: dict[str, str]
    variables: dict[str, Any]
    attempts: int
    deadline_at: datetime | None
    provider_id: int | None
    origin_kind: str
    origin_id: int | None
    origin_slug: str
    origin_step: str
    conditions: Any
    entered_at: datetime | None

    @property
    def ref(self) -> Ref:
        return Ref(self.id, self.created_at, self.slot)


def accounts() -> dict[str, list[ProviderAccount]]:
    """The active accounts of each channel, the one that carries it first."""
    found: dict[str, list[ProviderAccount]] = {}
    for account in ProviderAccount.objects.filter(active=True).order_by("position", "name"):
        found.setdefault(account.channel, []).append(account)
    return found


def gates(by_channel: dict[str, list[ProviderAccount]]) -> Gates:
    """What stands in the way of these accounts just now."""
    return flow.gates(account for several in by_channel.values() for account in several)


def account_for(message: Claimed, by_channel: dict[str, list[ProviderAccount]]) -> ProviderAccount | None:
    """The account that was decided on, else the first of the channel that takes such addresses."""
    every = by_channel.get(message.channel, [])
    candidates = [one for one in every if carries(one.kind, message.address)] or every
    return next((one for one in candidates if one.id == message.provider_id), next(iter(candidates), None))


def claim(
    now: datetime,
    limit: int,
    by_channel: dict[str, list[ProviderAccount]],
    *,
    share: bool = False,
    known: Gates | None = None,
) -> list[Claimed]:
    """Take up to ``limit`` due messages whose account is not paused, in one short transaction.

    With ``share`` only some of the slots are leased, so that other workers find work.

    What has come against a message since it was decided is asked in that same transaction: whoever
    unsubscribed, converted or bounced before it gets nothing. What its account or receiving domain has no
    room for just now stays queued and is looked at when there will be some.
    """
    known = known or gates(by_channel)
    active = [account.id for several in by_channel.values() for account in several]
    ready = [
        account.id
        for several in by_channel.values()
        for account in several
        if not account.paused and known.open(account.id, now)
    ]
    open_channels = [channel for channel, several in by_channel.items() if several[0].id in ready]
    if not ready:
        return []
    with transaction.atomic():
        found = _due(now, limit, active, ready, open_channels, share=share)
        refs = [message.ref for message in found]
        against = deciding.recheck(found, now)
        if against:
            deciding.turn_back(found, against, now)
            found = [message for message in found if message.id not in against]
        found, later = flow.admit(found, partial(account_for, by_channel=by_channel), known, now)
        held = [(ref, later[ref.id]) for ref in refs if ref.id in later]
        lifecycle.postpone([ref for ref, _until in held], [until for _ref, until in held])
        taken = lifecycle.move(
            [message.ref for message in found],
            State.QUEUED,
            State.CLAIMED,
            fences=[message.fence for message in found],
            columns={
                "fence": [message.fence + 1 for message in found],
                "attempts": [message.attempts + 1 for message in found],
            },
            every={"lease_until": now + LEASE},
        )
        crashpoint("deliver.claiming")
    crashpoint("deliver.claimed")
    for message in found:
        message.fence += 1
        message.attempts += 1
    return [message for message in found if message.id in taken]


def _due(
    now: datetime,
    limit: int,
    active: Sequence[int],
    ready: Sequence[int],
    open_channels: Sequence[str],
    *,
    share: bool,
) -> list[Claimed]:
    with connection.cursor() as cursor:
        cursor.execute(_BUSY, [now])
        busy = [row[0] for row in cursor.fetchall()]
        most = max(_HANDFUL, -(-len(busy) // 4)) if share else slots.SLOTS
        leased = slots.lease(cursor, "deliver", busy, most)
    if not leased:
        return []
    with psycopg.Cursor(connection.connection) as raw:
        raw.execute(
            _DUE,
            [
                leased,
                now,
                list(ready),
                list(active),
                list(open_channels),
                max(1, -(-limit // len(leased))),
                limit,
            ],
        )
        rows = raw.fetchall()
    # Django's connections leave JSON as text. What thousands of messages carry is read once.
    read: dict[str | None, Any] = {None: None}
    read |= {text: msgspec.json.decode(text) for row in rows for text in (row[10], row[11], row[19]) if text}
    return [
        Claimed(*(*row[:10], read[row[10]], read[row[11]], *row[12:19], read[row[19]], row[20]))
        for row in rows
    ]


_BUSY = """
SELECT s FROM generate_series(0, 63) AS s
WHERE EXISTS (SELECT 1 FROM channels_message WHERE slot = s::int2 AND state = 3 AND due_at <= %s)
"""

# A message whose account has been switched off since goes by the first account of its channel.
# Per slot an index range scan; the limit of a slot keeps one busy slot from starving the others.
_DUE = """
SELECT m.* FROM unnest(%b::int2[]) AS s(slot)
CROSS JOIN LATERAL (
    SELECT id, created_at, slot, fence, contact_id, key, channel, address, purpose, transactional, content,
           variables, attempts, deadline_at, provider_id, origin_kind, origin_id, origin_slug, origin_step,
           conditions, entered_at
    FROM channels_message
    WHERE slot = s.slot AND state = 3 AND due_at <= %b
      AND (provider_id = ANY(%b::int4[])
           OR (provider_id IS NULL OR provider_id <> ALL(%b::int4[])) AND channel = ANY(%b::text[]))
    ORDER BY due_at
    LIMIT %b
) AS m
LIMIT %b
"""
