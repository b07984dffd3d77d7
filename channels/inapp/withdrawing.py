"""Take back what nobody has seen and what should not be shown any more: bought, refused, too late."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from channels import deciding, message_events
from channels.inapp.showing import messages_of
from channels.models import InAppMessage
from channels.policy_facts import HOLD
from contacts import event_log

#: Who is shown a message is asked at that moment anyway; this keeps lists and reports in step.
_EVERY = timedelta(minutes=10)


def withdraw(now: datetime, limit: int = 500) -> int:
    """Ask again about up to ``limit`` unseen messages, the longest not asked first; returns how many."""
    with transaction.atomic():
        rows = list(
            InAppMessage.objects.filter(
                seen_at=None, read_at=None, dismissed_at=None, withdrawn_at=None, looked_at__lt=now - _EVERY
            )
            .order_by("looked_at")
            .select_for_update(skip_locked=True)[:limit]
        )
        if not rows:
            return 0
        messages = messages_of(rows)
        against = deciding.recheck(list(messages.values()), now)
        over = [
            row
            for row in rows
            if row.ends_at <= now
            or row.message_id not in messages
            or (row.message_id in against and against[row.message_id].action != HOLD)
        ]
        InAppMessage.objects.filter(id__in=[row.id for row in rows]).update(looked_at=now)
        InAppMessage.objects.filter(id__in=[row.id for row in over]).update(withdrawn_at=now)
        event_log.append(
            message_events.event(
                "Message Withdrawn",
                messages[row.message_id],
                now,
                reason=against[row.message_id].reason if row.message_id in against else "deadline",
            )
            for row in over
            if row.message_id in messages
        )
    return len(rows)
