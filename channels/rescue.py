"""Messages whose worker has not been heard of: none is lost, and none is sent twice in silence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import psycopg
from django.db import connection, transaction

from channels import lifecycle
from channels.lifecycle import Ref, State
from channels.models import ProviderAccount
from channels.providers import PROVIDERS
from contacts.crashpoints import crashpoint

#: A service message that may have been lost is sent again after this long, with the same Message-ID.
RESEND_AFTER = timedelta(minutes=10)
_LIMIT = 1_000


def rescue(now: datetime) -> int:
    """Look after messages whose lease has ended; returns how many moved.

    Claimed ones were not begun: they are queued again. Of transmitting ones nobody knows: where the
    provider takes a key only once they are queued again, else they become uncertain. Uncertain service
    messages are sent again after a while, marked as such; marketing ones wait for a receipt or a person.
    Queued ones whose channel nobody carries any more are decided anew.
    """
    keyed = _accounts_that_honour_keys()
    with transaction.atomic():
        claimed = _expired(State.CLAIMED, now)
        moved = lifecycle.move(
            [ref for ref, _provider in claimed],
            State.CLAIMED,
            State.QUEUED,
            every={"due_at": now, "lease_until": None, "reason": "rescued"},
        )
        lost = _expired(State.TRANSMITTING, now)
        again = [ref for ref, channel in lost if channel in keyed]
        unclear = [ref for ref, channel in lost if channel not in keyed]
        moved |= lifecycle.move(
            again,
            State.TRANSMITTING,
            State.QUEUED,
            every={"due_at": now, "lease_until": None, "reason": "rescued"},
        )
        unknown = lifecycle.move(
            unclear,
            State.TRANSMITTING,
            State.UNCERTAIN,
            every={"lease_until": None, "reason": "worker_lost"},
        )
        _note_lost(unknown, now)
        moved |= unknown
        moved |= lifecycle.move(
            _stranded(),
            State.QUEUED,
            State.HELD,
            every={"due_at": now, "reason": "no_provider"},
        )
        moved |= lifecycle.move(
            _uncertain_service(now),
            State.UNCERTAIN,
            State.QUEUED,
            every={"due_at": now, "reason": "resent"},
        )
    crashpoint("rescue.done")
    return len(moved)


def _accounts_that_honour_keys() -> frozenset[str]:
    """Channels of which every active account takes the same key only once."""
    by_channel: dict[str, list[bool]] = {}
    for channel, kind in ProviderAccount.objects.filter(active=True).values_list("channel", "kind"):
        by_channel.setdefault(channel, []).append(kind in PROVIDERS and PROVIDERS[kind].honours_key)
    return frozenset(channel for channel, keyed in by_channel.items() if all(keyed))


def _expired(state: State, now: datetime) -> Sequence[tuple[Ref, str]]:
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT id, created_at, slot, channel FROM channels_message"
            " WHERE state = %b::int2 AND state IN (4, 5) AND lease_until < %b ORDER BY lease_until LIMIT %b",
            [int(state), now, _LIMIT],
        )
        return [(Ref(*row[:3]), row[3]) for row in cursor.fetchall()]


def _stranded() -> list[Ref]:
    """Queued messages of channels without an active account: they would take a place under caps for ever."""
    carried = set(ProviderAccount.objects.filter(active=True).values_list("channel", flat=True))
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT id, created_at, slot FROM channels_message"
            " WHERE state = 3 AND channel <> ALL(%b::text[]) ORDER BY id LIMIT %b",
            [sorted(carried), _LIMIT],
        )
        return [Ref(*row) for row in cursor.fetchall()]


def _uncertain_service(now: datetime) -> list[Ref]:
    """Uncertain transactional messages whose last attempt is long enough ago, each sent again once."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT m.id, m.created_at, m.slot FROM channels_message m"
            " JOIN channels_attempt a ON a.message_id = m.id AND a.outcome = 'uncertain'"
            " WHERE m.state = 11 AND m.transactional AND (m.deadline_at IS NULL OR m.deadline_at > %b)"
            " GROUP BY m.id, m.created_at, m.slot HAVING count(*) = 1 AND max(a.finished_at) <= %b"
            " ORDER BY m.id LIMIT %b",
            [now, now - RESEND_AFTER, _LIMIT],
        )
        return [Ref(*row) for row in cursor.fetchall()]


def _note_lost(message_ids: set[int], now: datetime) -> None:
    """The attempt that the lost worker could not write down itself."""
    if not message_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO channels_attempt (started_at, message_id, message_created_at, finished_at,"
            " provider_id, slot, number, outcome, code)"
            " SELECT %s, id, created_at, %s, coalesce(provider_id, 0), slot, attempts, 'uncertain',"
            " 'worker_lost'"
            " FROM channels_message WHERE id = ANY(%s)",
            [now, now, sorted(message_ids)],
        )
