"""The consent ledger: how lines get into it, each chained to the one before."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from contacts import event_log, pulse, slots, statements
from contacts.consent import chain, standing
from contacts.consent.standing import EXPIRED, PENDING, Standing, Standings
from contacts.event_log import NewEvent
from contacts.models import ConsentEntry, Purpose
from contacts.permission import EVERY

__all__ = ["CHANNELS", "EXPIRED", "PENDING", "NewConsent", "lock", "record", "withdraw"]

#: The channels for which people are asked.
CHANNELS = ("email", "sms", "push", "inapp")

_GIVEN, _WITHDRAWN = ConsentEntry.Action.GIVEN.value, ConsentEntry.Action.WITHDRAWN.value


@dataclass(frozen=True, slots=True)
class NewConsent:
    """One line for the ledger. ``purpose`` may be ``*``; ``occurred_at`` is when the person said so.

    ``proof`` may hold anything that JSON can; pages and forms use ``page``, ``form``, ``ip``, ``agent`` and
    ``actor`` (who wrote it down). It can be shredded; ``origin`` cannot and names no person.
    ``expires_at`` ends it, else the purpose's own term does. A line that ``gives_way`` (an import, say)
    never overturns a refusal, nor anything said later than itself, and does not repeat what holds.
    ``history``: a file tells of it, and no journey shall start from it.
    """

    contact_id: int
    channel: str
    purpose: str
    given: bool
    origin: str
    basis: str = "consent"
    wording: str = ""
    proof: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None
    expires_at: datetime | None = None
    gives_way: bool = False
    history: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    entry: NewConsent
    line: chain.Line
    proof: dict[str, Any]
    salt: bytes
    personal: bytes
    previous: bytes
    digest: bytes


def record(entries: Sequence[NewConsent], now: datetime) -> int:
    """Write the ledger, the state that follows and the log events; returns how many lines were written.

    The contacts are locked first, so that the latest line is also the latest commit and chains never fork.
    A constant number of statements whatever the number of entries.
    """
    if not entries:
        return 0
    with transaction.atomic():
        people = {entry.contact_id for entry in entries}
        lock(people)
        numbers = _numbers(len(entries))
        standings = standing.load(people)
        terms = _terms() if any(entry.given and not entry.expires_at for entry in entries) else {}
        kept: list[tuple[NewConsent, int, datetime | None]] = []
        for entry, entry_id in zip(entries, numbers, strict=True):
            if entry.gives_way and _weaker(standings, entry, now):
                continue
            ends = _ends(entry, terms, now)
            _apply(standings, entry, entry_id, ends, now)
            kept.append((entry, entry_id, ends))
        _copy_ledger(_chained(kept, now), now)
        standing.write(standings)
        event_log.append([_event(entry, now) for entry, _id, _ends in kept])
        transaction.on_commit(partial(pulse.wake, "segments"))
    return len(kept)


def lock(contact_ids: Collection[int]) -> None:
    """Let nobody else change what these contacts allow until the transaction ends.

    For those who look first and record what is missing; contacts are locked in the order of their ids.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM contacts_contact WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [sorted(contact_ids)],
        )


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
        standings = standing.load([contact_id])
        return record(
            [
                NewConsent(contact_id, channel, purpose, False, origin, proof=proof or {})
                for channel in channels
                if _open(standings.get((contact_id, channel), {}), purpose)
            ],
            now,
        )


def _open(purposes: Mapping[str, Standing], purpose: str) -> bool:
    """Whether withdrawing would change anything: what is unknown counts as open until it is refused."""
    held = purposes.get(purpose)
    if purpose != EVERY:
        held = held or purposes.get(EVERY)
        return held is None or not held.refused
    return held is None or not held.refused or any(one.allowed or one.why for one in purposes.values())


def _weaker(standings: Standings, entry: NewConsent, now: datetime) -> bool:
    """Whether what stands is the same, a refusal that this line would overturn, or was said later."""
    purposes = standings.get((entry.contact_id, entry.channel), {})
    same = purposes.get(entry.purpose)
    if same and not same.why and same.allowed is entry.given:
        return True
    held = purposes.get(entry.purpose) or purposes.get(EVERY)
    if held is None or held.why:
        return False
    return (entry.given and held.refused) or held.since > (entry.occurred_at or now)


