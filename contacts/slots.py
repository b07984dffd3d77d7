"""Slots: the 64 lots into which contacts are dealt, so that workers share work without meeting.

Every contact-scoped table carries ``slot``. A pulse leases a few slots, works a batch over just those,
and lets go when its transaction ends. So no two workers handle one contact at once, and caps are exact
without row locks.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable

from django.db.backends.utils import CursorWrapper

SLOTS = 64


def of(contact_id: int) -> int:
    """Slot (0 to 63) of a contact, fixed for its life."""
    return contact_id % SLOTS


def lane(text: str) -> int:
    """Lane (0 to 63) of an inbox item whose contact is not known yet, from its strongest identifier."""
    return zlib.crc32(text.encode()) % SLOTS


def lease(cursor: CursorWrapper, pulse: str, candidates: Iterable[int], most: int = SLOTS) -> list[int]:
    """Take up to ``most`` of the candidate slots that no other worker of this pulse holds.

    The lease is an advisory lock of the transaction: it ends with commit, rollback or the death of
    the connection. Candidates are tried in random order, so that two workers spread out.
    """
    wanted = list(candidates)
    random.shuffle(wanted)
    if not wanted:
        return []
    namespace = zlib.crc32(pulse.encode()) & 0x7FFFFFFF
    cursor.execute(
        # LIMIT cannot stop a lock from being taken, so at most `most` slots are ever offered.
        "SELECT s FROM unnest(%s::int[]) AS s WHERE pg_try_advisory_xact_lock(%s, s)",
        [wanted[:most], namespace],
    )
    return sorted(row[0] for row in cursor.fetchall())
