"""What a source sent: received = accepted + duplicate + rejected, and what of it still waits."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from contacts.models import InboxItem, Source, SourceCount

OUTCOMES = ("accepted", "duplicate", "rejected")


def with_counts(sources: QuerySet[Source], day: date) -> QuerySet[Any]:
    """`sources` with `accepted`, `duplicate` and `rejected` of `day`, `waiting`, and `received` of all four.

    Counts are written as the inbox is taken in, so what was stored and waits is received already.
    """
    counts = SourceCount.objects.filter(source=OuterRef("pk"), day=day)
    waiting = (
        InboxItem.objects.filter(source_id=OuterRef("pk"))
        .order_by()
        .values("source_id")
        .annotate(number=Count("pk"))
    )
    return sources.annotate(
        **{outcome: Coalesce(Subquery(counts.values(outcome)), 0) for outcome in OUTCOMES},
        waiting=Coalesce(Subquery(waiting.values("number")), 0),
    ).annotate(received=F("accepted") + F("duplicate") + F("rejected") + F("waiting"))
