"""Addresses that must not be written to, whoever owns them: read, added, lifted."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from contacts import consent
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.fields import Fields
from contacts.models import Suppression

_MOST, _LONGEST = 1_000, 2_048
_SHOWN = ("channel", "address", "reason", "note", "created_at")
_CHANNELS = [(name, name) for name in consent.CHANNELS]


class AddressItem(Fields):
    channel = serializers.ChoiceField(choices=_CHANNELS)
    address = serializers.CharField(max_length=_LONGEST)


class SuppressionFilters(Fields):
    channel = serializers.ChoiceField(choices=_CHANNELS, required=False)
    reason = serializers.ChoiceField(choices=Suppression.Reason.values, required=False)
    address = serializers.CharField(required=False, max_length=_LONGEST, help_text="Exactly this one.")


class SuppressionShape(Fields):
    channel = serializers.CharField()
    address = serializers.CharField(help_text="As it is looked up: emails in small letters.")
    reason = serializers.ChoiceField(choices=Suppression.Reason.values)
    note = serializers.CharField()
    created_at = serializers.DateTimeField()


class SuppressionsBody(Fields):
    addresses = serializers.ListField(child=AddressItem(), min_length=1, max_length=_MOST)
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=300)


class LiftedBody(Fields):
    addresses = serializers.ListField(child=AddressItem(), min_length=1, max_length=_MOST)
    note = serializers.CharField(max_length=300, help_text="Why; kept in the audit.")


class SuppressedAnswer(Fields):
    suppressed = serializers.IntegerField(help_text="That were not yet.")


class LiftedAnswer(Fields):
    lifted = serializers.IntegerField(help_text="That were suppressed.")


class Suppressions(Endpoint):
    scopes = {"GET": "suppressions:read", "POST": "suppressions:write"}

    @operation(
        "list_suppressions",
        "Addresses that must not be written to",
        query=SuppressionFilters,
        answer=SuppressionShape,
        paged=True,
    )
    def get(self, call: Call) -> Any:
        rows = Suppression.objects.all()
        for name in ("channel", "reason"):
            if name in call.query:
                rows = rows.filter(**{name: call.query[name]})
        if "address" in call.query:
            channels = [call.query["channel"]] if "channel" in call.query else consent.CHANNELS
            keys = {consent.address_key(one, call.query["address"]) for one in channels}
            rows = rows.filter(channel__in=channels, address__in=keys)
        return call.page(rows, ("-id",), _draw)

    @operation(
        "suppress_addresses", "Never write to these again", body=SuppressionsBody, answer=SuppressedAnswer
    )
    def post(self, call: Call) -> Any:
        pairs = _pairs(call)
        new = consent.suppress(pairs, Suppression.Reason.MANUAL, call.now, note=call.body["note"])
        _audit(call, new, "suppressed")
        return {"suppressed": len(new)}


class SuppressionsLift(Endpoint):
    scopes = {"POST": "suppressions:lift"}

    @operation("lift_suppressions", "Let these be written to again", body=LiftedBody, answer=LiftedAnswer)
    def post(self, call: Call) -> Any:
        """As far as the consents of those who own them allow."""
        pairs = consent.suppressed(_pairs(call))
        _audit(call, pairs, f"lifted ({call.body['note']})")
        return {"lifted": consent.allow_again(pairs, call.now)}


def _pairs(call: Call) -> set[tuple[str, str]]:
    return {(one["channel"], one["address"]) for one in call.body["addresses"]}


def _audit(call: Call, pairs: set[tuple[str, str]], said: str) -> None:
    keys = [consent.address_key(channel, address) for channel, address in pairs]
    for row in Suppression.objects.filter(address__in=keys, channel__in=[one for one, _ in pairs]):
        call.audit(row, said)


def _draw(rows: list[Suppression]) -> list[dict[str, Any]]:
    return [{name: getattr(row, name) for name in _SHOWN} for row in rows]
