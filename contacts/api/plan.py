"""The tracking plan: events that are expected, those that were seen, and where the two differ."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from rest_framework import serializers

from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, not_found
from contacts.api.fields import Fields
from contacts.api.sources import source_of
from contacts.models import PlannedEvent, PlanViolation, SeenEvent, Source
from contacts.plan import adopting, catalogue
from contacts.plan.catalogue import PlanError

_MOST = 500
_LARGEST_ID = 2**63 - 1
_OWN = "Slug; null is every source."


class PlannedProperty(Fields):
    name = serializers.CharField(max_length=catalogue.LONGEST_NAME)
    type = serializers.ChoiceField(choices=[*catalogue.TYPES, catalogue.ANY], default=catalogue.ANY)
    required = serializers.BooleanField(default=False)  # type: ignore[assignment]


class PlannedShape(Fields):
    id = serializers.IntegerField()
    source = serializers.CharField(allow_null=True, help_text=_OWN)  # type: ignore[assignment]
    name = serializers.CharField()
    description = serializers.CharField()
    properties = PlannedProperty(many=True)
    server_only = serializers.BooleanField(help_text="Rejected when sent with a write-only key.")
    updated_at = serializers.DateTimeField()


class PlannedFilters(Fields):
    source = serializers.SlugField(  # type: ignore[assignment]
        required=False, help_text="Slug: lines of this source's own."
    )
    every_source = serializers.BooleanField(required=False, help_text="Lines that hold for every source.")
    name = serializers.CharField(required=False, max_length=256, help_text="Exactly this event.")


class PlannedChange(Fields):
    description = serializers.CharField(required=False, allow_blank=True, max_length=300)
    properties = PlannedProperty(
        many=True, required=False, help_text="All of them; what is not listed may be sent too."
    )
    server_only = serializers.BooleanField(required=False)


class PlannedBody(PlannedChange):
    name = serializers.CharField(max_length=256, help_text="As senders write it: Order Completed.")
    source = serializers.SlugField(  # type: ignore[assignment]
        required=False, allow_null=True, help_text=_OWN
    )


class SeenShape(Fields):
    name = serializers.CharField()
    known = serializers.BooleanField(help_text="Planned, for this source or for every one, or a plain call.")
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField(help_text="By the plan.")
    properties = serializers.DictField(child=serializers.CharField(), help_text="Name to type, as last seen.")


class AdoptBody(Fields):
    names = serializers.ListField(
        child=serializers.CharField(max_length=256), min_length=1, max_length=_MOST, help_text="Seen events."
    )
    every_source = serializers.BooleanField(
        required=False, default=False, help_text="Expect them of every source."
    )


class AdoptAnswer(Fields):
    planned = PlannedShape(many=True)
    were_planned = serializers.ListField(child=serializers.CharField())
    not_seen = serializers.ListField(child=serializers.CharField())


class ViolationFilters(Fields):
    event = serializers.CharField(required=False, max_length=256)
    code = serializers.ChoiceField(choices=PlanViolation.Code.values, required=False)


class ViolationShape(Fields):
    event = serializers.CharField()
    code = serializers.ChoiceField(choices=PlanViolation.Code.values)
    property = serializers.CharField(help_text="Empty where the event as a whole is meant.")
    count = serializers.IntegerField()
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    message_id = serializers.CharField(help_text="Of the latest such event.")
    example = serializers.CharField()


class PlannedEvents(Endpoint):
    scopes = {"GET": "sources:read", "POST": "sources:write"}

    @operation(
        "list_planned_events",
        "The tracking plan, page by page",
        query=PlannedFilters,
        answer=PlannedShape,
        paged=True,
    )
    def get(self, call: Call) -> Any:
        rows = PlannedEvent.objects.select_related("source")
        if "source" in call.query:
            rows = rows.filter(source__slug=call.query["source"])
        if "every_source" in call.query:
            rows = rows.filter(source__isnull=call.query["every_source"])
        if "name" in call.query:
            rows = rows.filter(name=call.query["name"])
        return call.page(rows, ("id",), _draw)

    @operation("plan_event", "Expect an event", body=PlannedBody, answer=PlannedShape, status=201)
    def post(self, call: Call) -> Any:
        """Of one source, or of every source; a source's own line wins."""
        slug = call.body.get("source")
        own = source_of(slug, "source") if slug else None
        return _save(PlannedEvent(name=call.body["name"], source=own), call, "planned")


