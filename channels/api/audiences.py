"""Retargeting audiences by program: what they are, how far their destination followed, who is in them."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from rest_framework import serializers

from channels import audiences
from channels.models import Audience, AudienceDeparture, AudienceMember, ProviderAccount
from channels.models.provider import Channel
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import bad_request, not_found
from contacts.api.fields import Fields
from contacts.api.taken import refused_if_taken
from contacts.models import Contact, Purpose, Segment

_MOST = 1_000
_State = AudienceMember.State


class AudienceShape(Fields):
    slug = serializers.CharField()
    name = serializers.CharField()
    account = serializers.IntegerField(allow_null=True, help_text="The provider account that tells it.")
    remote_id = serializers.CharField()
    purpose = serializers.CharField(allow_null=True)
    segment = serializers.CharField(allow_null=True)
    leave_on = serializers.CharField()
    synced_at = serializers.DateTimeField(allow_null=True)
    not_before = serializers.DateTimeField(allow_null=True, help_text="Its destination asked for rest.")
    trouble = serializers.CharField(help_text="What the destination said when it took nothing; else empty.")
    members = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="People by state: adding, in, removing, out; and erased, whom it must still remove.",
    )


class AudienceChange(Fields):
    name = serializers.CharField(required=False, max_length=120)
    account = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=2**31 - 1,
        help_text="Of the channel audience.",
    )
    remote_id = serializers.CharField(
        required=False, allow_blank=True, max_length=120, help_text="What Meta or Google call the list."
    )
    purpose = serializers.SlugField(
        required=False, allow_null=True, help_text="Only people who agreed to it are in the list."
    )
    segment = serializers.SlugField(
        required=False, allow_null=True, help_text="Its people are put in, and taken out as they leave it."
    )
    leave_on = serializers.CharField(
        required=False, allow_blank=True, max_length=120, help_text="Event that ends it: Order Completed."
    )


class AudienceBody(AudienceChange):
    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)


class MembersQuery(Fields):
    state = serializers.ChoiceField(choices=_State.values, required=False, help_text="Only these.")


class MemberShape(Fields):
    contact = serializers.UUIDField()
    state = serializers.ChoiceField(choices=_State.values)
    reason = serializers.CharField(help_text="Who wanted it: segment, consent, event, api, or a journey.")
    changed_at = serializers.DateTimeField()


class MembersBody(Fields):
    action = serializers.ChoiceField(choices=["add", "remove"])
    contacts = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=_MOST)


class MembersAnswer(Fields):
    changed = serializers.IntegerField(help_text="People whose place changed.")
    unknown = serializers.ListField(child=serializers.UUIDField(), help_text="Of whom we know nothing.")


class Audiences(Endpoint):
    scopes = {"GET": "audiences:read", "POST": "audiences:write"}

    @operation("list_audiences", "Audiences, page by page", answer=AudienceShape, paged=True)
    def get(self, call: Call) -> Any:
        rows = Audience.objects.select_related("purpose", "segment")
        return call.page(rows, ("id",), _drawn)

    @operation("make_audience", "Make an audience", body=AudienceBody, answer=AudienceShape, status=201)
    def post(self, call: Call) -> Any:
        """Journeys and the segment fill it; the destination is told within a minute."""
        audience = Audience(slug=call.body["slug"])
        _change(audience, call)
        call.audit(audience, "made")
        return _drawn([audience])[0]


class AudienceDetail(Endpoint):
    scopes = {"GET": "audiences:read", "PATCH": "audiences:write"}

    @operation("get_audience", "One audience, and how far its destination followed", answer=AudienceShape)
    def get(self, call: Call, slug: str) -> Any:
        return _drawn([_audience(slug)])[0]

    @operation("change_audience", "Change an audience", body=AudienceChange, answer=AudienceShape)
    def patch(self, call: Call, slug: str) -> Any:
        """What is not named stays as it is."""
        audience = _audience(slug)
        _change(audience, call)
        call.audit(audience, f"changed {', '.join(sorted(call.body))}")
        return _drawn([audience])[0]


class AudienceMembers(Endpoint):
    scopes = {"GET": "audiences:read", "POST": "audiences:write"}

    @operation(
        "list_audience_members", "Who is in it, or still to be told", query=MembersQuery,
        answer=MemberShape, paged=True,
    )  # fmt: skip
    def get(self, call: Call, slug: str) -> Any:
        """With `state` adding or removing: the difference between what is wanted and what was told."""
        rows = AudienceMember.objects.filter(audience=_audience(slug)).select_related("contact")
        if "state" in call.query:
            rows = rows.filter(state=call.query["state"])
        return call.page(
            rows,
            ("contact_id",),
            lambda found: [
                {"contact": one.contact.public_id, "state": one.state, "reason": one.reason,
                 "changed_at": one.changed_at}
                for one in found
            ],
        )  # fmt: skip

    @operation(
        "change_audience_members", "Put people in or take them out", body=MembersBody, answer=MembersAnswer
    )
    def post(self, call: Call, slug: str) -> Any:
        """Who did not agree to the audience's purpose leaves it before the destination is told."""
        audience, wanted = _audience(slug), set(call.body["contacts"])
        known = dict(Contact.objects.filter(public_id__in=wanted).values_list("public_id", "id"))
        act = audiences.add if call.body["action"] == "add" else audiences.remove
        changed = act(known.values(), slug, "api", call.now)
        if changed:
            call.audit(audience, f"{call.body['action']}: {changed} people")
            call.wake("audiences")
        return {"changed": changed, "unknown": sorted(wanted - known.keys(), key=str)}


