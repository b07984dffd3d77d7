"""Undo a merge: make the former contact again and give back what came with it, by the kept snapshot.

What was written since stays with the contact that remained; traits that it took over and that nobody has
changed since go back. The former contact's identifiers find it again from now on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from contacts import event_log, profile_rows
from contacts.directory import KNOWN_BY
from contacts.event_log import NewEvent
from contacts.merging import Table, tables
from contacts.models import Contact, Identifier, Merge
from contacts.profile import Profile


class NotUndoableError(Exception):
    """The merge was undone before, or the contact that remained has itself been merged since."""


def undo(merge_id: int, now: datetime) -> int:
    """Undo a merge; returns the id of the contact that exists again. Raises ``NotUndoableError``."""
    with transaction.atomic(), connection.cursor() as cursor:
        merge = Merge.objects.select_for_update().get(pk=merge_id)
        if merge.undone_at:
            raise NotUndoableError("This merge was undone before.")
        if not Contact.objects.select_for_update().filter(pk=merge.winner_id).exists():
            raise NotUndoableError("The remaining contact was merged again; undo that merge first.")
        # Merges of before origins were kept have none in their snapshot.
        _restore(cursor, "contacts_contact", [{"origins": {}} | merge.snapshot["contact"]])
        for table in tables():
            _give_back(cursor, table, merge)
            _restore(cursor, table.name, merge.snapshot.get("settled", {}).get(table.name, []))
        _part(merge, now)
        Merge.objects.filter(pk=merge.pk).update(undone_at=now)
        # Both are other people now than their segments think.
        event_log.append(NewEvent(each, "Identified", now, now) for each in (merge.loser_id, merge.winner_id))
    return merge.loser_id


def _part(merge: Merge, now: datetime) -> None:
    """Take from the contact that remained what it had only from the other one."""
    if not merge.snapshot.get("remaining"):
        return  # A merge of before this was kept, or into a contact that had nothing yet.
    former, before = (
        msgspec.convert(merge.snapshot[name], Profile, strict=False) for name in ("contact", "remaining")
    )
    remaining = profile_rows.load([merge.winner_id])[merge.winner_id]
    remaining.part(former, before)
    found_by = Identifier.objects.filter(contact_id=merge.winner_id, kind__in=KNOWN_BY)
    remaining.known = before.known or bool(remaining.email or remaining.phone) or found_by.exists()
    remaining.updated_at = now
    profile_rows.save([remaining])


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


def _json(rows: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()