class PlannedEventDetail(Endpoint):
    scopes = {"GET": "sources:read", "PATCH": "sources:write", "DELETE": "sources:write"}

    @operation("get_planned_event", "One expected event", answer=PlannedShape)
    def get(self, call: Call, planned_id: int) -> Any:
        return _draw([_planned(planned_id)])[0]

    @operation("change_planned_event", "Change what is expected", body=PlannedChange, answer=PlannedShape)
    def patch(self, call: Call, planned_id: int) -> Any:
        """What is absent stays."""
        return _save(_planned(planned_id, locked=True), call, "changed the plan of")

    @operation("unplan_event", "Expect an event no longer", answer=PlannedShape)
    def delete(self, call: Call, planned_id: int) -> Any:
        """Answered with what it was."""
        planned = _planned(planned_id, locked=True)
        was = _draw([planned])[0]
        call.audit(planned, f"took {planned.name} out of the plan")
        planned.delete()
        return was


class SeenEvents(Endpoint):
    scopes = {"GET": "sources:read"}

    @operation("list_seen_events", "What a source really sends", answer=SeenShape, paged=True)
    def get(self, call: Call, slug: str) -> Any:
        source = source_of(slug)

        def draw(rows: list[SeenEvent]) -> list[dict[str, Any]]:
            wanted = [row.name for row in rows]
            planned = set(_of(source).filter(name__in=wanted).values_list("name", flat=True))
            return [_seen(row, row.name in planned or row.name in adopting.CALLS) for row in rows]

        return call.page(source.seen.all(), ("id",), draw)


class SeenEventsAdopt(Endpoint):
    scopes = {"POST": "sources:write"}

    @operation("adopt_seen_events", "Plan events as they were seen", body=AdoptBody, answer=AdoptAnswer)
    def post(self, call: Call, slug: str) -> Any:
        """With the properties they were seen with, none of them required."""
        source, names = source_of(slug), list(dict.fromkeys(call.body["names"]))
        seen = {one.name: one for one in source.seen.filter(name__in=names)}
        shared = call.body["every_source"]
        tried = [adopting.adopt(seen[name], for_all=shared) for name in names if name in seen]
        made = [one for one in tried if one]
        if made:
            call.audit(source, f"planned {', '.join(one.name for one in made)}"[:1_000])
        new = {one.name for one in made}
        return {
            "planned": _draw(made),
            "were_planned": [name for name in names if name in seen and name not in new],
            "not_seen": [name for name in names if name not in seen],
        }


class PlanViolations(Endpoint):
    scopes = {"GET": "sources:read"}

    @operation(
        "list_plan_violations",
        "Where a source's events differ from the plan",
        query=ViolationFilters,
        answer=ViolationShape,
        paged=True,
    )
    def get(self, call: Call, slug: str) -> Any:
        """One for each event, kind of fault and property, with how often and the latest example."""
        chosen = {name: call.query[name] for name in ("event", "code") if name in call.query}
        return call.page(source_of(slug).violations.filter(**chosen), ("id",), _draw_violations)


def _of(source: Source) -> Any:
    """Lines of the plan that hold for a source."""
    return PlannedEvent.objects.filter(source=source) | PlannedEvent.objects.filter(source=None)


def _planned(planned_id: int, *, locked: bool = False) -> PlannedEvent:
    rows = PlannedEvent.objects.select_related("source")
    if locked:
        rows = rows.select_for_update(of=("self",))
    found = rows.filter(pk=planned_id).first() if planned_id <= _LARGEST_ID else None
    if found is None:
        raise not_found("planned event")
    return found


def _save(planned: PlannedEvent, call: Call, said: str) -> dict[str, Any]:
    for name in ("description", "server_only"):
        setattr(planned, name, call.body.get(name, getattr(planned, name)))
    if "properties" in call.body:
        try:
            planned.properties = catalogue.checked([dict(one) for one in call.body["properties"]])
        except PlanError as error:
            raise bad_request("invalid_properties", str(error), "properties") from None
    try:
        with transaction.atomic():
            planned.save()
    except IntegrityError:
        raise Refused(409, "taken", "This event is in the plan of this source already.", "name") from None
    call.audit(planned, f"{said} {planned.name}")
    return _draw([planned])[0]


def _draw(rows: list[PlannedEvent]) -> list[dict[str, Any]]:
    names = ("id", "name", "description", "properties", "server_only", "updated_at")
    return [
        {**{name: getattr(row, name) for name in names}, "source": row.source.slug if row.source else None}
        for row in rows
    ]


def _seen(row: SeenEvent, known: bool) -> dict[str, Any]:
    names = ("name", "first_seen_at", "last_seen_at", "accepted", "rejected", "properties")
    return {**{name: getattr(row, name) for name in names}, "known": known}


def _draw_violations(rows: list[PlanViolation]) -> list[dict[str, Any]]:
    names = (
        "event", "code", "property", "count", "first_seen_at", "last_seen_at", "message_id", "example",
    )  # fmt: skip
    return [{name: getattr(row, name) for name in names} for row in rows]
