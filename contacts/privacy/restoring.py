"""After a backup was restored: erase again whom the backup still knew, and let the log's readers go on.

The file of tombstones lies outside the database and knows erasures that an older dump does not. It holds
keyed digests only, so every identifier is digested and looked up: some seconds a million.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from contacts import event_log_healing
from contacts.models import PrivacyRequest
from contacts.privacy import erasing, requests, tombstones
from contacts.privacy.tombstones import CONTACT, Mark

_AT_ONCE = 200
_FETCHED = 20_000


@dataclass(frozen=True, slots=True)
class Restored:
    """What was amiss: tombstones that the database did not have, people it still had, the log's addend."""

    tombstones: int
    people: int
    addend: int

    def __bool__(self) -> bool:
        return bool(self.tombstones or self.people or self.addend)


def restore(now: datetime, path: Path | None = None, *, thorough: bool = False) -> Restored:
    """Bring a restored database up to what the file knows. Changes nothing in one that is as it was.

    People are looked for where the file had something new to tell, or with ``thorough`` in any case.
    """
    addend = event_log_healing.heal()
    marks = tombstones.read(path or tombstones.file())
    with transaction.atomic():
        changed = tombstones.keep(marks)
    people = _erase_again(marks, now) if changed or thorough else 0
    return Restored(changed, people, addend)


def _erase_again(marks: list[Mark], now: datetime) -> int:
    wanted = sorted(_come_back(marks))
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        with transaction.atomic():
            tombstones.alone()
            erasing.erase_unasked(some, now)
            for request in PrivacyRequest.objects.filter(contact_id__in=some, state__in=requests.OPEN):
                requests.close(request, now, "Segue", "erased before, in the time that the backup lacks")
    return len(wanted)


def _come_back(marks: list[Mark]) -> set[int]:
    """Contacts that were erased: their own public id says so, or a name that nobody has taken up again."""
    erased: dict[UUID, datetime] = {}
    lifted: set[UUID] = set()
    for mark in sorted(marks, key=lambda mark: mark.at):
        erased[mark.key] = max(mark.at, erased.get(mark.key, mark.at)) if not mark.lifted else mark.at
        (lifted.add if mark.lifted else lifted.discard)(mark.key)
    found: set[int] = set()
    for contact, public in _stream("SELECT id, public_id::text FROM contacts_contact"):
        if any(one in erased for one in tombstones.digests(CONTACT, public)):
            found.add(contact)
    for contact, kind, value, since in _stream(
        "SELECT i.contact_id, i.kind, i.value, c.first_seen_at FROM contacts_identifier i"
        " JOIN contacts_contact c ON c.id = i.contact_id"
    ):
        for one in tombstones.digests(kind, value):
            if one in erased and one not in lifted and since <= erased[one]:
                found.add(contact)
    return found


def _stream(statement: str) -> Iterator[tuple[Any, ...]]:
    connection.ensure_connection()
    with transaction.atomic(), connection.connection.cursor("restoring") as cursor:
        cursor.itersize = _FETCHED
        cursor.execute(statement)
        yield from cursor
