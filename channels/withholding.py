"""What one wisher asked for, kept back, let go or called off, some thousands of messages at a time.

A wisher is named by the kind, id and step of a message's origin. Messages that a worker has already taken
are not touched: they leave.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import psycopg
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from channels.lifecycle import State
from channels.models import Decision
from contacts import pulse

#: The reason of a message that is kept back until whoever wished for it goes on.
WITHHELD = "withheld"
#: Kept back messages are not looked at by themselves.
_FAR = timedelta(days=36_500)
BATCH = 5000


class Wisher(NamedTuple):
    """Whose messages: the kind and id of their origin, and the step."""

    kind: str
    id: int
    step: str


def withhold(wisher: Wisher, now: datetime, limit: int = BATCH, *, held: bool = True) -> int:
    """Keep back what no worker has taken; returns how many messages, 0 when all are.

    Without ``held`` those that wait for later are not looked through: that is dear where they are many.
    """
    return _move(
        wisher,
        limit,
        f"state IN ({'1, 2, 3' if held else '1, 3'}) AND reason <> %(withheld)b",
        state=State.HELD,
        due_at=now + _FAR,
        reason=WITHHELD,
        outcome=Decision.Outcome.HOLD,
        now=now,
    )


def call_off(wisher: Wisher, reason: str, now: datetime, limit: int = BATCH) -> int:
    """Cancel what no worker has taken; returns how many messages, 0 when none is left."""
    return _move(
        wisher,
        limit,
        "state IN (1, 2, 3)",
        state=State.CANCELLED,
        due_at=None,
        reason=reason,
        outcome=Decision.Outcome.CANCEL,
        now=now,
    )


def let_go(wisher: Wisher, later: timedelta, now: datetime, limit: int = BATCH) -> int:
    """Let what was kept back be decided anew, its deadline ``later``; returns how many messages."""
    with psycopg.Cursor(_connected()) as cursor:
        cursor.execute(
            f"WITH {_WANTED.format(which='state = 2 AND reason = %(withheld)b')}"  # noqa: S608 (our own text)
            " UPDATE channels_message m SET due_at = %(now)b::timestamptz, reason = 'let_go',"
            " deadline_at = m.deadline_at + %(later)b::interval"
            " FROM wanted w WHERE m.id = w.id AND m.created_at = w.created_at AND m.state = 2",
            {**_of(wisher, limit), "now": now, "later": later},
        )
        count = cursor.rowcount
    if count:
        transaction.on_commit(partial(pulse.wake, "decide"))
    return count


def unfinished(wisher: Wisher, most: int) -> int:
    """How many messages have not come to their end, counted up to ``most``."""
    return _count(wisher, "state IN (1, 2, 3, 4, 5)", most)


def on_their_way(wisher: Wisher, most: int) -> int:
    """How many messages wait for a worker, counted up to ``most``; those held for later are left out."""
    return _count(wisher, "state IN (1, 3)", most)


def _count(wisher: Wisher, which: str, most: int) -> int:
    with psycopg.Cursor(_connected()) as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM channels_message WHERE origin_id = %(id)b::int4"  # noqa: S608 (our own text)
            f" AND origin_step = %(step)b AND origin_kind = %(kind)b AND {which}"
            " LIMIT %(limit)b::int8) AS found",
            _of(wisher, most),
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _move(
    wisher: Wisher,
    limit: int,
    which: str,
    *,
    state: State,
    due_at: datetime | None,
    reason: str,
    outcome: Decision.Outcome,
    now: datetime,
) -> int:
    """One statement: the rows move and the ledger says why."""
    with psycopg.Cursor(_connected()) as cursor:
        cursor.execute(
            _MOVE.format(wanted=_WANTED.format(which=which)),
            {
                **_of(wisher, limit),
                "state": int(state),
                "due_at": due_at,
                "reason": reason,
                "outcome": int(outcome),
                "now": now,
                "trace": Jsonb([["origin", "wait" if due_at else "cancel", {"why": reason}]]),
            },
        )
        return cursor.rowcount


def _of(wisher: Wisher, limit: int) -> dict[str, Any]:
    return {**wisher._asdict(), "limit": limit, "withheld": WITHHELD}


def _connected() -> Any:
    connection.ensure_connection()
    return connection.connection


# Locked in the order of ids, as every move of many messages does.
_WANTED = """wanted AS (
    SELECT id, created_at FROM channels_message
    WHERE origin_id = %(id)b::int4 AND origin_step = %(step)b AND origin_kind = %(kind)b AND {which}
    ORDER BY id LIMIT %(limit)b::int8 FOR NO KEY UPDATE
)"""
_MOVE = """
WITH {wanted}, moved AS (
    UPDATE channels_message m
    SET state = %(state)b::int2, due_at = %(due_at)b::timestamptz, reason = %(reason)b
    FROM wanted w WHERE m.id = w.id AND m.created_at = w.created_at AND m.state IN (1, 2, 3)
    RETURNING m.id, m.created_at, m.slot, m.contact_id, m.channel
)
INSERT INTO channels_decision (decided_at, contact_id, message_id, message_created_at, slot, outcome, channel,
                               until, reason, trace)
SELECT %(now)b::timestamptz, contact_id, id, created_at, slot, %(outcome)b::int2, channel,
       NULL, %(reason)b, %(trace)b::jsonb
FROM moved
"""
