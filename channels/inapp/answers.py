"""The answer to a survey that an in-app message asks."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from channels.models import InAppMessage, Message
from channels.surveys import answering
from channels.surveys.answering import Taken


def take(contact_id: int, key: UUID, value: int | None, text: str, now: datetime) -> Taken:
    """Keep what the contact answered to their message ``key``; it is read then, and shown no more."""
    row = InAppMessage.objects.filter(contact_id=contact_id, key=key).first()
    message = (
        Message.objects.filter(id=row.message_id, created_at=row.message_created_at).first() if row else None
    )
    asked = answering.of_message(message) if message else None
    if row is None or asked is None:
        return Taken.NOTHING
    with transaction.atomic():
        taken = answering.take(asked, value, text, now)
        if taken in (Taken.NOW, Taken.BEFORE):
            InAppMessage.objects.filter(pk=row.pk, read_at=None).update(read_at=now)
    return taken
