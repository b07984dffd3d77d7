"""Consents that end by themselves, and those about to."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from contacts.consent import ledger
from contacts.consent.ledger import EXPIRED, NewConsent
from contacts.crashpoints import crashpoint
from contacts.models import ConsentState


def lapse(now: datetime, limit: int = 1000) -> int:
    """Write the end of up to ``limit`` consents whose term is over; returns how many.

    What allowed them is looked at again once the contacts are locked: who agreed anew meanwhile keeps it.
    """
    with transaction.atomic():
        due = _over(now).order_by("expires_at")[:limit]
        contact_ids = set(due.values_list("contact_id", flat=True))
        if not contact_ids:
            return 0
        ledger.lock(contact_ids)
        over = list(
            _over(now).filter(contact_id__in=contact_ids).order_by("contact_id", "channel", "purpose")
        )
        crashpoint("consent.lapsing")
        return ledger.record(
            [
                NewConsent(
                    state.contact_id,
                    state.channel,
                    state.purpose,
                    False,
                    EXPIRED,
                    occurred_at=state.expires_at,
                )
                for state in over
            ],
            now,
        )


def ending(now: datetime, within: timedelta) -> QuerySet[ConsentState]:
    """Consents that will end within that time, the soonest first: whom to ask again."""
    return (
        ConsentState.objects.filter(allowed=True, expires_at__gt=now, expires_at__lte=now + within)
        .select_related("contact")
        .order_by("expires_at")
    )


def _over(now: datetime) -> QuerySet[ConsentState]:
    return ConsentState.objects.filter(allowed=True, expires_at__lte=now)
