"""Sources: which there are, and what each sent today, for monitors."""

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


class SourceShape(Fields):
    slug = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Source.Kind.values)
    active = serializers.BooleanField(help_text="An inactive source is refused with 401.")
    created_at = serializers.DateTimeField()
    today = SourceCounts()


class Sources(Endpoint):
    scopes = {"GET": "sources:read"}

    @operation("list_sources", "Sources and what they sent today", answer=SourceShape, paged=True)
    def get(self, call: Call) -> Any:
        day = call.now.date()

        def draw(rows: list[Any]) -> list[dict[str, Any]]:
            names = ("slug", "name", "kind", "active", "created_at")
            return [
                {**{name: getattr(row, name) for name in names}, "today": _counts(row, day.isoformat())}
                for row in rows
            ]

        return call.page(with_counts(Source.objects.all(), day), ("id",), draw)


class SourceCountsEndpoint(Endpoint):
    scopes = {"GET": "sources:read"}

    @operation("get_source_counts", "What a source sent today", answer=SourceCounts)
    def get(self, call: Call, slug: str) -> Any:
        day = call.now.date()
        source = with_counts(Source.objects.filter(slug=slug), day).first()
        if source is None:
            raise not_found("source")
        return _counts(source, day.isoformat())


def _counts(source: Any, day: str) -> dict[str, Any]:
    return {"source": source.slug, "day": day, **{name: getattr(source, name) for name in _NUMBERS}}
