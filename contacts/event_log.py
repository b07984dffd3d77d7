"""The event log: append a batch, read on from a cursor in commit order.

A serial id alone loses rows: id 1 may commit after id 2 was read. So each row keeps the transaction
that wrote it, and a reader sees only rows below the oldest transaction still running, ordered by
(xid, id); ``contacts_log_horizon`` in the database says where that is (see ``event_log_healing``).
Each reader holds one durable cursor a lane and works in its own transaction.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from contacts import copying, slots
from contacts.models import Event

TRACK, IDENTIFY, PAGE, SCREEN, GROUP, ALIAS, SYSTEM, IMPORTED = (kind.value for kind in Event.Kind)
#: A property that Segue's own events carry when a file brought them about.
HISTORY = "imported"

_MOST_SHARES = 4
"A lane may give more than its share of a batch, so that one busy contact does not make many small ones."


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One event to append. ``properties`` and ``context`` are checked JSON bytes, or plain dictionaries."""

    contact_id: int
    name: str
    occurred_at: datetime
    received_at: datetime
    kind: int = SYSTEM
    source_id: int | None = None
    message_id: str | None = None
    properties: bytes | dict[str, Any] = b"{}"
    context: bytes | dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event as a reader gets it. ``slot`` and ``contact_id`` are the contact's of now."""

    lane: int
    xid: int
    id: int
    slot: int
    contact_id: int
    source_id: int | None
    kind: int
    name: str
    occurred_at: datetime
    received_at: datetime
    properties: dict[str, Any]

    @property
    def is_history(self) -> bool:
        """From a file: it counts, but it is no news that could start something."""
        return self.kind == IMPORTED or (self.kind == SYSTEM and HISTORY in self.properties)


_COPY = (
    "COPY contacts_event (contact_id, lane, slot, source_id, kind, name, occurred_at, received_at,"
    " message_id, properties, context) FROM STDIN (FORMAT BINARY)"
)
_TOGETHER = 5_000
"Events that are encoded before they are handed over."
# Eleven fields: contact, lane and slot; source; kind; and, after the name, the two times.
_whose = struct.Struct("!h iq ih ih").pack
_source = struct.Struct("!ii").pack
_kind = struct.Struct("!ih").pack
_when = struct.Struct("!iq iq").pack


def append(events: Iterable[NewEvent]) -> int:
    """Write ``events`` with one binary COPY in the current transaction; returns how many."""
    count = 0
    waiting = iter(events)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(copying.HEADER)
        while some := list(itertools.islice(waiting, _TOGETHER)):
            copy.write(_encoded(some))
            count += len(some)
        copy.write(copying.TRAILER)
    return count


def _encoded(events: Iterable[NewEvent]) -> bytes:
    parts: list[bytes] = []
    fronts: dict[tuple[int | None, int, str], bytes] = {}
    for event in events:
        contact, slot = event.contact_id, slots.of(event.contact_id)
        of = (event.source_id, event.kind, event.name)
        if (front := fronts.get(of)) is None:
            front = fronts[of] = _front(*of)
        occurred, received = copying.instant(event.occurred_at), copying.instant(event.received_at)
        parts += (
            _whose(11, 8, contact, 2, slot, 2, slot),
            front,
            _when(8, occurred, 8, received),
            copying.NULL if event.message_id is None else copying.text(event.message_id),
            copying.document(_json(event.properties)),
            copying.NULL if event.context is None else copying.document(_json(event.context)),
        )
    return b"".join(parts)


def _front(source_id: int | None, kind: int, name: str) -> bytes:
    source = copying.NULL if source_id is None else _source(4, source_id)
    return source + _kind(2, kind) + copying.text(name)


def read_after(
    reader: str, limit: int, *, most_lanes: int = slots.SLOTS, leave_out: Sequence[str] = ()
) -> list[LogEvent]:
    """Lease lanes for ``reader`` and return what it has not read of them, about ``limit`` events.

    ``leave_out`` names properties that the reader has no use for, such as long lists of products.

    Call inside a transaction, handle the events, call ``advance`` with them, commit. Within a lane
    events come in commit order. An empty list means nothing new in the lanes that were free.
    """
    with connection.cursor() as cursor:
        leased = slots.lease(cursor, f"read:{reader}", range(slots.SLOTS), most_lanes)
        if not leased:
            return []
        each = _MOST_SHARES * -(-limit // len(leased))
        cursor.execute(_READ, [list(leave_out), leased, reader, each, limit])
        return [LogEvent(*(*row[:-1], msgspec.json.decode(row[-1]))) for row in cursor.fetchall()]


def advance(reader: str, events: Sequence[LogEvent]) -> None:
    """Move the cursors of ``reader`` past ``events``, in the transaction that handled them."""
    last: dict[int, tuple[int, int]] = {}
    for event in events:
        last[event.lane] = max(last.get(event.lane, (0, 0)), (event.xid, event.id))
    rows = sorted((lane, xid, event_id) for lane, (xid, event_id) in last.items())
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts_cursor (reader, lane, xid, event_id)"
            " SELECT %s, * FROM unnest(%s::int2[], %s::numeric[], %s::int8[])"
            " ON CONFLICT (reader, lane) DO UPDATE SET xid = excluded.xid, event_id = excluded.event_id",
            [reader, *map(list, zip(*rows, strict=True))],
        )


def start_at_end(reader: str) -> None:
    """Let a new reader begin after all that is committed now, instead of at the beginning."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts_cursor (reader, lane, xid, event_id)"
            " SELECT %s, s, contacts_log_horizon()::text::numeric, 0"
            " FROM generate_series(0, %s) AS s"
            " ON CONFLICT (reader, lane) DO UPDATE SET xid = excluded.xid, event_id = excluded.event_id",
            [reader, slots.SLOTS - 1],
        )


def _json(value: bytes | dict[str, Any]) -> bytes:
    return value if isinstance(value, bytes) else msgspec.json.encode(value)


# Per lane an index range scan on (lane, xid, id); the limit of a lane bounds what is sorted, the order
# over all lanes keeps a busy one from starving the others.
# The row comparison stands alone: with xid >= beside xid < the planner takes the pair for a narrow range,
# reads the whole backlog and sorts it, where a merge of ordered scans stops at the limit.
_READ = """
SELECT e.lane, e.xid::text::int8, e.id, e.slot, e.contact_id, e.source_id, e.kind, e.name,
       e.occurred_at, e.received_at, e.properties - %s::text[]
FROM (
    SELECT l.lane, coalesce(c.xid, 0)::text::xid8 AS xid, coalesce(c.event_id, 0) AS event_id
    FROM unnest(%s::int2[]) AS l(lane)
    LEFT JOIN contacts_cursor c ON c.reader = %s AND c.lane = l.lane
) AS c
CROSS JOIN LATERAL (
    SELECT * FROM contacts_event e
    WHERE e.lane = c.lane AND (e.xid, e.id) > (c.xid, c.event_id)
      AND e.xid < contacts_log_horizon()
    ORDER BY e.lane, e.xid, e.id
    LIMIT %s
) AS e
ORDER BY e.xid, e.id
LIMIT %s
"""
