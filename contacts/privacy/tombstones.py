"""Tombstones: what keeps an erased person from coming back with a late event, an import or an old dump.

A tombstone is a keyed digest: it answers "was it this one?" and nothing else. Whoever brings people in asks
``screen`` first, in the transaction that will write. An erasure lays its tombstones while nobody is inside
such a transaction, so that none can have asked before and write after.

The same digests go to a file beside the database before the database has them. A dump that is older than
an erasure knows nothing of it; the file does (see ``contacts.privacy.restoring``).
"""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg
from django.conf import settings
from django.db import connection

from contacts.directory import KNOWN_BY, Identifier
from contacts.models import PrivacyPolicy
from contacts.privacy.people import People

#: The kind under which a contact's public id is laid.
CONTACT = "contact"
_LOCK = zlib.crc32(b"contacts.tombstones") & 0x7FFFFFFF
_Returning = PrivacyPolicy.Returning


class Candidate(NamedTuple):
    """Somebody who is about to be written: by which identifiers, as of when.

    ``identifies`` says that the person told who they are, ``agrees`` that they agreed to something anew.
    """

    identifiers: tuple[Identifier, ...]
    occurred_at: datetime
    identifies: bool = False
    agrees: bool = False


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the file."""

    key: UUID
    kind: str
    at: datetime
    lifted: bool = False


@dataclass(slots=True)
class _Standing:
    erased_at: datetime
    lifted_at: datetime | None
    changed: bool = False

    def keeps_out(self, one: Candidate) -> bool:
        return self.lifted_at is None or one.occurred_at < self.lifted_at


def key(kind: str, value: str) -> UUID:
    """The digest of one identifier under the installation's present key."""
    return _digest(kind, value, _keys()[0])


def screen(candidates: Sequence[Candidate]) -> list[tuple[Identifier, ...]]:
    """The identifiers by which each may be written; none at all for who must stay out.

    Call in the transaction that writes, before anything is looked up by these identifiers. A constant
    number of statements: two while nobody was ever erased, three or four afterwards.

    A tombstone on what tells who somebody is (user id, email, phone) keeps the whole out. One on a browser
    or a device alone is left off where the rest names somebody else: people share machines.
    """
    hold_off()
    with psycopg.Cursor(_raw()) as cursor:
        # A statement of its own: it must see what was committed while the lock was waited for.
        cursor.execute("SELECT EXISTS (SELECT FROM contacts_tombstone)")
        row = cursor.fetchone()
        if not row or not row[0]:
            return [one.identifiers for one in candidates]
        standing = _standing(cursor, candidates)
        if not standing:
            return [one.identifiers for one in candidates]
        allowed = _judge(candidates, standing)
        _lift(cursor, standing)
    return allowed


def lay(people: People, now: datetime) -> int:
    """Lay a tombstone for each name and public id; returns how many. Hold ``alone`` meanwhile."""
    marks = [Mark(key(kind, value), kind[:16], now) for kind, value in people.names]
    marks += [Mark(key(CONTACT, str(public)), CONTACT, now) for public in people.publics]
    # First where a restored database will look: a crash between the two forgets nobody.
    append(marks)
    keep(marks)
    return len(marks)


def keep(marks: Iterable[Mark]) -> int:
    """Store marks as a file holds them, in any order; returns how many rows changed."""
    by_time = sorted(marks, key=lambda mark: mark.at)
    laid = list({mark.key: mark for mark in by_time if not mark.lifted}.values())
    lifted = list({mark.key: mark for mark in by_time if mark.lifted}.values())
    with psycopg.Cursor(_raw()) as cursor:
        cursor.execute(_LAY, [[m.key for m in laid], [m.kind for m in laid], [m.at for m in laid]])
        changed = cursor.rowcount
        cursor.execute(
            _LAY_LIFTED, [[m.key for m in lifted], [m.kind for m in lifted], [m.at for m in lifted]]
        )
        return changed + cursor.rowcount


def alone() -> None:
    """Until the transaction ends, nobody is between asking ``screen`` and writing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def hold_off() -> None:
    """Until the transaction ends, no erasure begins."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])


def append(marks: Sequence[Mark]) -> None:
    """Write marks to the file beside the database, durable when this returns."""
    path = file()
    path.parent.mkdir(parents=True, exist_ok=True)
    text = b"".join(msgspec.json.encode(mark) + b"\n" for mark in marks)
    with open(path, "ab+", opener=_private) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if handle.seek(0, os.SEEK_END) and os.pread(handle.fileno(), 1, handle.tell() - 1) != b"\n":
            # A crash cut the last line short; ours must not become its end.
            text = b"\n" + text
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def read(path: Path) -> list[Mark]:
    """All marks of a file. A line that a crash cut short is passed over: its erasure was not begun."""
    if not path.is_file():
        return []
    marks = []
    for line in path.read_bytes().splitlines():
        try:
            marks.append(msgspec.json.decode(line, type=Mark))
        except msgspec.DecodeError:
            continue
    return marks


