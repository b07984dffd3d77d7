"""Undo a merge: make the former contact again and give back what came with it, by the kept snapshot.

What was written since stays with the contact that remained, apart from a refusal: nobody can say any more
who of the two refused, so both have. Traits that were taken over go back too, unless they changed since.
The former contact's identifiers find it again from now on.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper

from contacts import consent, contention, event_log, profile_rows, slots
from contacts.consent import NewConsent
from contacts.event_log import NewEvent
from contacts.identity_rules import current
from contacts.merging import Table, tables
from contacts.models import ConsentEntry, Contact, Identifier, Merge
from contacts.privacy import requests
from contacts.profile import Profile

_STATES = "contacts_consentstate"
_ORIGIN = "undone merge"


class NotUndoableError(Exception):
    """The merge was undone before, or the contact that remained has itself been merged since."""


def undo(merge_id: int, now: datetime) -> int:
    """Undo a merge; returns the id of the contact that exists again.

    Raises ``NotUndoableError`` and ``contention.ContendedTooLong``.
    """
    return contention.again(partial(_undo, merge_id, now))


def _undo(merge_id: int, now: datetime) -> int:
    with connection.cursor() as cursor:
        merge = Merge.objects.select_for_update().get(pk=merge_id)
        if merge.undone_at:
            raise NotUndoableError("This merge was undone before.")
        if requests.being_erased([merge.winner_id]):
            raise NotUndoableError("The remaining contact is being erased.")
        if not Contact.objects.select_for_update().filter(pk=merge.winner_id).exists():
            raise NotUndoableError("The remaining contact was merged again; undo that merge first.")
        # Merges of before origins were kept have none in their snapshot.
        _restore(cursor, "contacts_contact", [{"origins": {}} | merge.snapshot["contact"]])
        for table in tables():
            _give_back(cursor, table, merge)
            if table.name != _STATES:
                _restore(cursor, table.name, merge.snapshot.get("settled", {}).get(table.name, []))
        _find_again(merge, now)
        Merge.objects.filter(pk=merge.pk).update(undone_at=now)
        _give_back_traits(merge, now)
        _part_consents(merge, now)
        # Both are other people now than their segments think.
        event_log.append(NewEvent(each, "Identified", now, now) for each in (merge.loser_id, merge.winner_id))
    return merge.loser_id


def _give_back(cursor: CursorWrapper, table: Table, merge: Merge) -> None:
    keys = merge.snapshot.get("moved", {}).get(table.name, [])
    if not keys:
        return
    columns = [column for column in table.key if column != "contact_id"]
    same = " AND ".join(f"t.{column} = moved.{column}" for column in columns)
    cursor.execute(
        f"UPDATE {table.name} t SET contact_id = %s, slot = %s"  # noqa: S608 (names come from our models)
        f" FROM jsonb_populate_recordset(NULL::{table.name}, %s::jsonb) AS moved"
        f" WHERE t.contact_id = %s AND {same}",
        [merge.loser_id, merge.snapshot["contact"]["slot"], _json(keys), merge.winner_id],
    )


def _restore(cursor: CursorWrapper, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        cursor.execute(
            f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)"  # noqa: S608
            " ON CONFLICT DO NOTHING",
            [_json(rows)],
        )


def _find_again(merge: Merge, now: datetime) -> None:
    """Identifiers that fell off because the two were one, as far as nobody else has them by now."""
    Identifier.objects.bulk_create(
        (
            Identifier(kind=kind, value=value, contact_id=contact, slot=slots.of(contact), created_at=now)
            for kind, value, contact in merge.snapshot.get("fallen", [])
        ),
        ignore_conflicts=True,
    )


def _give_back_traits(merge: Merge, now: datetime) -> None:
    """Take from the contact that remained what it took over; what still stands of other merges fills in."""
    before, other = merge.snapshot.get("remaining"), _profile(merge.snapshot["contact"])
    if before is None:
        return  # a merge of before this was kept
    was = _profile(before)
    joined = was.copy()
    joined.absorb(other)
    profile = profile_rows.load([merge.winner_id])[merge.winner_id]
    given_up = profile.part(was, joined)
    standing = Merge.objects.filter(winner_id=merge.winner_id, undone_at=None).order_by("id")
    for snapshot in standing.values_list("snapshot", flat=True):
        profile.refill(_profile(snapshot["contact"]), given_up)
    profile.known = bool(profile.email or profile.phone) or _known(merge.winner_id)
    profile.updated_at = now
    profile_rows.save([profile])


def _known(contact: int) -> bool:
    return Identifier.objects.filter(contact_id=contact, kind__in=current().known).exists()


def _part_consents(merge: Merge, now: datetime) -> None:
    """Both allow again what each said, and neither what either refused while they were one.

    What was refused in the very batch that merged them counts as said by the one that they became.
    """
    people = (merge.winner_id, merge.loser_id)
    consent.lock(people)
    consent.rebuild(people, now)
    refused = ConsentEntry.objects.filter(
        contact_id=merge.winner_id, recorded_at__gte=merge.merged_at, action=ConsentEntry.Action.WITHDRAWN
    ).order_by("id")
    consent.record(list(_echoes(refused, merge.loser_id)), now)


def _echoes(lines: Iterable[ConsentEntry], contact: int) -> Iterable[NewConsent]:
    for line in lines:
        yield NewConsent(
            contact, line.channel, line.purpose, False, _ORIGIN, proof={"line": line.pk},
            occurred_at=line.occurred_at,
        )  # fmt: skip


def _profile(row: dict[str, Any]) -> Profile:
    return msgspec.convert(row, Profile, strict=False)


def _json(rows: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()
