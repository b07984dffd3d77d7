"""Segments: read, written, tried, and the lists that are kept by hand."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils.text import slugify
from rest_framework import serializers

from contacts import finding, segments
from contacts.api import callers
from contacts.api.contact_shapes import ContactShape, Who, draw, name_of
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, not_found
from contacts.api.fields import Fields
from contacts.models import Contact, Segment, SegmentMembership
from contacts.rules import Rule
from contacts.segmentation import counting, saving
from contacts.segmentation.judging import judge

_MOST_BY_HAND = 1_000
_RULE = "Conditions as JSON; an empty object is everyone. See docs/how-to/rules.md."


class SegmentShape(Fields):
    slug = serializers.CharField(help_text="Its name in addresses, rules and journeys; it stays.")
    name = serializers.CharField()
    description = serializers.CharField()
    kind = serializers.ChoiceField(choices=Segment.Kind.values)
    rule = serializers.JSONField()
    active = serializers.BooleanField(help_text="Kept current.")
    size = serializers.IntegerField(help_text="Members when last computed.")
    stale = serializers.BooleanField(help_text="The rule changed; members follow within seconds.")
    computed_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField()


class SegmentFilters(Fields):
    kind = serializers.ChoiceField(choices=Segment.Kind.values, required=False)
    active = serializers.BooleanField(required=False)


class SegmentChange(Fields):
    name = serializers.CharField(required=False, max_length=120)
    description = serializers.CharField(required=False, allow_blank=True, max_length=2_000)
    rule = serializers.DictField(required=False, help_text=_RULE)
    active = serializers.BooleanField(required=False)
    note = serializers.CharField(
        required=False, max_length=200, help_text="Why, for the versions of the rule."
    )


class SegmentBody(SegmentChange):
    name = serializers.CharField(max_length=120)
    slug = serializers.SlugField(required=False, max_length=60, help_text="Follows from the name if absent.")
    kind = serializers.ChoiceField(choices=Segment.Kind.values, required=False, default=Segment.Kind.DYNAMIC)


class PreviewBody(Fields):
    rule = serializers.DictField(help_text=_RULE)


class Preview(Fields):
    words = serializers.CharField(help_text="The rule as a sentence.")
    size = serializers.IntegerField()
    base = serializers.IntegerField(help_text="About how many contacts there are.")
    sample = ContactShape(many=True)


class Member(Fields):
    entered_at = serializers.DateTimeField()
    contact = ContactShape()


class ByHand(Fields):
    add = serializers.ListField(child=Who(), required=False, max_length=_MOST_BY_HAND)
    remove = serializers.ListField(child=Who(), required=False, max_length=_MOST_BY_HAND)


class ByHandAnswer(Fields):
    added = serializers.IntegerField(help_text="That were not in it.")
    removed = serializers.IntegerField(help_text="That were in it.")
    not_found = serializers.ListField(child=serializers.CharField(), help_text="Places, such as add.3.")


class Segments(Endpoint):
    scopes = {"GET": "segments:read", "POST": "segments:write"}

    @operation(
        "list_segments", "Segments, page by page", query=SegmentFilters, answer=SegmentShape, paged=True
    )
    def get(self, call: Call) -> Any:
        chosen = {name: call.query[name] for name in ("kind", "active") if name in call.query}
        return call.page(Segment.objects.filter(**chosen), ("id",), draw_segments)

    @operation("create_segment", "Create a segment", body=SegmentBody, answer=SegmentShape, status=201)
    def post(self, call: Call) -> Any:
        """By rule, or kept by hand. Its members follow within seconds."""
        slug = call.body.get("slug") or slugify(call.body["name"])[:60]
        if not slug:
            raise bad_request("required", "Give it a slug of letters, digits and hyphens.", "slug")
        segment = Segment(slug=slug, kind=call.body["kind"])
        return _save(segment, call, "Made the segment")


class SegmentDetail(Endpoint):
    scopes = {"GET": "segments:read", "PATCH": "segments:write"}

    @operation("get_segment", "One segment", answer=SegmentShape)
    def get(self, call: Call, slug: str) -> Any:
        return draw_segments([segment_of(slug)])[0]

    @operation("change_segment", "Change a segment", body=SegmentChange, answer=SegmentShape)
    def patch(self, call: Call, slug: str) -> Any:
        """What is absent stays. A rule that is another one is kept as the next version."""
        return _save(segment_of(slug, locked=True), call, "Changed the segment")


class SegmentPreview(Endpoint):
    scopes = {"POST": "segments:read"}
    # Writes nothing; a count that is ended must not take a transaction with it.
    commits_itself = True

    @operation("preview_segment", "Size and sample of a rule", body=PreviewBody, answer=Preview)
    def post(self, call: Call) -> Any:
        """Asking again while the same caller's last question still runs ends that one."""
        rule, words = _read(call.body["rule"], "")
        try:
            counted = counting.count(rule, call.now, asker=f"api {callers.caller_id(call.request)}")
        except counting.Stopped:
            message = "The count took more than 15 seconds, or you asked another one meanwhile."
            raise Refused(409, "stopped", message, "rule") from None
        sample = draw(counted.sample) if callers.holds(call.request, "contacts:read") else []
        return {"words": words, "size": counted.size, "base": counted.base, "sample": sample}


