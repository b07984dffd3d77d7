"""What people ask about their own data: to see it, to have it erased, not to be profiled. With deadlines."""

from __future__ import annotations

import calendar
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from contacts.models import Contact, PrivacyEntry, PrivacyRequest
from contacts.privacy import objecting, tombstones
from contacts.privacy.tombstones import policy

Kind: TypeAlias = PrivacyRequest.Kind
State: TypeAlias = PrivacyRequest.State

#: From each state, where a request may go, and what makes it go there.
MOVES: Mapping[State, Mapping[State, str]] = {
    State.ASKED: {
        State.WAITING: "a privacy officer approves",
        State.REFUSED: "a privacy officer refuses, with the reason",
        State.CANCELLED: "the person or the team takes it back",
    },
    State.WAITING: {State.RUNNING: "its time has come", State.CANCELLED: "called off in the waiting time"},
    State.RUNNING: {State.DONE: "everything is done"},
    State.DONE: {},
    State.REFUSED: {},
    State.CANCELLED: {},
}
OPEN = (State.ASKED, State.WAITING, State.RUNNING)


class NotPossibleError(Exception):
    """The request is not in a state that allows this; the text is for the person who asked."""


def being_erased(contact_ids: Collection[int]) -> bool:
    """Whether the erasure of one of these has begun; if not, none begins until the transaction ends.

    For whoever is about to move what belongs to a contact: an erasure goes by the contact's number.
    """
    tombstones.hold_off()
    begun = PrivacyRequest.objects.filter(kind=Kind.ERASURE, state=State.RUNNING)
    return begun.filter(contact_id__in=contact_ids).exists()


def ask(
    contact: Contact, kind: Kind, now: datetime, *, origin: str, by: str, language: str = "en", note: str = ""
) -> PrivacyRequest:
    """File a request, or find the one of this kind that is still open.

    An objection takes effect at once. A copy that a person asks for with their own link needs nobody's
    approval, since the link is the proof of who asks; ``approve`` does the rest.
    """
    try:
        with transaction.atomic():
            request = PrivacyRequest.objects.create(
                slot=contact.slot,
                contact_id=contact.pk,
                kind=kind,
                origin=origin[:60],
                language=language[:16],
                asked_at=now,
                due_at=a_month_after(now),
                note=note[:300],
                names=str(contact)[:400],
            )
            note_down(request, now, by, "asked", origin)
            if kind == Kind.OBJECTION:
                objecting.object_to_profiling([contact.pk], now)
                _settle(request, State.DONE, now, by, "in force")
    except IntegrityError:
        found = of_contact(contact.pk).filter(kind=kind, state__in=OPEN).first()
        if found is None:
            raise
        return found
    return request


def of_contact(contact_id: int) -> QuerySet[PrivacyRequest]:
    return PrivacyRequest.objects.filter(contact_id=contact_id)


def approve(request: PrivacyRequest, now: datetime, by: str) -> PrivacyRequest:
    """Let it begin: a copy at once, an erasure after the waiting time."""
    wait = timedelta(hours=policy().wait_hours) if request.kind == Kind.ERASURE else timedelta(0)
    with transaction.atomic():
        locked = _locked(request, State.ASKED)
        locked.state, locked.begins_at = State.WAITING, now + wait
        locked.save(update_fields=["state", "begins_at"])
        note_down(locked, now, by, "approved")
    return locked


def refuse(request: PrivacyRequest, now: datetime, by: str, reason: str) -> PrivacyRequest:
    """Refuse it; the reason is what the person is told and an authority reads."""
    with transaction.atomic():
        locked = _locked(request, State.ASKED)
        return _settle(locked, State.REFUSED, now, by, "refused", reason)


def call_off(request: PrivacyRequest, now: datetime, by: str) -> PrivacyRequest:
    """Take it back, as long as nothing has begun."""
    with transaction.atomic():
        locked = _locked(request, State.ASKED, State.WAITING)
        return _settle(locked, State.CANCELLED, now, by, "called off")


def close(request: PrivacyRequest, now: datetime, by: str, why: str) -> PrivacyRequest:
    """End an open request in whatever state it is: there is nothing left that it could be about."""
    return _settle(request, State.CANCELLED, now, by, "called off", why)


def note_down(request: PrivacyRequest, now: datetime, by: str, what: str, detail: str = "") -> None:
    PrivacyEntry.objects.create(request=request, at=now, by=by[:150], what=what[:40], detail=detail[:300])


def a_month_after(now: datetime) -> datetime:
    """The same day of the next month, or its last one (GDPR art. 12.3)."""
    year, month = now.year + now.month // 12, now.month % 12 + 1
    return now.replace(year=year, month=month, day=min(now.day, calendar.monthrange(year, month)[1]))


def late(now: datetime) -> int:
    """How many open requests are past their deadline."""
    return PrivacyRequest.objects.filter(state__in=OPEN, due_at__lt=now).count()


def _locked(request: PrivacyRequest, *allowed: State) -> PrivacyRequest:
    locked = PrivacyRequest.objects.select_for_update().get(pk=request.pk)
    if locked.state not in allowed:
        raise NotPossibleError(locked.get_state_display())
    return locked


def _settle(
    request: PrivacyRequest, state: State, now: datetime, by: str, what: str, detail: str = ""
) -> PrivacyRequest:
    request.state, request.settled_at, request.begins_at = state, now, None
    request.save(update_fields=["state", "settled_at", "begins_at"])
    note_down(request, now, by, what, detail)
    return request
