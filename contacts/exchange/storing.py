"""Lines of a file into the database, a chunk at a time, by the rules of identity, profile and consent.

A chunk is one transaction of the caller's with a constant number of statements.
"""

from __future__ import annotations

import itertools
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from django.db import connection

from contacts import consent, copying, event_log, identity, once, segments, slots
from contacts.consent import NewConsent
from contacts.event_log import HISTORY, IMPORTED, SYSTEM, TRACK, NewEvent
from contacts.exchange.lines import Line, Refused
from contacts.exchange.mapping import EVENTS, SUPPRESSIONS, Mapping
from contacts.models import Segment, Suppression
from contacts.privacy import tombstones
from contacts.privacy.tombstones import Candidate
from contacts.recognising import People, recognise

CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"
_CHANNELS = {"email": "email", "phone": "sms"}


class Job(NamedTuple):
    """What storing has to know of an import."""

    id: int
    what: str
    mapping: Mapping
    source_id: int | None
    segment: Segment | None


@dataclass(slots=True)
class Outcome:
    """What became of each line: ``of`` is in the order of the lines that were not refused."""

    of: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    merged: int = 0
    consents: int = 0
    made: list[int] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        return Counter(self.of)


def store(job: Job, lines: Sequence[Line], now: datetime) -> Outcome:
    """Store ``lines``. Raises ``identity.ContendedError`` when others were in the way."""
    if job.what == SUPPRESSIONS:
        return _suppress(lines, now)
    outcome = Outcome()
    wanted = _by_mode(job.mapping.mode, _without_the_erased(lines, outcome), outcome)
    if not wanted:
        return outcome
    if job.what == EVENTS:
        _events(job, wanted, outcome, now)
    else:
        _contacts(job, wanted, outcome, now)
    return outcome


def _without_the_erased(lines: Sequence[Line], outcome: Outcome) -> list[Line]:
    """Without the lines of people who were erased; of these not even the cells are kept."""
    allowed = tombstones.screen([Candidate(line.identifiers, line.occurred_at) for line in lines])
    kept = []
    for line, identifiers in zip(lines, allowed, strict=True):
        if identifiers:
            kept.append(line if identifiers == line.identifiers else replace(line, identifiers=identifiers))
        else:
            outcome.refused.append(Refused(line.number, [], "erased"))
    return kept


def _by_mode(mode: str, lines: Sequence[Line], outcome: Outcome) -> list[Line]:
    """Without the lines of people who exist, or who do not, where that was asked for."""
    if mode == "upsert":
        return list(lines)
    known = set(identity.owners(itertools.chain.from_iterable(line.identifiers for line in lines)))
    wanted = []
    for line in lines:
        found = not known.isdisjoint(line.identifiers)
        if found is (mode == "update"):
            wanted.append(line)
            known.update(line.identifiers)
        else:
            outcome.refused.append(
                Refused(line.number, line.cells, "exists" if mode == "create" else "unknown_person")
            )
    return wanted


def _contacts(job: Job, lines: Sequence[Line], outcome: Outcome, now: datetime) -> None:
    people = recognise(lines, now, seen=False)
    resolved = people.resolved
    outcome.of = list(_outcomes(people))
    outcome.merged, outcome.made = len(resolved.merged), resolved.created
    news = {} if job.mapping.journeys else {HISTORY: job.id}
    event_log.append(_news(job, people, news, now))
    outcome.consents = _consent(job, lines, resolved.contacts, now)
    if job.segment:
        segments.add(job.segment, resolved.contacts, now, history=not job.mapping.journeys)
    _remember(job.id, resolved.created)


def _outcomes(people: People) -> Iterator[str]:
    """A new contact is created by its first line; a later line of somebody who changed updates them."""
    created = set(people.resolved.created)
    told = created.union(people.changes, people.resolved.merged.values())
    for contact in people.resolved.contacts:
        if contact in created:
            created.remove(contact)
            yield CREATED
        else:
            yield UPDATED if contact in told else UNCHANGED


def _news(job: Job, people: People, news: dict[str, Any], now: datetime) -> Iterator[NewEvent]:
    for contact in people.resolved.created:
        yield NewEvent(contact, "Contact Created", now, now, SYSTEM, job.source_id, properties=news)
    for contact in sorted(people.changes.keys() | set(people.resolved.merged.values())):
        changed = people.changes.get(contact, {})
        yield NewEvent(contact, "Identified", now, now, SYSTEM, job.source_id, properties=changed | news)


