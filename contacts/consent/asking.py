"""Double opt-in: what is asked for waits until the person has followed the link in a message.

The request is kept with its proof and the mails are sent by channels, which look here for what is due. Until
the confirmation nothing is allowed, whatever the charter says of people who were never asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from contacts import permission, pulse, slots
from contacts.consent import ledger, standing
from contacts.consent.ledger import NewConsent
from contacts.consent.standing import PENDING, Standing
from contacts.models import ConsentRequest, Purpose

#: How long a request waits for its confirmation, and the proof that is kept after that.
WAITS = timedelta(days=7)
#: The first mail and repeats that somebody asks for, not closer together than this.
MOST_MAILS = 3
APART = timedelta(minutes=10)


class Answer(StrEnum):
    """What following a confirmation link did."""

    CONFIRMED = "confirmed"
    AGAIN = "again"
    TOO_LATE = "too_late"
    UNKNOWN = "unknown"


def ask(entries: Sequence[NewConsent], now: datetime) -> Counter[str]:
    """Record what needs no confirmation and open requests for the rest; how many ``recorded``, ``asked``.

    What is allowed already is left alone. Asking for the same again sends the mail again, within limits.
    """
    demanding = {
        (channel, slug)
        for slug, channels in Purpose.objects.values_list("slug", "confirmed_channels")
        for channel in channels
    }
    waiting = [entry for entry in entries if entry.given and (entry.channel, entry.purpose) in demanding]
    at_once = [entry for entry in entries if entry not in waiting]
    with transaction.atomic():
        ledger.lock({entry.contact_id for entry in entries})
        recorded = ledger.record(at_once, now)
        asked = _open(waiting, now)
        if asked:
            transaction.on_commit(partial(pulse.wake, "confirmations"))
    return Counter(recorded=recorded, asked=asked)


def confirm(key: UUID, now: datetime, proof: dict[str, str]) -> Answer:
    """Record the consent that the request was about. Once: later calls say so and change nothing."""
    with transaction.atomic():
        request = ConsentRequest.objects.select_for_update().filter(key=key).first()
        if request is None:
            return Answer.UNKNOWN
        if request.confirmed_at:
            return Answer.AGAIN
        if request.ends_at < now:
            return Answer.TOO_LATE
        asked = {"asked_at": request.asked_at.isoformat(), **request.proof}
        ledger.record(
            [
                NewConsent(
                    request.contact_id, request.channel, request.purpose, True, request.origin,
                    wording=request.wording, proof={"request": asked, "confirmation": proof},
                )
            ],
            now,
        )  # fmt: skip
        ConsentRequest.objects.filter(pk=request.pk).update(confirmed_at=now, mail_at=None)
    return Answer.CONFIRMED


def pending(contact_id: int, now: datetime) -> set[tuple[str, str]]:
    """(channel, purpose) that wait for this person's confirmation."""
    return set(_live(now).filter(contact_id=contact_id).values_list("channel", "purpose"))


def due_mails(now: datetime, limit: int) -> QuerySet[ConsentRequest]:
    """Requests whose mail is to leave now; lock and mark them in the same transaction."""
    return (
        _live(now)
        .filter(mail_at__lte=now)
        .order_by("mail_at", "id")
        .select_related("contact")
        .select_for_update(of=["self"], skip_locked=True)[:limit]
    )


def _live(now: datetime) -> QuerySet[ConsentRequest]:
    return ConsentRequest.objects.filter(confirmed_at__isnull=True, ends_at__gt=now)


def _open(entries: Sequence[NewConsent], now: datetime) -> int:
    """Open requests, or ask for another mail of those that are open; the contacts are locked."""
    people = {entry.contact_id for entry in entries}
    standings = standing.load(people)
    live = {
        (one.contact_id, one.channel, one.purpose): one for one in _live(now).filter(contact_id__in=people)
    }
    fresh: dict[tuple[int, str, str], ConsentRequest] = {}
    again: list[ConsentRequest] = []
    for entry in entries:
        key = (entry.contact_id, entry.channel, entry.purpose)
        purposes = standings.setdefault(key[:2], {})
        said = permission.of({(key[1], name): one.at(now)[0] for name, one in purposes.items()}, *key[1:])
        if said or key in fresh:
            continue
        if key in live:
            again.append(live[key])
            continue
        fresh[key] = _request(replace(entry, proof=dict(entry.proof)), now)
        held = purposes.get(entry.purpose)
        if held is None or not held.refused:
            purposes[entry.purpose] = Standing(False, 0, now, why=PENDING, changed=True)
    ConsentRequest.objects.bulk_create(fresh.values())
    _mail_again(again, now)
    standing.write(standings)
    return len(fresh) + len(again)


def _request(entry: NewConsent, now: datetime) -> ConsentRequest:
    return ConsentRequest(
        slot=slots.of(entry.contact_id),
        contact_id=entry.contact_id,
        channel=entry.channel,
        purpose=entry.purpose,
        origin=entry.origin,
        wording=entry.wording,
        proof=dict(entry.proof),
        asked_at=now,
        ends_at=now + WAITS,
        mail_at=now,
    )


def _mail_again(requests: Sequence[ConsentRequest], now: datetime) -> None:
    due = [
        one.pk
        for one in requests
        if one.mail_at is None and one.mails < MOST_MAILS and one.asked_at + APART * one.mails <= now
    ]
    ConsentRequest.objects.filter(pk__in=due).update(mail_at=now)