def file() -> Path:
    """Where this installation keeps its tombstones outside the database."""
    return Path(settings.SEGUE_HOME) / "tombstones.jsonl"


def _judge(
    candidates: Sequence[Candidate], standing: dict[Identifier, list[_Standing]]
) -> list[tuple[Identifier, ...]]:
    returning = policy().returning
    allowed: list[tuple[Identifier, ...]] = []
    for one in candidates:
        held = {identifier for identifier in one.identifiers if identifier in standing}
        for identifier in held:
            for stone in standing[identifier]:
                if stone.keeps_out(one) and _comes_back(one, stone, returning):
                    stone.lifted_at, stone.changed = one.occurred_at, True
        out = {one_ for one_ in held if any(stone.keeps_out(one) for stone in standing[one_])}
        if any(identifier.kind in KNOWN_BY for identifier in out):
            allowed.append(())
            continue
        rest = tuple(identifier for identifier in one.identifiers if identifier not in out)
        # What is left must name somebody by itself; another browser id beside an erased one is theirs too.
        allowed.append(rest if not out or any(left.kind in KNOWN_BY for left in rest) else ())
    return allowed


def _comes_back(one: Candidate, stone: _Standing, returning: str) -> bool:
    if not one.identifies or one.occurred_at <= stone.erased_at or stone.lifted_at is not None:
        return False
    return returning == _Returning.IDENTIFY or (returning == _Returning.CONSENT and one.agrees)


def _standing(cursor: psycopg.Cursor, candidates: Sequence[Candidate]) -> dict[Identifier, list[_Standing]]:
    asked: dict[UUID, Identifier] = {}
    keys = _keys()
    for identifier in {identifier for one in candidates for identifier in one.identifiers}:
        for secret in keys:
            asked[_digest(identifier.kind, identifier.value, secret)] = identifier
    cursor.execute(
        "SELECT key, erased_at, lifted_at FROM contacts_tombstone WHERE key = ANY(%b::uuid[])",
        [list(asked)],
        binary=True,
    )
    found: dict[Identifier, list[_Standing]] = {}
    for one, erased_at, lifted_at in cursor.fetchall():
        found.setdefault(asked[one], []).append(_Standing(erased_at, lifted_at))
    return found


def _lift(cursor: psycopg.Cursor, standing: dict[Identifier, list[_Standing]]) -> None:
    marks = [
        Mark(_digest(identifier.kind, identifier.value, secret), identifier.kind, stone.lifted_at, True)
        for identifier, stones in standing.items()
        for stone in stones
        if stone.changed and stone.lifted_at
        for secret in _keys()
    ]
    if not marks:
        return
    append(marks)
    cursor.execute(
        "UPDATE contacts_tombstone t SET lifted_at = u.at FROM unnest(%b::uuid[], %b::timestamptz[])"
        " AS u(key, at) WHERE t.key = u.key AND t.lifted_at IS NULL",
        [[mark.key for mark in marks], [mark.at for mark in marks]],
    )


def policy() -> PrivacyPolicy:
    """The settings in force; the defaults until somebody saves them."""
    return PrivacyPolicy.objects.first() or PrivacyPolicy()


def digests(kind: str, value: str) -> list[UUID]:
    """The digests of one identifier under the present key and those before it."""
    return [_digest(kind, value, secret) for secret in _keys()]


def _digest(kind: str, value: str, secret: bytes) -> UUID:
    text = f"{kind}\x1f{value}".encode("utf-8", "surrogatepass")
    return UUID(bytes=blake2b(text, digest_size=16, key=secret).digest())


def _keys() -> tuple[bytes, ...]:
    """The present key first. Made of the secret keys, so that a rotation keeps the old stones readable."""
    return _made((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=4)
def _made(secrets: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(blake2b(one.encode(), digest_size=32, person=b"tombstones").digest() for one in secrets)


def _raw() -> Any:
    connection.ensure_connection()
    return connection.connection


_LAY = """
INSERT INTO contacts_tombstone AS kept (key, kind, erased_at)
SELECT * FROM unnest(%b::uuid[], %b::text[], %b::timestamptz[])
ON CONFLICT (key) DO UPDATE SET erased_at = excluded.erased_at, lifted_at = NULL
WHERE kept.erased_at < excluded.erased_at AND (kept.lifted_at IS NULL OR kept.lifted_at < excluded.erased_at)
"""
_LAY_LIFTED = """
INSERT INTO contacts_tombstone AS kept (key, kind, erased_at, lifted_at)
SELECT u.key, u.kind, u.at, u.at FROM unnest(%b::uuid[], %b::text[], %b::timestamptz[]) AS u(key, kind, at)
ON CONFLICT (key) DO UPDATE SET lifted_at = excluded.lifted_at
WHERE kept.erased_at <= excluded.lifted_at AND kept.lifted_at IS DISTINCT FROM excluded.lifted_at
"""
