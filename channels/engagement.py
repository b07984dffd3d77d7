"""Engagement: raw hits become classed receipts, what messages know of themselves, and log events.

Machines are kept in the receipts with their class; only people who agreed to it enter the log. What may
not be kept on anybody is counted without names.
The result is the same in whatever order receipts come, and however often.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from channels import actors, lifecycle, resolving, soft_bounces, unmeasuring
from channels import engagement_rows as rows
from channels.engagement_rows import EngagedMessage, Hit, Returned
from channels.lifecycle import State
from channels.message_events import event
from contacts import consent, event_log, measuring, once, permission
from contacts.consent import NewConsent
from contacts.event_log import NewEvent
from contacts.models import Suppression

#: A receipt may come before we know the provider's id of its message; it waits so long.
_PATIENCE = timedelta(minutes=10)
_OPENED, _CLICKED, _DISMISSED = "opened", "clicked", "dismissed"
_KIND = {"open": _OPENED, "click": _CLICKED, "trap": _CLICKED, "seen": _OPENED, "dismissed": _DISMISSED}
_NAMES = {
    _OPENED: "Message Opened",
    _CLICKED: "Message Clicked",
    _DISMISSED: "Message Dismissed",
    "delivered": "Message Delivered",
    "bounced": "Message Bounced",
    "complained": "Message Complained",
    "replied": "Message Replied",
    "unsubscribed": "Message Unsubscribed",
}


def absorb(now: datetime, limit: int = 1000) -> int:
    """Class up to ``limit`` hits in one transaction, a constant number of statements; returns how many."""
    with transaction.atomic():
        # Fetches wait a moment for their company: it may tell what one of them alone does not.
        hits = rows.take(limit, now - _PATIENCE, now - actors.SETTLED)
        messages = rows.messages(hits)
        matched = [(hit, message) for hit in hits if (message := _find(hit, messages)) is not None]
        missing = {hit.id for hit in hits} - {hit.id for hit, _message in matched}
        waiting = {hit.id for hit in hits if hit.id in missing and hit.received_at > now - _PATIENCE}
        came = _fresh(_classed(matched), now)
        receipts = [one for one in came if not one.unnamed]
        unmeasuring.count([one for one in came if one.unnamed])
        rows.write_receipts(receipts)
        _update_messages(receipts)
        event_log.append(_settle(receipts))
        event_log.append(_events(receipts, now))
        _heed(receipts, now)
        rows.forget([hit.id for hit in hits if hit.id not in waiting])
    return len(hits) - len(waiting)


def _find(hit: Hit, messages: dict[object, EngagedMessage]) -> EngagedMessage | None:
    if hit.message_id:
        return messages.get((hit.message_id, hit.message_created_at))
    name = str(hit.data.get("provider_message_id"))
    return messages.get((hit.provider_id, name)) or messages.get((None, name))


def _classed(matched: Sequence[tuple[Hit, EngagedMessage]]) -> list[Returned]:
    fetched = [(message.contact_id, message.channel, hit.received_at) for hit, message in matched]
    may_keep = measuring.allowed(fetched)
    together = actors.company(rows.company([hit for hit, _message in matched], actors.COMPANY))
    receipts = []
    for hit, message in matched:
        kind = _KIND.get(hit.kind, hit.kind)
        actor, consented = "", True
        if kind in (_OPENED, _CLICKED, _DISMISSED):
            consented = (message.contact_id, message.channel, hit.received_at) in may_keep
            actor, why = actors.of(
                hit.kind if hit.kind in _KIND else {_OPENED: "open"}.get(kind, "click"),
                str(hit.data.get("method", "GET")),
                str(hit.data.get("agent", "")),
                str(hit.data.get("purpose", "")),
                _seconds(hit, message),
            )
            if actor == actors.HUMAN and hit.id in together:
                actor, why = actors.SCANNER, together[hit.id]
            if why:
                hit.data["why"] = why
        receipts.append(Returned(hit, message, kind, actor, unnamed=not consented))
    return receipts


def _seconds(hit: Hit, message: EngagedMessage) -> float | None:
    """How long after it was taken the message was fetched, where that tells people from machines.

    A page that shows the message itself may do so at once.
    """
    if message.accepted_at is None or hit.data.get("in_app"):
        return None
    return (hit.received_at - message.accepted_at).total_seconds()


def _fresh(receipts: Sequence[Returned], now: datetime) -> list[Returned]:
    """Without the callbacks that came before, in this batch or ever."""
    keys = {
        receipt.hit.id: once.key("receipt", receipt.hit.provider_id, receipt.hit.receipt_key)
        for receipt in receipts
        if receipt.hit.receipt_key
    }
    unclaimed = once.claim(keys.values(), now)
    fresh = []
    for receipt in receipts:
        key = keys.get(receipt.hit.id)
        if key is None or key in unclaimed:
            fresh.append(receipt)
            if key is not None:
                unclaimed.discard(key)
    return fresh


def _counts(receipt: Returned) -> bool:
    return receipt.actor in ("", actors.HUMAN)


_COLUMN = {
    _OPENED: "opened_at",
    _CLICKED: "clicked_at",
    "delivered": "delivered_at",
    "bounced": "bounced_at",
    "rejected": "bounced_at",
}


def _update_messages(receipts: Sequence[Returned]) -> None:
    """First times only ever move earlier, so order does not matter. What was uncertain is settled."""
    for receipt in receipts:
        column = _COLUMN.get(receipt.kind)
        if column and _counts(receipt) and not _soft(receipt):
            receipt.message.saw(column, receipt.hit.received_at)
    changed = list({receipt.message.id: receipt.message for receipt in receipts}.values())
    touched = [message for message in changed if message.times]
    rows.update_times(touched)


def _settle(receipts: Sequence[Returned]) -> list[NewEvent]:
    """Move what was uncertain to what its receipts say; returns the events that were missing until now."""
    uncertain = [receipt for receipt in receipts if receipt.message.state == State.UNCERTAIN]
    arrived = {
        receipt.message.ref: receipt.hit.received_at
        for receipt in uncertain
        if receipt.kind not in ("bounced", "rejected", "deferred")
    }
    left = resolving.handed_over([ref.id for ref in arrived])
    sent = lifecycle.move(
        list(arrived),
        State.UNCERTAIN,
        State.ACCEPTED,
        columns={"accepted_at": [left.get(ref.id, at) for ref, at in arrived.items()]},
        every={"reason": "receipt"},
    )
    refused = {
        receipt.message.ref for receipt in uncertain if receipt.kind in ("bounced", "rejected")
    } - arrived.keys()
    failed = lifecycle.move(list(refused), State.UNCERTAIN, State.REJECTED, every={"reason": "receipt"})
    by_id = {receipt.message.id: receipt for receipt in uncertain}
    return [
        *(event("Message Sent", by_id[one].message, by_id[one].hit.received_at) for one in sorted(sent)),
        *(
            event("Message Failed", by_id[one].message, by_id[one].hit.received_at, reason="receipt")
            for one in sorted(failed)
        ),
    ]


def _events(receipts: Sequence[Returned], now: datetime) -> list[NewEvent]:
    """One event for each first: an open a message, a click a link or button, else a kind and message."""
    wanted = [
        receipt for receipt in receipts if receipt.kind in _NAMES and _counts(receipt) and not _soft(receipt)
    ]
    keys = [
        once.key(
            "engaged",
            receipt.kind,
            receipt.message.id,
            receipt.hit.link_id or _link(receipt),
            *_button(receipt),
        )
        for receipt in wanted
    ]
    unclaimed = once.claim(keys, now)
    leads_to = rows.urls({receipt.hit.link_id for receipt in wanted if receipt.hit.link_id})
    found = []
    for receipt, key in sorted(zip(wanted, keys, strict=True), key=lambda pair: pair[0].hit.received_at):
        if key in unclaimed:
            unclaimed.discard(key)
            more: dict[str, Any] = {}
            if receipt.kind == _CLICKED:
                more = {"url": leads_to.get(receipt.hit.link_id or 0, _link(receipt))}
                if pressed := _button(receipt):
                    more["button"] = pressed[0]
            if receipt.kind == "bounced":
                more = {"code": str(receipt.hit.data.get("code", ""))}
            found.append(event(_NAMES[receipt.kind], receipt.message, receipt.hit.received_at, **more))
    return found


def _link(receipt: Returned) -> str:
    return str(receipt.hit.data.get("url", "")) if receipt.kind == _CLICKED else ""


def _button(receipt: Returned) -> list[int]:
    """Which button of a push was pressed; none where the click was on the message or a link."""
    number = receipt.hit.data.get("button") if receipt.kind == _CLICKED else None
    return [number] if number in (1, 2) else []


def _soft(receipt: Returned) -> bool:
    """A mailbox that was full, or a delay: the provider goes on trying, or another time may work."""
    return receipt.kind == "bounced" and bool(receipt.hit.data.get("soft"))


def _heed(receipts: Sequence[Returned], now: datetime) -> None:
    """Never write again to who cannot be reached or complained; record who left at the provider's."""
    bounced = [r.message for r in receipts if r.kind == "bounced" and not _soft(r)]
    complained = [r.message for r in receipts if r.kind == "complained"]
    for messages, reason in (
        (bounced, Suppression.Reason.HARD_BOUNCE),
        (complained, Suppression.Reason.COMPLAINT),
    ):
        if messages:
            consent.suppress(((one.channel, one.address) for one in messages if one.address), reason, now)
    soft_bounces.heed({r.message.contact_id for r in receipts if _soft(r)}, now)
    left = {
        (r.message.contact_id, r.message.channel): r
        for r in receipts
        if r.kind in ("complained", "unsubscribed")
    }
    consent.record(
        [
            NewConsent(
                contact_id, channel, permission.EVERY, False, f"receipt:{receipt.kind}",
                occurred_at=receipt.hit.received_at, proof={"message": receipt.message.id},
            )
            for (contact_id, channel), receipt in left.items()
        ],
        now,
    )  # fmt: skip
