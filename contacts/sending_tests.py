"""Send one event for a contact by hand, the way that its source would: to try a journey or a segment."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from contacts import pulse, slots
from contacts.directory import ANONYMOUS, USER
from contacts.intake_event import IntakeEvent, pack
from contacts.models import Identifier, InboxItem


class UnknownToSourcesError(Exception):
    """The contact has neither a user id nor an anonymous id, so no source could send events for it."""


def send(contact_id: int, source_id: int, name: str, properties: Mapping[str, Any], now: datetime) -> str:
    """Put a track event into the inbox, marked with ``"test": true``; returns its message id."""
    own = Identifier.objects.filter(contact_id=contact_id, kind__in=[USER, ANONYMOUS])
    chosen = own.order_by("-kind", "value").first()  # a user id before an anonymous one
    if chosen is None:
        raise UnknownToSourcesError
    message_id = f"test-{uuid.uuid4()}"
    event = IntakeEvent(
        type="track",
        name=name,
        message_id=message_id,
        occurred_at=now,
        user_id=chosen.value if chosen.kind == USER else None,
        anonymous_id=chosen.value if chosen.kind == ANONYMOUS else None,
        properties=msgspec.Raw(msgspec.json.encode({**properties, "test": True})),
        context=msgspec.Raw(b"{}"),
    )
    lane = slots.lane(chosen.value)
    InboxItem.objects.create(
        lane=lane, source_id=source_id, received_at=now, rejection="", payload=pack(event)
    )
    pulse.wake("ingest")
    return message_id
