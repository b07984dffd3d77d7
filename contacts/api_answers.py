"""Answers kept for requests that may come again: the same Idempotency-Key has its effects once.

The answer is written in the transaction of the effects, so a crash leaves both or neither, and whoever asks
again gets the one or starts anew. Only answers of success are kept: what failed had no effects.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from contacts.models import KeptAnswer

KEPT_FOR = timedelta(hours=24)


class Mark(NamedTuple):
    """Which request: ``digest`` of the caller and the key it chose, ``request`` of all that it asks."""

    digest: str
    request: str


def mark(caller: str, key: str, *request: bytes) -> Mark:
    asked = hashlib.sha256()
    for part in request:
        asked.update(len(part).to_bytes(8, "big") + part)
    whose = hashlib.sha256(f"{caller}\x1f{key}".encode("utf-8", "surrogatepass"))
    return Mark(whose.hexdigest(), asked.hexdigest())


def find(mark: Mark, now: datetime) -> KeptAnswer | None:
    """What a request with this mark's key was answered within the last day."""
    return KeptAnswer.objects.filter(digest=mark.digest, answered_at__gt=now - KEPT_FOR).first()


def hold(mark: Mark) -> bool:
    """Keep others with the same key away until the transaction ends; False if one of them was first."""
    number = int(mark.digest[:16], 16) - 2**63
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        (held,) = cursor.fetchone() or (False,)
    return bool(held)


def keep(mark: Mark, status: int, body: str, now: datetime) -> None:
    """In the transaction of the effects, after ``hold``."""
    values = {"request_digest": mark.request, "status": status, "body": body, "answered_at": now}
    KeptAnswer.objects.update_or_create(digest=mark.digest, defaults=values)


def sweep(now: datetime) -> int:
    """Forget answers that are older than a day; returns how many."""
    forgotten, _tables = KeptAnswer.objects.filter(answered_at__lte=now - KEPT_FOR).delete()
    return forgotten
