"""Objection to profiling (GDPR art. 21): nothing is inferred about these people, and nothing kept of it.

The objection stands in the attributes, beside the pause: it follows a merge by itself, and the stricter of
two profiles wins. What was inferred is deleted when it is made, so no rule, segment or template can use it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

from django.db import connection, transaction

from contacts import event_log, permission, pulse
from contacts.event_log import NewEvent
from contacts.models import Contact, Prediction, Segment

OBJECTION = permission.OBJECTION


def object_to_profiling(contact_ids: Collection[int], now: datetime) -> int:
    """Stop inferring anything about them and forget what was inferred; returns whom it was new for."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_contact SET attributes = %s::jsonb || attributes, inferred = '{}',"
            " origins = origins - 'inferred', updated_at = %s"
            " WHERE id = ANY(%s) AND NOT jsonb_exists(attributes, %s) RETURNING id",
            [json.dumps({OBJECTION: now.isoformat()}), now, list(contact_ids), OBJECTION],
        )
        new = sorted(row[0] for row in cursor.fetchall())
        Prediction.objects.filter(contact_id__in=contact_ids).delete()
        _look_again(new, now)
    return len(new)


def _look_again(contact_ids: Sequence[int], now: datetime) -> None:
    """Let segments see that their profiles changed; those by predictions are computed whole."""
    event_log.append([NewEvent(contact, "Identified", now, now) for contact in contact_ids])
    by_prediction = Segment.objects.filter(kind=Segment.Kind.DYNAMIC, memberships__contact_id__in=contact_ids)
    by_prediction.filter(rule__icontains="prediction").update(stale=True)
    transaction.on_commit(partial(pulse.wake, "segments"))


def take_back(contact_ids: Collection[int], now: datetime) -> int:
    """The person allows profiling again; returns for how many that changed anything."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_contact SET attributes = attributes - %s, updated_at = %s"
            " WHERE id = ANY(%s) AND jsonb_exists(attributes, %s)",
            [OBJECTION, now, list(contact_ids), OBJECTION],
        )
        return int(cursor.rowcount)


def objects(contact: Contact) -> bool:
    return OBJECTION in contact.attributes


def open_to_profiling(contact_ids: Collection[int]) -> set[int]:
    """Of these contacts, those about whom something may be inferred. For whoever writes predictions."""
    open_ones = Contact.objects.filter(id__in=contact_ids).exclude(attributes__has_key=OBJECTION)
    return set(open_ones.values_list("id", flat=True))