def _change(audience: Audience, call: Call) -> None:
    given = dict(call.body)
    if "account" in given:
        audience.provider = _named(
            ProviderAccount.objects.filter(channel=Channel.AUDIENCE), "account", "pk", given.pop("account")
        )
    if "purpose" in given:
        audience.purpose = _named(Purpose.objects.all(), "purpose", "slug", given.pop("purpose"))
    if "segment" in given:
        audience.segment = _named(Segment.objects.all(), "segment", "slug", given.pop("segment"))
    for name, value in given.items():
        setattr(audience, name, value)
    with refused_if_taken("There is an audience of this slug or name."):
        audience.save()
    call.wake("audiences")


def _named(rows: Any, field: str, by: str, value: object) -> Any:
    if value is None:
        return None
    found = rows.filter(**{by: value}).first()
    if found is None:
        words = (
            "There is no account of this number for audiences."
            if by == "pk"
            else f"There is no such {field}."
        )
        raise bad_request("unknown", words, field)
    return found


def _audience(slug: str) -> Audience:
    found = Audience.objects.select_related("purpose", "segment").filter(slug=slug).first()
    if found is None:
        raise not_found("audience")
    return found


def _drawn(rows: list[Audience]) -> list[dict[str, Any]]:
    """The audiences as they are told; two statements for all of them."""
    names = ("slug", "name", "remote_id", "leave_on", "synced_at", "not_before", "trouble")
    counts: dict[int, dict[str, int]] = {one.pk: dict.fromkeys((*_State.values, "erased"), 0) for one in rows}
    members = AudienceMember.objects.filter(audience_id__in=counts)
    for pk, state, count in members.values_list("audience_id", "state").annotate(Count("contact_id")):
        counts[pk][state] = count
    gone = AudienceDeparture.objects.filter(audience_id__in=counts)
    for pk, count in gone.values_list("audience_id").annotate(Count("id")):
        counts[pk]["erased"] = count
    return [
        {
            **{name: getattr(one, name) for name in names},
            "account": one.provider_id,
            "purpose": one.purpose.slug if one.purpose else None,
            "segment": one.segment.slug if one.segment else None,
            "members": counts[one.pk],
        }
        for one in rows
    ]
