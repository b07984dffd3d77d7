"""What comes in to channels: messages that somebody wants to send, and wishes taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import msgspec
import psycopg
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from channels import content_tests
from channels.intents import Intent
from channels.lifecycle import UNCLAIMED, State
from channels.models import Decision, Message
from channels.withholding import WITHHELD
from contacts import once, pulse, slots

_COPIED: tuple[tuple[str, str], ...] = (
    ("created_at", "timestamptz"),
    ("slot", "int2"),
    ("contact_id", "int8"),
    ("key", "uuid"),
    ("origin_kind", "text"),
    ("origin_id", "int4"),
    ("origin_version", "int4"),
    ("origin_run", "int8"),
    ("origin_step", "text"),
    ("origin_slug", "text"),
    ("entered_at", "timestamptz"),
    ("purpose", "text"),
    ("transactional", "bool"),
    ("wanted", "jsonb"),
    ("content", "jsonb"),
    ("variables", "jsonb"),
    ("priority", "int2"),
    ("value", "float8"),
    ("conditions", "jsonb"),
    ("on_hold", "text"),
    ("deadline_at", "timestamptz"),
    ("smart_channel", "bool"),
    ("best_by", "timestamptz"),
    ("state", "int2"),
    ("due_at", "timestamptz"),
)

_ENCODER = msgspec.json.Encoder()


def intend(intents: Sequence[Intent], now: datetime) -> int:
    """Store each intent whose key is new as a message to be decided; returns how many were new.

    Belongs to the caller's transaction: the wish and the step that made it are kept together.
    """
    if not intents:
        return 0
    connection.ensure_connection()
    fresh = once.claim((intent.key for intent in intents), now)
    intents = content_tests.assign(intents, content_tests.running()) if fresh else intents
    count = 0
    with (
        connection.cursor() as cursor,
        cursor.copy(
            f"COPY channels_message ({', '.join(name for name, _kind in _COPIED)}) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types([kind for _name, kind in _COPIED])
        for intent in intents:
            if intent.key in fresh:
                fresh.discard(intent.key)
                copy.write_row(_row(intent, now))
                count += 1
    if count:
        # Only what is committed can be found, so the hint waits for the commit.
        transaction.on_commit(partial(pulse.wake, "decide"))
    return count


def _row(intent: Intent, now: datetime) -> tuple[object, ...]:
    return (
        now,
        slots.of(intent.contact_id),
        intent.contact_id,
        intent.key,
        intent.origin_kind,
        intent.origin_id,
        intent.origin_version,
        intent.origin_run,
        intent.origin_step,
        intent.origin_slug,
        intent.entered_at,
        intent.purpose,
        intent.transactional,
        _json(tuple(intent.wanted)),
        _json(intent.content),
        _json(intent.variables),
        intent.priority,
        intent.value,
        None if intent.conditions is None else _json(intent.conditions),
        intent.on_hold,
        intent.deadline_at,
        intent.smart_channel,
        (intent.due_at or now) + intent.best_within if intent.best_within else None,
        int(State.INTENDED),
        intent.due_at or now,
    )


def _json(value: Mapping[str, object] | Sequence[object]) -> Jsonb:
    return Jsonb(value, dumps=_ENCODER.encode)


def cancel(run_ids: Iterable[int], reason: str, now: datetime) -> int:
    """Call off what the runs have wished for and no worker has taken yet; returns how many messages.

    One statement: the rows move and the ledger says why.
    """
    ids = sorted(set(run_ids))
    if not ids:
        return 0
    unclaimed = sorted(int(state) for state in UNCLAIMED)
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            # Locked in the order of ids, as every move of many messages does.
            "WITH wanted AS ("
            " SELECT id, created_at FROM channels_message"
            " WHERE origin_run = ANY(%b::int8[]) AND state IN (1, 2, 3) AND state = ANY(%b::int2[])"
            " ORDER BY id FOR NO KEY UPDATE),"
            " moved AS ("
            " UPDATE channels_message m SET state = %b::int2, due_at = NULL, reason = %b FROM wanted w"
            " WHERE m.id = w.id AND m.created_at = w.created_at AND m.state = ANY(%b::int2[])"
            " RETURNING m.id, m.created_at, m.slot, m.contact_id, m.channel, m.origin_kind, m.origin_id,"
            " m.origin_slug),"
            " counted AS ("
            " INSERT INTO channels_decisiontotal (day, origin_kind, origin_id, origin_slug, channel, outcome,"
            " reason, count, folded)"
            " SELECT %b::date, origin_kind, coalesce(origin_id, 0), origin_slug, channel, %b::int2, %b,"
            " count(*), false FROM moved GROUP BY origin_kind, origin_id, origin_slug, channel)"
            " INSERT INTO channels_decision (decided_at, contact_id, message_id, message_created_at, slot,"
            " outcome, channel, reason, trace, origin_kind, origin_id)"
            " SELECT %b::timestamptz, contact_id, id, created_at, slot, %b::int2, channel, %b, %b::jsonb,"
            " origin_kind, origin_id"
            " FROM moved",
            [
                ids,
                unclaimed,
                int(State.CANCELLED),
                reason,
                unclaimed,
                now.astimezone(UTC).date(),
                int(Decision.Outcome.CANCEL),
                reason,
                now,
                int(Decision.Outcome.CANCEL),
                reason,
                Jsonb([["origin", "cancel", {"why": reason}]]),
            ],
        )
        return cursor.rowcount


def reconsider(contact_id: int, now: datetime) -> int:
    """Let what is held for somebody be decided anew at once, since they said something; how many messages.

    What still may not leave is held again until its time, or dropped with the reason that holds now. What
    is kept back because its wisher is paused stays so.
    """
    held = Message.objects.filter(contact_id=contact_id, state=State.HELD, due_at__gt=now)
    held = held.exclude(reason=WITHHELD)
    with transaction.atomic():
        # Locked in the order of ids, as every move of many messages does.
        ids = list(held.select_for_update(no_key=True).order_by("id").values_list("id", flat=True))
        moved = held.filter(id__in=ids).update(due_at=now) if ids else 0
        if moved:
            transaction.on_commit(partial(pulse.wake, "decide"))
    return moved
