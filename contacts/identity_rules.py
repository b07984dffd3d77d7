"""The identity rules that hold, and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import msgspec
from django.db import connection, transaction

from contacts.identifier_kinds import IdentifierKind, Kinds, checked
from contacts.models import IdentityVersion


def current() -> Kinds:
    """The rules of now. One statement; a batch reads them once and works by them throughout."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, kinds::text FROM contacts_identityversion ORDER BY number DESC LIMIT 1"
        )
        row = cursor.fetchone()
    return _read(*row) if row else _USUAL


def of(version: IdentityVersion) -> Kinds:
    return Kinds(tuple(msgspec.convert(version.kinds, list[IdentifierKind])), version.number)


def publish(
    kinds: Sequence[IdentifierKind], now: datetime, *, by: str, note: str = "", after: int
) -> IdentityVersion:
    """Make ``kinds`` hold from the next batch on. ``after`` is the version that was edited.

    Raises ``KindsError`` if they cannot be worked by, ``OutdatedError`` if somebody else was quicker.
    """
    rules = checked(kinds)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE contacts_identityversion IN SHARE ROW EXCLUSIVE MODE")
        if current().version != after:
            raise OutdatedError
        return IdentityVersion.objects.create(
            number=after + 1, kinds=msgspec.to_builtins(rules), note=note, made_by=by, made_at=now
        )


class OutdatedError(Exception):
    """Another version was published meanwhile."""


@lru_cache(maxsize=16)
def _read(number: int, kinds: str) -> Kinds:
    return Kinds(tuple(_DECODER.decode(kinds)), number)


_USUAL = Kinds()
_DECODER = msgspec.json.Decoder(list[IdentifierKind])
