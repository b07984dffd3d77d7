"""Sources: read and written, and what each sent today, for monitors."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from rest_framework import serializers

from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, not_found
from contacts.api.fields import Fields
from contacts.models import Source
from contacts.source_counts import with_counts

_UNPLANNED = "What becomes of events that the plan does not know, or that break it."
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
    site = serializers.CharField(help_text="Address of a website; empty where there is none.")
    unplanned = serializers.ChoiceField(choices=Source.Unplanned.values, help_text=_UNPLANNED)
    active = serializers.BooleanField(help_text="An inactive source is refused with 401.")
    created_at = serializers.DateTimeField()
    today = SourceCounts()


class SourceChange(Fields):
    name = serializers.CharField(required=False, max_length=120)
    kind = serializers.ChoiceField(choices=Source.Kind.values, required=False)
    site = serializers.URLField(required=False, allow_blank=True, max_length=200)
    unplanned = serializers.ChoiceField(choices=Source.Unplanned.values, required=False, help_text=_UNPLANNED)
    active = serializers.BooleanField(required=False)


class SourceBody(SourceChange):
    name = serializers.CharField(max_length=120)
    slug = serializers.SlugField(required=False, max_length=60, help_text="Follows from the name if absent.")


class Sources(Endpoint):
    scopes = {"GET": "sources:read", "POST": "sources:write"}

    @operation("list_sources", "Sources and what they sent today", answer=SourceShape, paged=True)
    def get(self, call: Call) -> Any:
        rows = with_counts(Source.objects.all(), call.now.date())
        return call.page(rows, ("id",), lambda found: [_draw(row, call) for row in found])

    @operation("create_source", "Create a source", body=SourceBody, answer=SourceShape, status=201)
    def post(self, call: Call) -> Any:
        """It may send once it has a key."""
        slug = call.body.get("slug") or slugify(call.body["name"])[:60]
        if not slug:
            raise bad_request("required", "Give it a slug of letters, digits and hyphens.", "slug")
        return _save(Source(slug=slug), call, "made the source")


class SourceDetail(Endpoint):
    scopes = {"GET": "sources:read", "PATCH": "sources:write"}

    @operation("get_source", "One source and what it sent today", answer=SourceShape)
    def get(self, call: Call, slug: str) -> Any:
        return _draw(source_of(slug), call)

    @operation("change_source", "Change a source", body=SourceChange, answer=SourceShape)
    def patch(self, call: Call, slug: str) -> Any:
        """What is absent stays. Sources are switched off, never deleted: their events name them."""
        return _save(source_of(slug), call, "changed the source")


class SourceCountsEndpoint(Endpoint):
    scopes = {"GET": "sources:read"}

    @operation("get_source_counts", "What a source sent today", answer=SourceCounts)
    def get(self, call: Call, slug: str) -> Any:
        return _draw(source_of(slug), call)["today"]


def source_of(slug: str, field: str | None = None) -> Source:
    """The source with this slug. Raises Refused, naming the ``field`` that it came by."""
    source = Source.objects.filter(slug=slug).first()
    if source is None:
        raise (
            bad_request("unknown_source", "No source has this slug.", field) if field else not_found("source")
        )
    return source


def _save(source: Source, call: Call, said: str) -> dict[str, Any]:
    for name in ("name", "kind", "site", "unplanned", "active"):
        setattr(source, name, call.body.get(name, getattr(source, name)))
    try:
        with transaction.atomic():
            source.save()
    except IntegrityError as error:
        field = "slug" if "slug" in str(error) else "name"
        raise Refused(409, "taken", f"Another source has this {field}.", field) from None
    call.audit(source, said)
    return _draw(source, call)


def _draw(source: Any, call: Call) -> dict[str, Any]:
    """A source with its counts, looked up where they did not come with it."""
    day = call.now.date()
    if not hasattr(source, _NUMBERS[0]):
        source = with_counts(Source.objects.filter(pk=source.pk), day).get()
    names = ("slug", "name", "kind", "site", "unplanned", "active", "created_at")
    counts = {
        "source": source.slug,
        "day": day.isoformat(),
        **{name: getattr(source, name) for name in _NUMBERS},
    }
    return {**{name: getattr(source, name) for name in names}, "today": counts}