def _events(job: Job, lines: Sequence[Line], outcome: Outcome, now: datetime) -> None:
    fresh = _first_of_each(job, lines, now)
    outcome.of = [CREATED if new else UNCHANGED for new in fresh]
    wanted = [line for line, new in zip(lines, fresh, strict=True) if new]
    if not wanted:
        return
    people = recognise(wanted, now)
    outcome.merged, outcome.made = len(people.resolved.merged), people.resolved.created
    event_log.append(_history(job, wanted, people, now))
    _remember(job.id, people.resolved.created)


def _first_of_each(job: Job, lines: Sequence[Line], now: datetime) -> list[bool]:
    """Whether each line's event was never seen before from the import's source."""
    keys = [once.key("event", job.source_id, line.event[1]) for line in lines if line.event]
    unseen = once.claim(keys, now)
    first = []
    for key in keys:
        first.append(key in unseen)
        unseen.discard(key)
    return first


def _history(job: Job, lines: Sequence[Line], people: People, now: datetime) -> Iterator[NewEvent]:
    new = set(people.resolved.created)
    quiet = not job.mapping.journeys
    for contact, line in zip(people.resolved.contacts, lines, strict=True):
        if contact in new:
            new.remove(contact)
            told = {HISTORY: job.id} if quiet else {}
            yield NewEvent(contact, "Contact Created", line.occurred_at, now, properties=told)
        if line.event:
            name, message_id, properties = line.event
            kind = IMPORTED if quiet else TRACK
            yield NewEvent(
                contact, name, line.occurred_at, now, kind, job.source_id, message_id,
                properties=msgspec.json.encode(properties),
            )  # fmt: skip


def _consent(job: Job, lines: Sequence[Line], contacts: Sequence[int], now: datetime) -> int:
    """Write to the ledger what lines say and what does not hold already; returns how many entries.

    What somebody said later than the file, or refused, stays.
    """
    said: dict[tuple[int, str, str], tuple[Line, bool]] = {}
    for contact, line in zip(contacts, lines, strict=True):
        for wish in line.wishes:
            said[contact, wish.channel, wish.purpose] = line, wish.given
    entries = [
        NewConsent(
            contact, channel, purpose, given, f"import:{job.id}",
            basis=job.mapping.basis, wording=line.wording, proof=_proof(job, line),
            occurred_at=line.wished_at, gives_way=True, history=not job.mapping.journeys,
        )
        for (contact, channel, purpose), (line, given) in said.items()
    ]  # fmt: skip
    return consent.record(entries, now)


def _proof(job: Job, line: Line) -> dict[str, Any]:
    return {"import": job.id, "line": line.number} | ({"proof": line.proof[:500]} if line.proof else {})


def _suppress(lines: Sequence[Line], now: datetime) -> Outcome:
    outcome, seen = Outcome(), set[tuple[str, str]]()
    by_note: dict[str, list[tuple[str, str]]] = {}
    pairs = [[(_CHANNELS[one.kind], one.value) for one in line.identifiers] for line in lines]
    for line, addresses in zip(lines, pairs, strict=True):
        by_note.setdefault(line.note[:300], []).extend(addresses)
    new = set[tuple[str, str]]()
    for note, addresses in sorted(by_note.items()):
        new |= consent.suppress(addresses, Suppression.Reason.MANUAL, now, note=note)
    for addresses in pairs:
        keys = {(channel, consent.address_key(channel, address)) for channel, address in addresses}
        outcome.of.append(CREATED if keys & new - seen else UNCHANGED)
        seen |= keys
    return outcome


def refuse(job_id: int, refused: Iterable[Refused]) -> int:
    """Keep lines that were not imported, with their reasons; returns how many."""
    count = 0
    with (
        connection.cursor() as cursor,
        cursor.copy('COPY contacts_rejectedline (import_id, line, code, "column", cells) FROM STDIN') as copy,
    ):
        for one in refused:
            cells = msgspec.json.encode([cell.replace("\0", "\ufffd") for cell in one.cells]).decode()
            copy.write_row((job_id, one.number, one.code, one.column[:255].replace("\0", "\ufffd"), cells))
            count += 1
    return count


def _remember(job_id: int, made: Sequence[int]) -> None:
    if not made:
        return
    rows = (_made(3, 8, job_id, 8, contact, 2, slots.of(contact)) for contact in made)
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY contacts_importedcontact (import_id, contact_id, slot) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.write(copying.HEADER + b"".join(rows) + copying.TRAILER)


_made = struct.Struct("!h iq iq ih").pack
