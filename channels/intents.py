"""What a journey, campaign or API call hands to channels: a message that somebody wants to send."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Intent:
    """One wanted message, with the conditions under which it may still leave.

    ``key`` is deterministic for the wish (run, step, visit): the same wish twice is one message.
    ``wanted`` lists channels by preference; ``content`` maps a channel to a template's slug.
    ``conditions`` is a rule that must hold for the contact at dispatch, its "since_entry" windows
    beginning at ``entered_at``; ``on_hold`` says whether a message that may not leave now waits (until
    ``deadline_at``), tries its other channels first (reroute), or is dropped. With ``smart_channel``
    the channel that the person answers on comes first; ``best_within`` is how long the message may wait for
    the person's best hour. ``origin_slug`` names the journey or campaign in message events.
    """

    contact_id: int
    key: uuid.UUID
    purpose: str
    wanted: tuple[str, ...]
    content: Mapping[str, str]
    transactional: bool = False
    variables: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 50
    value: float = 0.0
    conditions: Mapping[str, Any] | None = None
    on_hold: str = "wait"
    deadline_at: datetime | None = None
    smart_channel: bool = False
    best_within: timedelta | None = None
    due_at: datetime | None = None
    origin_kind: str = "journey"
    origin_id: int | None = None
    origin_version: int | None = None
    origin_run: int | None = None
    origin_step: str = ""
    origin_slug: str = ""
    entered_at: datetime | None = None
