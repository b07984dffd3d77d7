"""What somebody did with a message that was shown: seen, clicked, read, dismissed.

What they did themselves to the message is kept at once, or it would come back. What tells of their reading
goes the way of all engagement: as a hit that is classed, kept only where they may be measured, once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from channels import hits
from channels.hits import NewHit
from channels.links import signer
from channels.models import InAppMessage
from channels.tracking import CLICK
from channels.visiting import CHANNEL
from contacts import measuring

SEEN, CLICKED, READ, DISMISSED = "seen", "clicked", "read", "dismissed"
KINDS = (SEEN, CLICKED, READ, DISMISSED)
_HITS = {SEEN: "seen", CLICKED: "click", DISMISSED: "dismissed"}


def take(contact_id: int, done: Iterable[tuple[UUID, str]], agent: str, now: datetime) -> int:
    """Write down (key of a message, kind) that the contact did; returns how many were of their messages.

    The same again changes nothing. ``agent`` is what their browser calls itself.
    """
    pairs = list(dict.fromkeys(done))
    with transaction.atomic():
        rows = {
            row.key: row
            for row in InAppMessage.objects.select_for_update()
            .filter(contact_id=contact_id, key__in={key for key, _kind in pairs})
            .order_by("id")
        }
        own = [(rows[key], kind) for key, kind in pairs if key in rows]
        if not own:
            return 0
        for row, kind in own:
            _mark(row, kind, now)
        if any(kind == SEEN for _row, kind in own) and measuring.allowed({(contact_id, CHANNEL, now)}):
            for row, kind in own:
                if kind == SEEN:
                    row.seen_at = row.seen_at or now
        InAppMessage.objects.bulk_update(rows.values(), ["seen_at", "read_at", "dismissed_at"])
        hits.write(_hit(row, kind, agent, now) for row, kind in own if kind in _HITS)
    return len(own)


def _mark(row: InAppMessage, kind: str, now: datetime) -> None:
    if kind != SEEN:
        row.read_at = row.read_at or now
    if kind == DISMISSED:
        row.dismissed_at = row.dismissed_at or now


def _hit(row: InAppMessage, kind: str, agent: str, now: datetime) -> NewHit:
    return NewHit(
        now,
        _HITS[kind],
        row.message_id,
        row.message_created_at,
        _link_id(row.link) if kind == CLICKED else None,
        row.account_id,
        f"inapp:{kind}:{row.key}",
        {"method": "GET", "agent": agent, "purpose": "", "network": "", "in_app": True},
    )


def _link_id(link: str) -> int | None:
    """Of the tracked link that a message leads to, so that a click told twice, here and there, is one."""
    start = f"{settings.SEGUE_BASE_URL}/t/c/"
    token = signer().read(CLICK, link.removeprefix(start)) if link.startswith(start) else None
    return token.link_id if token else None