class SegmentMembers(Endpoint):
    scopes = {"GET": "segments:read", "POST": "segments:write"}

    @operation("list_members", "Who is in a segment, page by page", answer=Member, paged=True)
    def get(self, call: Call, slug: str) -> Any:
        """Needs the scope `contacts:read` as well."""
        if not callers.holds(call.request, "contacts:read"):
            raise Refused(403, "missing_scope", "Contacts are shown to callers with the scope contacts:read.")
        rows = SegmentMembership.objects.filter(segment=segment_of(slug))
        return call.page(rows, ("contact_id",), _draw_members)

    @operation("change_members", "Add and remove by hand", body=ByHand, answer=ByHandAnswer)
    def post(self, call: Call, slug: str) -> Any:
        """For segments kept by hand. Removing comes last, so who is named twice is not in it."""
        segment = segment_of(slug)
        if segment.kind != Segment.Kind.STATIC:
            raise Refused(409, "kept_by_rule", "This segment is kept by its rule, not by hand.")
        added, removed = call.body.get("add", []), call.body.get("remove", [])
        found = finding.find([name_of(who) for who in (*added, *removed)])
        places = [f"add.{place}" for place in range(len(added))]
        places += [f"remove.{place}" for place in range(len(removed))]
        entered = segments.add(segment, {one for one in found[: len(added)] if one}, call.now)
        gone = segments.remove(segment, {one for one in found[len(added) :] if one}, call.now)
        call.audit(segment, f"added {entered}, removed {gone}")
        call.wake("segments")
        missing = [place for place, one in zip(places, found, strict=True) if one is None]
        return {"added": entered, "removed": gone, "not_found": missing}


def segment_of(slug: str, *, locked: bool = False) -> Segment:
    rows = Segment.objects.select_for_update() if locked else Segment.objects.all()
    segment = rows.filter(slug=slug).first()
    if segment is None:
        raise not_found("segment")
    return segment


def _save(segment: Segment, call: Call, said: str) -> dict[str, Any]:
    for name in ("name", "description", "active"):
        setattr(segment, name, call.body.get(name, getattr(segment, name)))
    if segment.kind == Segment.Kind.DYNAMIC:
        segment.rule = call.body.get("rule", segment.rule)
        _read(segment.rule, segment.slug)
    elif call.body.get("rule"):
        raise bad_request("kept_by_hand", "A segment kept by hand has no rule.", "rule")
    by = get_user_model().objects.filter(pk=call.acting_user_id).first()
    try:
        with transaction.atomic():
            saving.save(segment, call.now, by, note=call.body.get("note", ""))
    except IntegrityError as error:
        field = "slug" if "slug" in str(error) else "name"
        raise Refused(409, "taken", f"Another segment has this {field}.", field) from None
    call.audit(segment, said)
    call.wake("segments")
    return draw_segments([segment])[0]


def _read(data: Any, slug: str) -> tuple[Rule, str]:
    """The rule in ``data`` and its words. Raises an error that names each place where it is wrong."""
    judged = judge(data, slug)
    if judged.rule is None:
        raise serializers.ValidationError(
            {
                f"rule.{fault.path}".rstrip("."): [serializers.ErrorDetail(fault.message, "invalid_rule")]
                for fault in judged.faults
            }
        )
    return judged.rule, judged.words


def draw_segments(rows: list[Segment]) -> list[dict[str, Any]]:
    names = [
        "slug",
        "name",
        "description",
        "kind",
        "rule",
        "active",
        "size",
        "stale",
        "computed_at",
        "updated_at",
    ]
    return [{name: getattr(row, name) for name in names} for row in rows]


def _draw_members(rows: list[SegmentMembership]) -> list[dict[str, Any]]:
    contacts = list(Contact.objects.filter(pk__in=[row.contact_id for row in rows]))
    drawn = dict(zip([contact.pk for contact in contacts], draw(contacts), strict=True))
    return [
        {"entered_at": row.entered_at, "contact": drawn[row.contact_id]}
        for row in rows
        if row.contact_id in drawn
    ]
