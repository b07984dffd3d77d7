"""Replay dead letters: through the same checks as at first, with the message id they came with."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import msgspec
from django.db import transaction

from contacts import slots
from contacts.intake import read_event
from contacts.intake_body import Envelope
from contacts.intake_checks import Rejected, check_object
from contacts.intake_event import IntakeEvent, pack, unpack
from contacts.models import DeadLetter, InboxItem


class Replayed(NamedTuple):
    """How many letters wait in the inbox again, and how many were rejected again."""

    stored: int
    rejected: int


def replay(ids: Collection[int], now: datetime) -> Replayed:
    """Check the letters with these ids again; good ones go into the inbox in the same transaction.

    A letter that was replayed before is passed over, whoever asks at the same time. One that is rejected
    again keeps its place with the reason of today.
    """
    with transaction.atomic():
        letters = DeadLetter.objects.select_for_update().filter(pk__in=ids, replayed_at=None).order_by("pk")
        good, bad, items = [], [], []
        for letter in letters:
            try:
                event = _checked(letter)
            except Rejected as again:
                letter.code, letter.reason = again.rejection.code, again.rejection.message
                bad.append(letter)
            else:
                letter.replayed_at = now
                good.append(letter)
                items.append(_item(letter, event))
        InboxItem.objects.bulk_create(items, batch_size=500)
        DeadLetter.objects.bulk_update(good, ["replayed_at"], batch_size=500)
        DeadLetter.objects.bulk_update(bad, ["code", "reason"], batch_size=500)
    return Replayed(len(good), len(bad))


def _checked(letter: DeadLetter) -> IntakeEvent:
    payload = letter.payload.encode()
    try:
        # Ingest sets events aside in the form that intake gave them.
        event = unpack(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return read_event(msgspec.Raw(payload), None, _ALONE, letter.received_at)
    # Whoever was rejected wrote the letter, so it is no proof of where a consent came from.
    event = msgspec.structs.replace(event, peer=None)
    check_object(event.properties, "properties")
    check_object(event.context, "context")
    return event


def _item(letter: DeadLetter, event: IntakeEvent) -> InboxItem:
    return InboxItem(
        lane=slots.lane(event.user_id or event.anonymous_id or event.message_id),
        source_id=letter.source_id,
        received_at=letter.received_at,
        rejection="",
        payload=pack(event),
        server=letter.server,
    )


_EMPTY = msgspec.Raw(b"{}")
_ALONE = Envelope(None, None, _EMPTY, _EMPTY, [])
