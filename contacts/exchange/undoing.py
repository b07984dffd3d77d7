"""Undo an import: the contacts that only it made, and that nothing has happened to since, go again.

What it changed of people who existed stays: which value was there before is told by the log, but whether
somebody relies on the new one by now, nobody can say.
"""

from __future__ import annotations

import time
from datetime import datetime

from django.db import connection, transaction

from contacts import merging
from contacts.models import Import, ImportedContact

_CHUNK = 2_000


def undo(job: Import, now: datetime, *, until: float) -> int:
    """Remove untouched contacts of ``job`` chunk by chunk; returns how many went. Call it ``alone``."""
    gone = 0
    while time.monotonic() < until:
        with transaction.atomic():
            if Import.objects.select_for_update(of=("self",)).get(pk=job.pk).state != Import.State.UNDOING:
                return gone
            made = list(
                ImportedContact.objects.filter(job_id=job.pk)
                .order_by("contact_id")
                .values_list("contact_id", flat=True)[:_CHUNK]
            )
            if not made:
                Import.objects.filter(pk=job.pk).update(state=Import.State.UNDONE, ended_at=now)
                return gone
            gone += remove(untouched(made, job))
            ImportedContact.objects.filter(job_id=job.pk, contact_id__in=made).delete()
    return gone


def untouched(contacts: list[int], job: Import) -> list[int]:
    """Of ``contacts``, those about whom nothing came in but ``job`` itself. Locks them."""
    with connection.cursor() as cursor:
        cursor.execute(_UNTOUCHED, {"contacts": contacts, "job": job.pk, "until": job.ended_at})
        return [row[0] for row in cursor.fetchall()]


def remove(contacts: list[int]) -> int:
    """Delete contacts with all that follows them."""
    if not contacts:
        return 0
    with connection.cursor() as cursor:
        for table in merging.tables():
            cursor.execute(f"DELETE FROM {table.name} WHERE contact_id = ANY(%s)", [contacts])  # noqa: S608 (a name from our models)
        cursor.execute("DELETE FROM contacts_contact WHERE id = ANY(%s)", [contacts])
        return int(cursor.rowcount)


# Consent is proof and stays with its person; what the import itself and the segments wrote is no touch.
_UNTOUCHED = """
SELECT c.id FROM contacts_contact c
WHERE c.id = ANY(%(contacts)s)
  AND (%(until)s::timestamptz IS NULL OR c.updated_at <= %(until)s)
  AND NOT EXISTS (SELECT FROM contacts_consententry e WHERE e.contact_id = c.id)
  AND NOT EXISTS (SELECT FROM contacts_merge m WHERE m.winner_id = c.id AND m.undone_at IS NULL)
  AND NOT EXISTS (SELECT FROM contacts_importedcontact i WHERE i.contact_id = c.id AND i.import_id <> %(job)s)
  AND NOT EXISTS (
    SELECT FROM contacts_event e WHERE e.slot = c.slot AND e.contact_id = c.id AND NOT (
        e.kind = 8 OR (e.kind = 7 AND (e.properties ? 'imported' OR e.name LIKE 'Segment %%'
            OR e.name IN ('Contact Created', 'Identified')))
    )
  )
ORDER BY c.id FOR UPDATE OF c
"""
