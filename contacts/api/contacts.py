"""Contacts: listed, found, created and changed."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from rest_framework import serializers

from contacts import contention, finding, upserting
from contacts.api import callers
from contacts.api.contact_shapes import (
    ContactBody,
    ContactItem,
    ContactShape,
    ContactWithSegments,
    OutcomeShape,
    Who,
    draw,
    draw_faults,
    name_of,
)
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import bad_request, contended, not_found
from contacts.api.fields import Fields
from contacts.models import Contact, Segment, SegmentMembership
from contacts.upserting import Outcome


class ContactFilters(Fields):
    email = serializers.CharField(required=False, help_text="Exactly this one.")
    phone = serializers.CharField(required=False)
    user_id = serializers.CharField(required=False)
    anonymous_id = serializers.CharField(required=False)
    segment = serializers.SlugField(required=False, help_text="Slug: members of this segment.")
    known = serializers.BooleanField(required=False, help_text="Has a user id, an email or a phone.")
    updated_after = serializers.DateTimeField(
        required=False, help_text="Changed after this instant, the longest unchanged first: to keep a copy."
    )


class ContactsBody(Fields):
    contacts = serializers.ListField(
        child=ContactItem(allow_null=True), min_length=1, max_length=upserting.MOST, help_text="Up to 1,000."
    )


class BulkAnswer(Fields):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = OutcomeShape(many=True, help_text="One for each item, in their order.")


class Contacts(Endpoint):
    scopes = {"GET": "contacts:read", "POST": "contacts:write"}

    @operation(
        "list_contacts", "Contacts, page by page", query=ContactFilters, answer=ContactShape, paged=True
    )
    def get(self, call: Call) -> Any:
        rows, order = _filtered(call.query)
        return call.page(rows, order, draw)

    @operation(
        "upsert_contact", "Create or change one contact", body=ContactBody, answer=OutcomeShape, raw=True
    )
    def post(self, call: Call) -> Any:
        """Found by its identifiers, by the same rules as events: one person stays one.

        What turns out to be the same person is merged.
        """
        (outcome,) = _upsert([call.body], call)
        if outcome.faults:
            raise serializers.ValidationError(_by_field(outcome))
        return _draw_outcome(outcome)


class ContactsInBulk(Endpoint):
    scopes = {"POST": "contacts:write"}

    @operation("upsert_contacts", "Create or change many contacts", body=ContactsBody, answer=BulkAnswer)
    def post(self, call: Call) -> Any:
        """All readable items are stored together or none is; each that is not readable is told why.

        Items count in their order, so the last word about a contact holds.
        """
        outcomes = _upsert(call.body["contacts"], call)
        numbers = dict.fromkeys(("created", "updated", "unchanged", "rejected"), 0)
        for outcome in outcomes:
            numbers[outcome.status] += 1
        return {**numbers, "results": [_draw_outcome(outcome) for outcome in outcomes]}


class ContactLookup(Endpoint):
    scopes = {"GET": "contacts:read"}

    @operation("find_contact", "One contact by any of its names", query=Who, answer=ContactWithSegments)
    def get(self, call: Call) -> Any:
        return draw_one(finding.find_one(name_of(call.query)))


def draw_one(contact_id: int | None) -> dict[str, Any]:
    found = draw(Contact.objects.filter(pk=contact_id)) if contact_id else []
    if contact_id is None or not found:
        raise not_found("contact")
    slugs = Segment.objects.filter(memberships__contact_id=contact_id).order_by("slug")
    return {**found[0], "segments": list(slugs.values_list("slug", flat=True))}


def _filtered(query: dict[str, Any]) -> tuple[QuerySet[Contact], tuple[str, ...]]:
    rows = Contact.objects.all()
    for called in finding.KINDS.keys() & query.keys():
        rows = rows.filter(pk=finding.find_one(finding.name(called, query[called])) or 0)
    if "known" in query:
        rows = rows.filter(known=query["known"])
    if "segment" in query:
        segment = Segment.objects.filter(slug=query["segment"]).first()
        if segment is None:
            raise bad_request("unknown_segment", "No segment has this slug.", "segment")
        rows = rows.filter(Exists(SegmentMembership.objects.filter(segment=segment, contact=OuterRef("pk"))))
    if "updated_after" in query:
        return rows.filter(updated_at__gt=query["updated_after"]), ("updated_at", "id")
    return rows, ("id",)


def _upsert(items: list[Any], call: Call) -> list[Outcome]:
    try:
        outcomes = upserting.upsert(items, callers.origin(call.request), call.now)
    except contention.ContendedTooLong:
        raise contended() from None
    call.wake("segments")
    call.wake("triggers")
    return outcomes


def _draw_outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "status": outcome.status,
        "id": outcome.public_id,
        "not_kept": outcome.not_kept,
        "errors": draw_faults(outcome.faults),
    }


def _by_field(outcome: Outcome) -> dict[str, Any]:
    return {
        fault.field or "non_field_errors": [serializers.ErrorDetail(fault.message, fault.code)]
        for fault in outcome.faults
    }
