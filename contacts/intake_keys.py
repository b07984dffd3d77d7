"""Keys of sources: made, shown once, kept as digests, and found again for each request."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg

from contacts import clock
from contacts.group_commit import StoreDown, connect
from contacts.models import Source, SourceKey

_FRESH = 3.0
"Seconds for which what is known of keys is used: so long a revoked key may still be taken."
_DOUBT = 0.5
"An unknown key may have been made just now, so it is looked for again if the last reading is this old."
_LONGEST = 200


class Sender(NamedTuple):
    """Who a request's key speaks for, and whether it may say what only servers may."""

    source_id: int
    server: bool = False


def issue(source: Source, scope: str) -> tuple[SourceKey, str]:
    """A new key of `source`, and its text, which is not kept and cannot be shown again."""
    text = ("sk_" if scope == SourceKey.Scope.SERVER else "wk_") + secrets.token_urlsafe(24)
    return SourceKey.objects.create(source=source, prefix=text[:8], digest=digest(text), scope=scope), text


def rotate(key: SourceKey, overlap: timedelta, now: datetime) -> tuple[SourceKey, str]:
    """A new key in the place of `key`, which goes on for `overlap` so that senders can change over."""
    made = issue(key.source, key.scope)
    SourceKey.objects.filter(pk=key.pk, revoked_at=None).update(ends_at=now + overlap)
    return made


def digest(text: str) -> str:
    """Keys hold 192 random bits, so a plain digest cannot be reversed by trying."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def load() -> dict[str, Sender]:
    """Digest to sender of every key in use. Raises StoreDown."""
    now = clock.now()
    try:
        with connect() as connection:
            rows = connection.execute(
                "SELECT k.digest, k.source_id, k.scope, k.ends_at FROM contacts_sourcekey k"
                " JOIN contacts_source s ON s.id = k.source_id WHERE s.active AND k.revoked_at IS NULL"
            ).fetchall()
    except psycopg.Error as error:
        raise StoreDown("keys cannot be read") from error
    return {
        digest: Sender(source_id, scope == SourceKey.Scope.SERVER)
        for digest, source_id, scope, ends_at in rows
        if ends_at is None or ends_at > now
    }


class Keyring:
    """All keys in use, read again every few seconds by one of the threads that ask."""

    def __init__(
        self,
        load: Callable[[], Mapping[str, Sender]] = load,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._clock = clock
        self._reading = threading.Lock()
        self._known: Mapping[str, Sender] = {}
        self._read_at = float("-inf")

    def sender_of(self, key: str) -> Sender | None:
        """The sender of `key`, or None if there is no such key in use. Raises StoreDown if unknowable."""
        if len(key) > _LONGEST:
            return None
        wanted = digest(key)
        if self._age() > _FRESH:
            self._read_if_older(_FRESH)
        sender = self._known.get(wanted)
        if sender is None and self._age() > _DOUBT:
            self._read_if_older(_DOUBT)
            sender = self._known.get(wanted)
        return sender

    def _age(self) -> float:
        return self._clock() - self._read_at

    def _read_if_older(self, age: float) -> None:
        with self._reading:
            if self._age() > age:
                started = self._clock()
                self._known = self._load()
                self._read_at = started