def _apply(
    standings: Standings, entry: NewConsent, entry_id: int, ends: datetime | None, now: datetime
) -> None:
    why = EXPIRED if entry.origin == EXPIRED else ""
    new = Standing(entry.given, entry_id, entry.occurred_at or now, ends, why)
    standing.apply(standings.setdefault((entry.contact_id, entry.channel), {}), entry.purpose, new)


def _terms() -> dict[str, int]:
    """Purposes whose consents end by themselves, and after how many days."""
    return dict(
        Purpose.objects.filter(lasts_days__isnull=False).values_list("slug", "lasts_days")  # type: ignore[arg-type]
    )


def _ends(entry: NewConsent, terms: Mapping[str, int], now: datetime) -> datetime | None:
    if not entry.given:
        return None
    days = terms.get(entry.purpose)
    return entry.expires_at or ((entry.occurred_at or now) + timedelta(days=days) if days else None)


def _numbers(count: int) -> list[int]:
    """The ids of ``count`` new lines of the ledger."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('contacts_consententry', 'id'))"
            " FROM generate_series(1, %s)",
            [count],
        )
        return sorted(row[0] for row in cursor.fetchall())


def _chained(kept: Sequence[tuple[NewConsent, int, datetime | None]], now: datetime) -> list[_Line]:
    """Each line with its digests, behind the last line of its contact's chain."""
    heads = _heads({entry.contact_id for entry, _id, _ends in kept})
    salts = os.urandom(chain.SALT * len(kept))
    lines = []
    for i, (entry, entry_id, ends) in enumerate(kept):
        seq, previous = heads.get(entry.contact_id, (0, chain.GENESIS))
        line = chain.Line(
            entry_id, entry.contact_id, seq + 1, entry.channel, entry.purpose,
            _GIVEN if entry.given else _WITHDRAWN, entry.basis, entry.wording, entry.origin,
            entry.occurred_at or now, now, ends,
        )  # fmt: skip
        salt, proof = salts[i * chain.SALT : (i + 1) * chain.SALT], chain.storable(entry.proof)
        personal = chain.personal(salt, proof)
        digest = chain.digest(line, personal, previous)
        heads[entry.contact_id] = (seq + 1, digest)
        lines.append(_Line(entry, line, proof, salt, personal, previous, digest))
    return lines


def _heads(chains: Collection[int]) -> dict[int, tuple[int, bytes]]:
    """The last line of each chain: its place and digest."""
    return {
        number: (seq, bytes(digest))
        for number, seq, digest in statements.rows(
            "SELECT u.chain, e.seq, e.digest FROM unnest(%b::int8[]) AS u(chain) CROSS JOIN LATERAL"
            " (SELECT seq, digest FROM contacts_consententry WHERE chain = u.chain"
            " ORDER BY seq DESC LIMIT 1) AS e",
            [list(chains)],
        )
    }


def _copy_ledger(lines: Sequence[_Line], now: datetime) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY contacts_consententry (id, slot, contact_id, channel, purpose, action, basis, wording,"
            " origin, proof, occurred_at, recorded_at, expires_at, chain, seq, salt, personal, previous,"
            " digest) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(
            ["int8", "int2", "int8", *["varchar"] * 6, "jsonb", *["timestamptz"] * 3, "int8", "int4"]
            + ["bytea"] * 4
        )
        for one in lines:
            line = one.line
            copy.write_row(
                (
                    line.id, slots.of(line.chain), line.chain, line.channel, line.purpose, line.action,
                    line.basis, line.wording, line.origin, Jsonb(one.proof), line.occurred_at, now,
                    line.expires_at, line.chain, line.seq, one.salt, one.personal, one.previous, one.digest,
                )
            )  # fmt: skip


def _event(entry: NewConsent, now: datetime) -> NewEvent:
    properties: dict[str, Any] = {
        "channel": entry.channel,
        "purpose": entry.purpose,
        "origin": entry.origin,
    }
    if entry.history:
        properties[event_log.HISTORY] = True
    return NewEvent(
        contact_id=entry.contact_id,
        name="Consent Given" if entry.given else "Consent Withdrawn",
        occurred_at=entry.occurred_at or now,
        received_at=now,
        properties=properties,
    )
