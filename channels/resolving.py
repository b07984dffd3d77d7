"""Settling by hand what nobody knows: messages that a provider may or may not have taken."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from channels import lifecycle
from channels.lifecycle import Ref, State
from channels.message_events import event
from channels.models import Message
from contacts import event_log, pulse


class Verdict(StrEnum):
    ARRIVED = "arrived"
    DID_NOT = "did_not"
    SEND_AGAIN = "send_again"


def resolve(message: Message, verdict: Verdict, now: datetime) -> bool:
    """Move an uncertain message to what a person found out; False when it is uncertain no more."""
    ref = [Ref(message.id, message.created_at, message.slot)]
    if verdict is Verdict.ARRIVED:
        moved = lifecycle.move(
            ref, State.UNCERTAIN, State.ACCEPTED, every={"accepted_at": now, "reason": "by_hand"}
        )
        if moved:
            event_log.append([event("Message Sent", message, now)])
    elif verdict is Verdict.DID_NOT:
        moved = lifecycle.move(ref, State.UNCERTAIN, State.REJECTED, every={"reason": "by_hand"})
        if moved:
            event_log.append([event("Message Failed", message, now, reason="by_hand")])
    else:
        moved = lifecycle.move(ref, State.UNCERTAIN, State.QUEUED, every={"due_at": now, "reason": "by_hand"})
        pulse.wake("deliver")
    return bool(moved)
