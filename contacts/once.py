"""What may happen only once: an event's message id, an intent, a provider's receipt.

The key is a digest of a namespace and the parts that make the thing unique. A unique index decides,
not a look-up before writing, so any number of workers may try at once.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter

import psycopg
from django.db import connection


def key(namespace: str, *parts: object) -> uuid.UUID:
    """The 128-bit key of ``parts`` within ``namespace``; equal parts give the equal key, always."""
    text = "\x1f".join([namespace, *map(str, parts)])
    return uuid.UUID(bytes=hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16])


def claim(keys: Iterable[uuid.UUID], now: datetime) -> set[uuid.UUID]:
    """Claim ``keys`` within the current transaction; returns those that nobody had claimed before.

    One statement whatever the number. Keys go in order, so that two workers wait for each other
    instead of deadlocking.
    """
    wanted = sorted(set(keys), key=attrgetter("int"))
    if not wanted:
        return set()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "INSERT INTO contacts_oncekey (key, seen_on) SELECT k, %b FROM unnest(%b::uuid[]) AS k"
            " ON CONFLICT DO NOTHING RETURNING key",
            [now.date(), wanted],
        )
        return {row[0] for row in cursor.fetchall()}
