"""What contacts allow: a ledger that only grows, the state that follows from it, and suppressed addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import psycopg
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from contacts import event_log, permission, pulse, slots
from contacts.event_log import NewEvent
from contacts.models import ConsentEntry, Purpose, Suppression
from contacts.permission import EVERY

#: The channels for which people are asked.
CHANNELS = ("email", "sms", "push")

_GIVEN, _WITHDRAWN = ConsentEntry.Action.GIVEN.value, ConsentEntry.Action.WITHDRAWN.value
_LONGEST_ADDRESS = 512


@dataclass(frozen=True, slots=True)
class NewConsent:
    """One line for the ledger. ``purpose`` may be ``*``; ``occurred_at`` is when the person said so."""

    contact_id: int
    channel: str
    purpose: str
    given: bool
    origin: str
    basis: str = "consent"
    wording: str = ""
    proof: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None


@dataclass(slots=True)
class _Held:
    allowed: bool
    entry_id: int
    since: datetime
    changed: bool = False


#: (contact, channel) to purpose to what holds.
_States = dict[tuple[int, str], dict[str, _Held]]


def record(entries: Sequence[NewConsent], now: datetime) -> int:
    """Write the ledger, the state that follows and the log events; returns how many lines were written.

    The contacts are locked first, so that the latest line is also the latest commit. A constant number of
    statements whatever the number of entries.
    """
    if not entries:
        return 0
    with transaction.atomic():
        lock({entry.contact_id for entry in entries})
        ids = _numbers(len(entries))
        states = _load({entry.contact_id for entry in entries})
        for entry, entry_id in zip(entries, ids, strict=True):
            _apply(states, entry, entry_id, now)
        _copy_ledger(entries, ids, now)
        _write_states(states)
        event_log.append(_event(entry, now) for entry in entries)
        transaction.on_commit(partial(pulse.wake, "segments"))
    return len(entries)


def lock(contact_ids: Collection[int]) -> None:
    """Let nobody else change what these contacts allow until the transaction ends.

    For those who look first and record what is missing; contacts are locked in the order of their ids.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM contacts_contact WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [sorted(contact_ids)],
        )


def states(contact_ids: Collection[int]) -> dict[int, dict[tuple[str, str], bool]]:
    """Per contact that ever said something: (channel, purpose) to allowed. ``permission.of`` reads it."""
    found: dict[int, dict[tuple[str, str], bool]] = {}
    for (contact_id, channel), purposes in _load(contact_ids).items():
        found.setdefault(contact_id, {}).update(
            {(channel, purpose): held.allowed for purpose, held in purposes.items()}
        )
    return found


def allowed(wanted: Collection[tuple[int, str, str]]) -> set[tuple[int, str, str]]:
    """Of the (contact, channel, purpose) triples, those that may be written to: service or consented."""
    consents = states({contact_id for contact_id, _channel, _purpose in wanted})
    service = transactional_purposes()
    return {
        (contact_id, channel, purpose)
        for contact_id, channel, purpose in wanted
        if purpose in service or permission.of(consents.get(contact_id, {}), channel, purpose)
    }


def transactional_purposes() -> frozenset[str]:
    """Slugs of the purposes that need no marketing consent."""
    return frozenset(Purpose.objects.filter(transactional=True).values_list("slug", flat=True))


def withdraw(
    contact_id: int,
    now: datetime,
    *,
    origin: str,
    channels: Iterable[str] = CHANNELS,
    purpose: str = EVERY,
    proof: Mapping[str, Any] | None = None,
) -> int:
    """Withdraw ``purpose`` (all by default) on ``channels``, where that is not the case already."""
    with transaction.atomic():
        lock([contact_id])
        consents = states([contact_id]).get(contact_id, {})
        return record(
            [
                NewConsent(contact_id, channel, purpose, False, origin, proof=proof or {})
                for channel in channels
                if _open(consents, channel, purpose)
            ],
            now,
        )


def suppress(
    pairs: Iterable[tuple[str, str]], reason: str, now: datetime, *, note: str = ""
) -> set[tuple[str, str]]:
    """Never write to these (channel, address) pairs again; returns those that were not suppressed yet."""
    rows = sorted({(channel, address_key(channel, address)) for channel, address in pairs if address})
    if not rows:
        return set()
    return _raw(
        "INSERT INTO contacts_suppression (channel, address, reason, note, created_at)"
        " SELECT c, a, %b, %b, %b::timestamptz FROM unnest(%b::text[], %b::text[]) AS u(c, a)"
        " ON CONFLICT DO NOTHING RETURNING channel, address",
        [reason, note, now, [row[0] for row in rows], [row[1] for row in rows]],
    )


def allow_again(pairs: Iterable[tuple[str, str]]) -> int:
    """Lift suppressions; returns how many there were."""
    keys = [(channel, address_key(channel, address)) for channel, address in pairs]
    removed = 0
    for channel in {channel for channel, _address in keys}:
        addresses = [address for one, address in keys if one == channel]
        removed += Suppression.objects.filter(channel=channel, address__in=addresses).delete()[0]
    return removed


