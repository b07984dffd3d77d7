"""Create and change contacts that a program describes, a batch at a time, by the rules of ingest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from django.db import connection

from contacts import contention, event_log
from contacts.crashpoints import crashpoint
from contacts.event_log import NewEvent
from contacts.privacy import tombstones
from contacts.privacy.tombstones import Candidate
from contacts.profile import MOST_BYTES
from contacts.recognising import People, recognise
from contacts.upsert_checks import NAMED, Fault, Said, read

MOST = 1_000

CREATED, UPDATED, UNCHANGED, REJECTED = "created", "updated", "unchanged", "rejected"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item. ``not_kept`` names attributes for which the contact has no room left."""

    status: str
    contact_id: int | None = None
    public_id: UUID | None = None
    not_kept: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    """A contact as it is stored now; ``size`` is that of its attributes as text."""

    public_id: UUID
    attributes: dict[str, Any]
    size: int

    def holds(self, name: str, wanted: Any) -> bool:
        """Whether the value is there as it was told, or gone if null was told."""
        if wanted is None or name not in self.attributes:
            return (wanted is None) is (name not in self.attributes)
        # A former value stays only where the new one found no room.
        return self.size + len(msgspec.json.encode(wanted)) <= MOST_BYTES or self.attributes[name] == wanted


_ERASED = Outcome(
    REJECTED, faults=(Fault(None, "erased", "This person was erased and is not brought back this way."),)
)


def upsert(items: Sequence[Any], origin: str, now: datetime) -> list[Outcome]:
    """Store the readable ones of ``items`` (decoded JSON) together, and tell of each what became of it.

    Items count in their order, so the last word about a contact holds. All that are readable are stored or
    none is. A constant number of statements. Raises ``contention.ContendedTooLong``.
    """
    told = [read(item, origin, now) for item in items]
    said = [one for one in told if isinstance(one, Said)]
    stored = iter(_store(said, now) if said else [])
    return [next(stored) if isinstance(one, Said) else Outcome(REJECTED, faults=tuple(one)) for one in told]


def _store(said: Sequence[Said], now: datetime) -> list[Outcome]:
    def act() -> list[Outcome]:
        outcomes = _store_once(said, now)
        crashpoint("upsert.before_commit")
        return outcomes

    return contention.again(act)


def _store_once(said: Sequence[Said], now: datetime) -> list[Outcome]:
    """Outcomes of all; those of people who were erased stay out, whatever a program says."""
    allowed = tombstones.screen([Candidate(one.identifiers, one.occurred_at) for one in said])
    kept = [replace(one, identifiers=left) for one, left in zip(said, allowed, strict=True) if left]
    outcomes = iter(_keep(kept, now) if kept else [])
    return [next(outcomes) if left else _ERASED for left in allowed]


def _keep(said: Sequence[Said], now: datetime) -> list[Outcome]:
    people = recognise(said, now)
    event_log.append(_log_lines(said, people, now))
    rows = _stored(set(people.resolved.contacts))
    wanted = _wanted(said, people.resolved.contacts)
    created = set(people.resolved.created)
    changed = people.changes.keys() | set(people.resolved.merged.values())
    outcomes = []
    for one, contact in zip(said, people.resolved.contacts, strict=True):
        row = rows[contact]
        if contact in created:
            status = CREATED
            created.remove(contact)
            changed.add(contact)
        else:
            status = UPDATED if contact in changed else UNCHANGED
        lost = [name for name in _own(one) if not row.holds(name, wanted[contact][name])]
        outcomes.append(Outcome(status, contact, row.public_id, tuple(sorted(lost))))
    return outcomes


def _log_lines(said: Sequence[Said], people: People, now: datetime) -> Iterator[NewEvent]:
    """What segments and journeys follow: who is new, and what changed of whom."""
    new = set(people.resolved.created)
    traits: dict[int, dict[str, Any]] = {}
    for contact, one in zip(people.resolved.contacts, said, strict=True):
        traits.setdefault(contact, {}).update(one.traits)
    for contact in sorted(traits):
        if contact in new:
            yield NewEvent(contact, "Contact Created", now, now)
        if contact in new or contact in people.changes:
            properties = people.changes.get(contact) or traits[contact]
            yield NewEvent(contact, "Identified", now, now, properties=properties)


def _stored(contacts: set[int]) -> dict[int, _Row]:
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT id, public_id, attributes::text FROM contacts_contact WHERE id = ANY(%b::int8[])",
            [sorted(contacts)],
        )
        return {
            contact: _Row(public_id, msgspec.json.decode(text), len(text))
            for contact, public_id, text in cursor.fetchall()
        }


def _wanted(said: Iterable[Said], contacts: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The last word of the batch about each free attribute."""
    wanted: dict[int, dict[str, Any]] = {}
    for one, contact in zip(said, contacts):
        wanted.setdefault(contact, {}).update({name: one.traits[name] for name in _own(one)})
    return wanted


def _own(one: Said) -> list[str]:
    return [name for name in one.traits if name not in NAMED]
