"""What happens when somebody leaves by a link in a message: the consent ends, and the message is credited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from channels import message_events, outbox
from channels.models import Message
from contacts import event_log, preferences
from contacts.models import Contact
from contacts.preferences import Grant


def unsubscribe(grant: Grant, now: datetime, *, origin: str, proof: Mapping[str, str]) -> bool:
    """Withdraw at once what the message was about; whether anything changed. Again changes nothing."""
    contact = preferences.person(grant)
    if contact is None:
        return False
    with transaction.atomic():
        withdrawn = preferences.unsubscribe(contact, grant, now, origin=origin, proof=proof)
        if withdrawn:
            _credit(contact, grant, now)
            outbox.reconsider(contact.pk, now)
    return withdrawn


def leave(contact: Contact, grant: Grant, now: datetime, proof: Mapping[str, str]) -> bool:
    """Withdraw everything on every channel; whether anything changed."""
    with transaction.atomic():
        left = preferences.leave(contact, now, proof)
        if left:
            _credit(contact, grant, now)
            outbox.reconsider(contact.pk, now)
    return left


def _credit(contact: Contact, grant: Grant, now: datetime) -> None:
    """Say in the log which message somebody left by, where the link still knows."""
    if grant.message is None:
        return
    message = Message.objects.filter(contact_id=contact.pk, key=grant.message).first()
    if message is not None:
        event_log.append([message_events.event("Message Unsubscribed", message, now)])