def suppressed(pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of the (channel, address) pairs, those that must not be written to."""
    keys = {(channel, address): address_key(channel, address) for channel, address in pairs if address}
    if not keys:
        return set()
    found = _raw(
        "SELECT s.channel, s.address FROM unnest(%b::text[], %b::text[]) AS u(channel, address)"
        " JOIN contacts_suppression s ON s.channel = u.channel AND s.address = u.address",
        [[channel for channel, _address in keys], list(keys.values())],
    )
    return {pair for pair, key in keys.items() if (pair[0], key) in found}


def address_key(channel: str, address: str) -> str:
    """The form in which an address is suppressed: emails without case, endless ones by their digest."""
    text = address.strip().lower() if channel == "email" else address.strip()
    if len(text) <= _LONGEST_ADDRESS:
        return text
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _open(consents: permission.Consents, channel: str, purpose: str) -> bool:
    """Whether withdrawing would change anything: what is unknown counts as open until it is refused."""
    if purpose != EVERY:
        return permission.of(consents, channel, purpose) is not False
    held = [allowed for (one, _purpose), allowed in consents.items() if one == channel]
    return consents.get((channel, EVERY)) is not False or any(held)


def _numbers(count: int) -> list[int]:
    """The ids of ``count`` new lines of the ledger."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('contacts_consententry', 'id'))"
            " FROM generate_series(1, %s)",
            [count],
        )
        return sorted(row[0] for row in cursor.fetchall())


def _load(contact_ids: Collection[int]) -> _States:
    found: _States = {}
    for contact_id, channel, purpose, is_allowed, entry_id, since in _raw(
        "SELECT contact_id, channel, purpose, allowed, entry_id, since FROM contacts_consentstate"
        " WHERE contact_id = ANY(%b::int8[])",
        [list(contact_ids)],
    ):
        found.setdefault((contact_id, channel), {})[purpose] = _Held(is_allowed, entry_id, since)
    return found


def _apply(states: _States, entry: NewConsent, entry_id: int, now: datetime) -> None:
    """Let one line change what holds.

    Withdrawing ``*`` closes every purpose that was open; giving it opens again only what ``*`` had closed.
    """
    since = entry.occurred_at or now
    purposes = states.setdefault((entry.contact_id, entry.channel), {})
    if entry.purpose == EVERY:
        before = purposes.get(EVERY)
        for purpose, held in purposes.items():
            closed_by_every = before is not None and not before.allowed and held.entry_id == before.entry_id
            if purpose != EVERY and held.allowed is not entry.given and (not entry.given or closed_by_every):
                purposes[purpose] = _Held(entry.given, entry_id, since, changed=True)
    purposes[entry.purpose] = _Held(entry.given, entry_id, since, changed=True)


def _copy_ledger(entries: Sequence[NewConsent], ids: Sequence[int], now: datetime) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY contacts_consententry (id, slot, contact_id, channel, purpose, action, basis, wording,"
            " origin, proof, occurred_at, recorded_at) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(["int8", "int2", "int8"] + ["varchar"] * 6 + ["jsonb", "timestamptz", "timestamptz"])
        for entry, entry_id in zip(entries, ids, strict=True):
            copy.write_row(
                (
                    entry_id,
                    slots.of(entry.contact_id),
                    entry.contact_id,
                    entry.channel,
                    entry.purpose,
                    _GIVEN if entry.given else _WITHDRAWN,
                    entry.basis,
                    entry.wording,
                    entry.origin,
                    Jsonb(dict(entry.proof)),
                    entry.occurred_at or now,
                    now,
                )
            )


def _write_states(states: _States) -> None:
    rows = [
        (slots.of(contact_id), contact_id, channel, purpose, held.allowed, held.entry_id, held.since)
        for (contact_id, channel), purposes in states.items()
        for purpose, held in purposes.items()
        if held.changed
    ]
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "INSERT INTO contacts_consentstate (slot, contact_id, channel, purpose, allowed, entry_id, since)"
            " SELECT * FROM unnest(%b::int2[], %b::int8[], %b::text[], %b::text[], %b::bool[], %b::int8[],"
            " %b::timestamptz[])"
            " ON CONFLICT (contact_id, channel, purpose) DO UPDATE SET allowed = excluded.allowed,"
            " entry_id = excluded.entry_id, since = excluded.since",
            [list(column) for column in zip(*rows, strict=True)],
        )


def _event(entry: NewConsent, now: datetime) -> NewEvent:
    properties = {"channel": entry.channel, "purpose": entry.purpose, "origin": entry.origin}
    return NewEvent(
        contact_id=entry.contact_id,
        name="Consent Given" if entry.given else "Consent Withdrawn",
        occurred_at=entry.occurred_at or now,
        received_at=now,
        properties=properties,
    )


def _raw(statement: str, values: Sequence[Any]) -> set[Any]:
    """Run one statement with binary parameters in the current transaction; returns its rows."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, values)
        return set(cursor.fetchall())
