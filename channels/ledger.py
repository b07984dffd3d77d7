"""Writing the ledger: one line a decision, with what it rested on, and the day's totals beside them.

Totals come as loose rows, one a kind and batch, in the transaction of the decisions themselves: exact, and no
two workers ever wait for one row. ``fold`` puts them together later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import msgspec
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from channels import policy_kept
from channels.lifecycle import Known, Ref
from channels.models import Decision
from channels.policy_facts import CANCEL, DROP, EXPIRE, HOLD, SEND, Verdict

OUTCOMES = {
    SEND: Decision.Outcome.SEND,
    HOLD: Decision.Outcome.HOLD,
    DROP: Decision.Outcome.DROP,
    CANCEL: Decision.Outcome.CANCEL,
    EXPIRE: Decision.Outcome.DROP,
}
_ENCODER = msgspec.json.Encoder()
_COLUMNS = (
    ("decided_at", "timestamptz"), ("contact_id", "int8"), ("message_id", "int8"),
    ("message_created_at", "timestamptz"), ("until", "timestamptz"), ("charter_number", "int4"),
    ("origin_id", "int4"), ("slot", "int2"), ("outcome", "int2"), ("channel", "text"), ("reason", "text"),
    ("origin_kind", "text"), ("trace", "jsonb"), ("facts", "bytea"),
)  # fmt: skip
_TOTALS = (
    ("day", "date"), ("origin_id", "int4"), ("outcome", "int2"), ("count", "int4"), ("origin_kind", "text"),
    ("origin_slug", "text"), ("channel", "text"), ("reason", "text"), ("folded", "bool"),
)  # fmt: skip


class Decided(Known, Protocol):
    """What the ledger needs of a message; a row of the table will do."""

    @property
    def origin_kind(self) -> str: ...
    @property
    def origin_id(self) -> int | None: ...
    @property
    def origin_slug(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger. ``leaving_by`` is the channel of a message that was asked as it left."""

    message: Decided
    verdict: Verdict
    charter_number: int | None
    leaving_by: str = ""

    @property
    def ref(self) -> Ref:
        return Ref(self.message.id, self.message.created_at, self.message.slot)


def keep(lines: Iterable[Line], now: datetime) -> None:
    """Write the lines and their totals with two binary COPYs."""
    kept = list(lines)
    if not kept:
        return
    with connection.cursor() as cursor, cursor.copy(_copy("channels_decision", _COLUMNS)) as copy:
        copy.set_types([kind for _name, kind in _COLUMNS])
        for line in kept:
            verdict, message = line.verdict, line.message
            facts = verdict.facts
            copy.write_row(
                (
                    now,
                    message.contact_id,
                    message.id,
                    message.created_at,
                    verdict.until,
                    line.charter_number,
                    message.origin_id,
                    message.slot,
                    int(OUTCOMES[verdict.action]),
                    verdict.channel,
                    verdict.reason,
                    message.origin_kind,
                    Jsonb(verdict.trace or [], dumps=_ENCODER.encode),
                    None if facts is None else policy_kept.pack(facts, line.leaving_by),
                )
            )
    _count(kept, now)


def _count(lines: Iterable[Line], now: datetime) -> None:
    totals = Counter(
        (
            line.message.origin_id or 0,
            int(OUTCOMES[line.verdict.action]),
            line.message.origin_kind,
            line.message.origin_slug,
            line.verdict.channel,
            line.verdict.reason,
        )
        for line in lines
    )
    day = now.astimezone(UTC).date()
    with connection.cursor() as cursor, cursor.copy(_copy("channels_decisiontotal", _TOTALS)) as copy:
        copy.set_types([kind for _name, kind in _TOTALS])
        for (origin_id, outcome, *words), count in totals.items():
            copy.write_row((day, origin_id, outcome, count, *words, False))


def fold(limit: int = 50_000) -> int:
    """Put loose totals together, one row a kind and day; returns how many were loose.

    One worker at a time; whoever comes second finds nothing to do.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('channels.ledger.fold'))")
        if not (cursor.fetchone() or (False,))[0]:
            return 0
        cursor.execute(_FOLD, [limit])
        return int((cursor.fetchone() or (0,))[0])


_KEYS = "day, origin_kind, origin_id, origin_slug, channel, outcome, reason"
_FOLD = f"""
WITH loose AS (
    DELETE FROM channels_decisiontotal WHERE id = ANY(ARRAY(
        SELECT id FROM channels_decisiontotal WHERE NOT folded ORDER BY id LIMIT %s)) AND NOT folded
    RETURNING {_KEYS}, count
), put AS (
    INSERT INTO channels_decisiontotal AS t ({_KEYS}, count, folded)
    SELECT {_KEYS}, sum(count), true FROM loose GROUP BY {_KEYS}
    ON CONFLICT ({_KEYS}) WHERE folded DO UPDATE SET count = t.count + excluded.count
)
SELECT count(*) FROM loose
"""  # noqa: S608


def _copy(table: str, columns: Iterable[tuple[str, str]]) -> str:
    return f"COPY {table} ({', '.join(name for name, _kind in columns)}) FROM STDIN (FORMAT BINARY)"
