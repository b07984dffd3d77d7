"""Erasure: the whole inventory for one person, in steps that a crash may come between.

1. *Begin*: tombstones are laid, so that nothing brings the person in any more; what waits is called off.
2. *Wait*, for minutes at most: a message that is being handed over may leave, and readers of the log finish,
   so that totals stay right.
3. *End*: table by table, each with its count in one transaction. Whoever dies in between goes on there.
4. *Settle*: the certificate says what was done; nothing in it names the person.
5. *Sweep*: for some minutes, whatever a late writer left under the old number goes too.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
import psycopg
from django.db import connection, transaction

from contacts.crashpoints import crashpoint
from contacts.models import Contact, PrivacyRequest
from contacts.privacy import people, requests, tombstones
from contacts.privacy.inventory import NOBODY, Table, inventory
from contacts.privacy.inventory_kinds import Act
from contacts.privacy.people import People

Kind, State = PrivacyRequest.Kind, PrivacyRequest.State

PATIENCE = timedelta(minutes=15)
"For those who are busy with the person; the law does not wait for a broken reader."
_AGAIN = timedelta(seconds=10)
_SWEPT = timedelta(minutes=15)
"Longer than any pulse's transaction may take."
_MACHINE = "Segue"
_REQUEST = "contacts.PrivacyRequest"
_LOCK = zlib.crc32(b"contacts.erasing") & 0x7FFFFFFF


def pulse(now: datetime) -> int:
    """Carry out what is due and sweep after what was done; returns how many requests moved on.

    One worker at a time: the others have nothing to do.
    """
    with _alone() as free:
        if not free:
            return 0
        due = PrivacyRequest.objects.filter(
            kind=Kind.ERASURE, state__in=[State.WAITING, State.RUNNING], begins_at__lte=now
        )
        moved = sum(carry_out(request, now) for request in due.order_by("begins_at", "id")[:50])
        return moved + sweep(now)


def carry_out(request: PrivacyRequest, now: datetime) -> bool:
    """Take an approved erasure as far as it goes now; whether it is done. Safe to repeat after a crash."""
    if request.state == State.WAITING and not begin(request, now):
        return False
    request.refresh_from_db()
    draft = request.certificate or {}
    somebody = _people(request)
    if _busy(somebody, now) and now < datetime.fromisoformat(draft["begun"]) + PATIENCE:
        PrivacyRequest.objects.filter(pk=request.pk).update(begins_at=now + _AGAIN)
        return False
    # The last message may have left while we waited, with the traces of a journey that had just begun.
    _stop(somebody, now)
    tables = inventory().people
    for number, table in enumerate(tables, 1):
        _end(request, table, somebody, now, 100 * number // len(tables))
        crashpoint("erasing.between_tables")
    _look_again(request, somebody, now)
    settle(request, somebody, now)
    return True


def begin(request: PrivacyRequest, now: datetime) -> bool:
    """Lay the tombstones and call off what waits. Commits once; False where somebody called it off."""
    with transaction.atomic():
        tombstones.alone()
        locked = PrivacyRequest.objects.select_for_update().get(pk=request.pk)
        if locked.state != State.WAITING:
            return False
        somebody = people.known([locked.contact_id])
        tombstones.lay(somebody, now)
        _stop(somebody, now)
        locked.state, locked.begins_at = State.RUNNING, now
        locked.certificate = {
            "begun": now.isoformat(),
            "contacts": list(somebody.contacts),
            "names": [list(pair) for pair in somebody.names],
            "publics": [str(public) for public in somebody.publics],
            "counts": {},
        }
        locked.save(update_fields=["state", "begins_at", "certificate"])
        requests.note_down(locked, now, _MACHINE, "begun", f"{len(somebody.names)} names")
        crashpoint("erasing.before_begun")
    crashpoint("erasing.after_begun")
    return True


def _look_again(request: PrivacyRequest, somebody: People, now: datetime) -> None:
    """End what lies beside the tables, and search everything once more by all the person's names.

    What is found is kept for the auditor: afterwards nobody knows any name to search for.
    """
    names = [value for _kind, value in somebody.names] + [str(public) for public in somebody.publics]
    ended = {place.name: place.end(names, now) for place in inventory().places}
    # The request itself is ended when it is settled.
    ending = [one for one in inventory().people if one.act is not Act.KEEP and one.model != _REQUEST]
    left = {table.name: people.left(table, somebody, now) for table in ending}
    left |= {place.name: place.count(names) for place in inventory().places}
    with transaction.atomic():
        locked = PrivacyRequest.objects.select_for_update().get(pk=request.pk)
        draft = locked.certificate or {}
        done = {name: count + draft.get("places", {}).get(name, 0) for name, count in ended.items()}
        left = {name: rows for name, rows in left.items() if rows}
        locked.certificate = draft | {"places": done, "left": left}
        locked.save(update_fields=["certificate"])


def settle(request: PrivacyRequest, somebody: People, now: datetime) -> None:
    """Write the certificate; only the bare number stays for the sweep."""
    with transaction.atomic():
        locked = PrivacyRequest.objects.select_for_update().get(pk=request.pk)
        draft = locked.certificate or {}
        locked.certificate = _certificate(locked, draft, now) | {"contacts": draft["contacts"]}
        locked.state, locked.settled_at, locked.begins_at = State.DONE, now, None
        locked.until, locked.progress, locked.names, locked.note = now + _SWEPT, 100, "", ""
        locked.save()
        for other in requests.of_contact(locked.contact_id).filter(state__in=requests.OPEN):
            requests.close(other, now, _MACHINE, "ended by the erasure")
        requests.note_down(locked, now, _MACHINE, "erased", f"{sum(draft['counts'].values())} rows")
        crashpoint("erasing.before_settled")


def sweep(now: datetime) -> int:
    """End what late writers left of people erased in the last minutes; then forget their numbers too."""
    settled = list(PrivacyRequest.objects.filter(kind=Kind.ERASURE, state=State.DONE).exclude(until=None))
    if not settled:
        return 0
    ids = sorted({each for one in settled for each in (one.certificate or {}).get("contacts", ())})
    gone = People(tuple(ids), (), ())
    with transaction.atomic():
        for table in inventory().people:
            if table.swept:
                people.end(table, gone, now)
        over = [one for one in settled if one.until and one.until <= now]
        numbers = {each for one in over for each in (one.certificate or {}).get("contacts", ())}
        PrivacyRequest.objects.filter(contact_id__in=numbers).update(contact_id=NOBODY, slot=NOBODY)
        for one in over:
            one.contact_id, one.slot, one.until = NOBODY, NOBODY, None
            one.certificate = {
                key: value for key, value in (one.certificate or {}).items() if key != "contacts"
            }
            one.save(update_fields=["contact_id", "slot", "until", "certificate"])
    return len(over)


def erase_unasked(contact_ids: Collection[int], now: datetime) -> int:
    """End some contacts whom nobody asked about, in the caller's transaction; returns how many rows.

    For retention: no tombstone, since nobody said that they must not come back. The caller holds the
    contacts' rows, so that no event of theirs is being written.
    """
    somebody = people.known(contact_ids)
    _stop(somebody, now)
    ended = 0
    for table in inventory().people:
        _before(table, somebody, now)
        ended += people.end(table, somebody, now)
    return ended


def preview(contact: Contact, now: datetime) -> list[tuple[Table, int]]:
    """How many rows of each table an erasure would touch, for whoever is about to confirm it."""
    somebody = people.known([contact.pk])
    found = [(table, people.count(table, somebody, now)) for table in inventory().people]
    return [(table, count) for table, count in found if count]


def _certificate(request: PrivacyRequest, draft: dict[str, Any], now: datetime) -> dict[str, Any]:
    acts = {table.name: table for table in inventory().people}
    stated: dict[str, Any] = {
        "reference": str(request.reference),
        "asked": request.asked_at.isoformat(),
        "begun": draft["begun"],
        "erased": now.isoformat(),
        "inventory": inventory().fingerprint(),
        "tables": [
            {"table": name, "act": str(acts[name].act), "rows": count, "why": acts[name].why}
            for name, count in sorted(draft["counts"].items())
            if name in acts and count
        ],
        "tombstones": len(draft["names"]) + len(draft["publics"]),
        "places": draft.get("places", {}),
        "left": draft.get("left", {}),
    }
    return stated | {"sha256": digest(stated)}


def digest(stated: dict[str, Any]) -> str:
    """What proves that a certificate was not altered: of all its values but this one, keys in order."""
    stated = {key: value for key, value in stated.items() if key not in ("sha256", "contacts")}
    return hashlib.sha256(msgspec.json.encode(stated, order="deterministic")).hexdigest()


def _end(request: PrivacyRequest, table: Table, somebody: People, now: datetime, progress: int) -> None:
    with transaction.atomic():
        locked = PrivacyRequest.objects.select_for_update().get(pk=request.pk)
        draft = locked.certificate or {}
        _before(table, somebody, now)
        ended = people.end(table, somebody, now)
        if table.model == _REQUEST:
            locked.refresh_from_db()
        draft["counts"][table.name] = draft["counts"].get(table.name, 0) + ended
        locked.certificate, locked.progress = draft, min(progress, 99)
        locked.save(update_fields=["certificate", "progress"])


def _people(request: PrivacyRequest) -> People:
    """As they were when the erasure began: names that are deleted already are still looked for."""
    draft = request.certificate or {}
    now_known = people.known([*draft["contacts"], request.contact_id])
    return People(
        tuple(sorted({*draft["contacts"], *now_known.contacts})),
        now_known.publics,
        tuple(sorted({*now_known.names, *((kind, value) for kind, value in draft["names"])})),
    )


def _busy(somebody: People, now: datetime) -> bool:
    with psycopg.Cursor(_raw()) as cursor:
        for table in inventory().people:
            if table.busy:
                cursor.execute(
                    f"SELECT EXISTS (SELECT FROM {table.name} t WHERE ({table.find}) AND {table.busy})",
                    somebody.parameters(now),
                )
                row = cursor.fetchone()
                if row and row[0]:
                    return True
    return False


def _stop(somebody: People, now: datetime) -> None:
    with psycopg.Cursor(_raw()) as cursor:
        for table in inventory().people:
            if table.stop:
                cursor.execute(table.stop, somebody.parameters(now))


def _before(table: Table, somebody: People, now: datetime) -> None:
    if table.first:
        with psycopg.Cursor(_raw()) as cursor:
            cursor.execute(table.first, somebody.parameters(now))


@contextmanager
def _alone() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        free = bool((cursor.fetchone() or (False,))[0])
    try:
        yield free
    finally:
        if free:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _raw() -> Any:
    connection.ensure_connection()
    return connection.connection
