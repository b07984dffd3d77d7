"""What happens to messages, as events of the log, with the same properties everywhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from contacts.event_log import NewEvent


class Described(Protocol):
    """What the log needs to know of a message; a row of the table will do."""

    @property
    def id(self) -> int: ...
    @property
    def contact_id(self) -> int: ...
    @property
    def channel(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def origin_kind(self) -> str: ...
    @property
    def origin_id(self) -> int | None: ...
    @property
    def origin_slug(self) -> str: ...
    @property
    def origin_step(self) -> str: ...
    @property
    def content(self) -> dict[str, str]: ...


def event(name: str, message: Described, now: datetime, **more: Any) -> NewEvent:
    """The log event ``name`` about ``message``; ``more`` are properties of that event alone."""
    from_journey = message.origin_kind in ("journey", "campaign")
    return NewEvent(
        message.contact_id,
        name,
        occurred_at=now,
        received_at=now,
        properties={
            "message": message.id,
            "channel": message.channel,
            "journey": message.origin_slug or None,
            "journey_id": message.origin_id if from_journey else None,
            "step": message.origin_step,
            "purpose": message.purpose,
            "template": message.content.get(message.channel, ""),
            **more,
        },
    )
