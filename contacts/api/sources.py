"""Sources: what each sent today, for monitors."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import not_found
from contacts.api.fields import Fields
from contacts.models import Source
from contacts.source_counts import with_counts

_NUMBERS = ("received", "accepted", "duplicate", "rejected", "waiting")


class SourceCounts(Fields):
    """received = accepted + duplicate + rejected + waiting, always."""

    source = serializers.CharField()  # type: ignore[assignment]
    day = serializers.DateField(help_text="In UTC.")
    received = serializers.IntegerField()
    accepted = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    rejected = serializers.IntegerField()
    waiting = serializers.IntegerField()


class SourceCountsEndpoint(Endpoint):
    scopes = {"GET": "sources:read"}

    @operation("get_source_counts", "What a source sent today", answer=SourceCounts)
    def get(self, call: Call, slug: str) -> Any:
        day = call.now.date()
        source = with_counts(Source.objects.filter(slug=slug), day).first()
        if source is None:
            raise not_found("source")
        numbers = {name: getattr(source, name) for name in _NUMBERS}
        return {"source": slug, "day": day.isoformat(), **numbers}
