"""The devices on which a contact's apps take pushes, for a site's or an app's own server."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers

from channels import subscribing
from channels.models.provider import Channel
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import bad_request, not_found
from contacts.api.fields import Fields
from contacts.models import ChannelAddress, Contact


class DeviceShape(Fields):
    platform = serializers.CharField(help_text="android, ios, ios_firebase, or browser.")
    token = serializers.CharField(help_text="Of a browser: the address of its push service.")
    active = serializers.BooleanField(help_text="No after its service said that it has ended.")
    since = serializers.DateTimeField()


class DeviceBody(Fields):
    platform = serializers.ChoiceField(choices=sorted(subscribing.PLATFORMS))
    token = serializers.CharField(max_length=1500)
    former = serializers.CharField(
        required=False, default="", allow_blank=True, help_text="The token that this one takes the place of."
    )
    purposes = serializers.ListField(
        child=serializers.SlugField(),
        required=False,
        default=list,
        help_text="What was agreed to in the app.",
    )


class DeviceEnd(Fields):
    platform = serializers.ChoiceField(choices=sorted(subscribing.PLATFORMS))
    token = serializers.CharField(max_length=1500)


class EndedShape(Fields):
    ended = serializers.BooleanField(help_text="No when there was no such device.")


class Devices(Endpoint):
    scopes = {"GET": "contacts:read", "POST": "contacts:write", "DELETE": "contacts:write"}

    @operation("list_devices", "Where a contact takes pushes", answer=DeviceShape, paged=True)
    def get(self, call: Call, public_id: UUID) -> Any:
        contact = _contact(public_id)
        rows = ChannelAddress.objects.filter(slot=contact.slot, contact=contact, channel=Channel.PUSH)
        return call.page(rows, ("id",), lambda found: [_drawn(one) for one in found])

    @operation("register_device", "Keep an app's token", body=DeviceBody, answer=DeviceShape)
    def post(self, call: Call, public_id: UUID) -> Any:
        """The same token again changes nothing; a token of somebody else becomes this contact's."""
        body = call.body
        try:
            kept = subscribing.register(
                _contact(public_id), body["platform"], body["token"], body["purposes"], call.now,
                former=body["former"],
            )  # fmt: skip
        except subscribing.SubscriptionError as error:
            raise bad_request("malformed", str(error), "token") from None
        return _drawn(kept)

    @operation("end_device", "Take no more pushes there", body=DeviceEnd, answer=EndedShape)
    def delete(self, call: Call, public_id: UUID) -> Any:
        ended = subscribing.forget(_contact(public_id), call.body["platform"], call.body["token"], call.now)
        return {"ended": ended}


def _drawn(row: ChannelAddress) -> dict[str, Any]:
    platform = str(row.data.get("platform") or "browser")
    token = row.address if platform == "browser" else row.address.partition(":")[2]
    return {"platform": platform, "token": token, "active": row.active, "since": row.created_at}


def _contact(public_id: UUID) -> Contact:
    found = Contact.objects.filter(public_id=public_id).first()
    if found is None:
        raise not_found("contact")
    return found
