"""Hits: fetches of pixels and links and providers' callbacks, written down as they come."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from django.db import connection
from psycopg.types.json import Jsonb

from contacts import copying
from contacts.group_commit import connect

COLUMNS = (
    "received_at", "kind", "message_id", "message_created_at", "link_id", "provider_id", "receipt_key",
    "data",
)  # fmt: skip
TYPES = ("timestamptz", "text", "int8", "timestamptz", "int4", "int4", "text", "jsonb")
_COPY = f"COPY channels_hit ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)"

#: What providers may report, in the words of the log's receipts.
KINDS = frozenset(
    {
        "delivered", "bounced", "deferred", "rejected", "complained", "opened", "clicked", "replied",
        "unsubscribed",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewHit:
    """One hit. Those of our own pixel and links are ``open`` and ``click``; providers' are in ``KINDS``.

    Without a message id, ``data["provider_message_id"]`` finds the message. ``receipt_key`` is the
    provider's own id of the callback: the same one twice counts once.
    """

    received_at: datetime
    kind: str
    message_id: int | None = None
    message_created_at: datetime | None = None
    link_id: int | None = None
    provider_id: int | None = None
    receipt_key: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def write(hits: Iterable[NewHit]) -> None:
    """Append ``hits`` with one COPY in the current transaction."""
    # A generator may ask the database, which cannot answer in the middle of a COPY.
    hits = list(hits)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(TYPES)
        for hit in hits:
            copy.write_row(_row(hit))


_HEAD = struct.Struct("!h iq").pack
_ID, _LINK = struct.Struct("!iq").pack, struct.Struct("!ii").pack


def encoded(hit: NewHit) -> bytes:
    """``hit`` as one row of a binary COPY into ``COLUMNS``."""
    created = hit.message_created_at
    return b"".join(
        (
            _HEAD(8, 8, copying.instant(hit.received_at)),
            copying.text(hit.kind),
            copying.NULL if hit.message_id is None else _ID(8, hit.message_id),
            copying.NULL if created is None else _ID(8, copying.instant(created)),
            copying.NULL if hit.link_id is None else _LINK(4, hit.link_id),
            copying.NULL if hit.provider_id is None else _LINK(4, hit.provider_id),
            copying.text(hit.receipt_key),
            copying.document(msgspec.json.encode(hit.data)),
        )
    )


class HitWriter:
    """Writes groups of hits over a connection of its own, each call one commit."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection[Any] | None = None

    def write(self, groups: Sequence[Sequence[Any]]) -> None:
        try:
            if self._connection is None:
                self._connection = connect()
            with self._connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                copy.set_types(TYPES)
                for group in groups:
                    for hit in group:
                        copy.write_row(_row(hit))
            self._connection.commit()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _row(hit: NewHit) -> tuple[Any, ...]:
    values = astuple(hit)
    return (*values[:-1], Jsonb(values[-1]))
