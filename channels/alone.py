"""One worker at a time for a piece of work that talks to somebody outside: no transaction is held for it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def alone(work: str, number: int) -> Iterator[bool]:
    """Whether nobody else is at ``work`` on ``number``, nor will be until the end."""
    key = [zlib.crc32(work.encode()) & 0x7FFFFFFF, number]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        free = bool((cursor.fetchone() or (False,))[0])
    try:
        yield free
    finally:
        if free:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)
