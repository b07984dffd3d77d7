"""Settling by hand what nobody knows: messages that a provider may or may not have taken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial

from django.db import transaction
from django.db.models import Count

from channels import lifecycle
from channels.lifecycle import Ref, State
from channels.message_events import event
from channels.models import Message
from contacts import event_log, pulse, statements


class Verdict(StrEnum):
    ARRIVED = "arrived"
    DID_NOT = "did_not"
    SEND_AGAIN = "send_again"


def resolve(message: Message, verdict: Verdict, now: datetime) -> bool:
    """Move an uncertain message to what a person found out; False when it is uncertain no more."""
    return bool(resolve_many([message], verdict, now))


def resolve_many(messages: Sequence[Message], verdict: Verdict, now: datetime) -> set[int]:
    """The same for several, a set at a time; returns the ids of those that were still uncertain."""
    refs = [Ref(message.id, message.created_at, message.slot) for message in messages]
    if verdict is Verdict.ARRIVED:
        left = handed_over([message.id for message in messages])
        moved = lifecycle.move(
            refs,
            State.UNCERTAIN,
            State.ACCEPTED,
            columns={"accepted_at": [left.get(message.id, now) for message in messages]},
            every={"reason": "by_hand"},
        )
        event_log.append(event("Message Sent", one, now) for one in messages if one.id in moved)
    elif verdict is Verdict.DID_NOT:
        moved = lifecycle.move(refs, State.UNCERTAIN, State.REJECTED, every={"reason": "by_hand"})
        event_log.append(
            event("Message Failed", one, now, reason="by_hand") for one in messages if one.id in moved
        )
    else:
        every = {"due_at": now, "reason": "by_hand"}
        moved = lifecycle.move(refs, State.UNCERTAIN, State.QUEUED, every=every)
        transaction.on_commit(partial(pulse.wake, "deliver"))
    return moved


def handed_over(message_ids: Collection[int]) -> dict[int, datetime]:
    """When each message was last handed to its provider: there it takes its place, whenever we hear of it."""
    if not message_ids:
        return {}
    asked = (
        "SELECT message_id, max(started_at) FROM channels_attempt"
        " WHERE message_id = ANY(%b::int8[]) GROUP BY message_id"
    )
    return dict(statements.rows(asked, [list(message_ids)]))


def uncertain(limit: int, after: int = 0, provider_id: int | None = None) -> list[Message]:
    """Uncertain messages, the oldest first, beyond the id ``after``."""
    rows = Message.objects.filter(state=State.UNCERTAIN, id__gt=after).select_related("contact")
    if provider_id is not None:
        rows = rows.filter(provider_id=provider_id)
    return list(rows.order_by("id")[:limit])


def counts() -> list[tuple[int, str, int]]:
    """How many are uncertain, by (account, reason); one statement on a small index."""
    return list(
        Message.objects.filter(state=State.UNCERTAIN)
        .values_list("provider_id", "reason")
        .annotate(count=Count("id"))
        .order_by("provider_id", "reason")
    )
