"""The identity rules: which identifiers there are, how strong, how many; their versions, and a next one."""

from __future__ import annotations

from typing import Any

import msgspec
from rest_framework import serializers

from contacts import identity_rules
from contacts.api.callers import acting_name
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request
from contacts.api.fields import Fields
from contacts.identifier_kinds import (
    HIGHEST_LIMIT,
    LEAVE_OUT,
    MOST_BLOCKED,
    MOST_KINDS,
    OLDEST_FALLS,
    IdentifierKind,
    KindsError,
)
from contacts.models import IdentityVersion


class KindShape(Fields):
    """One kind of identifier."""

    slug = serializers.CharField(max_length=16)
    name = serializers.CharField(max_length=60)
    limit = serializers.IntegerField(
        min_value=1, max_value=HIGHEST_LIMIT, help_text="How many one contact may have."
    )
    full = serializers.ChoiceField(
        choices=[LEAVE_OUT, OLDEST_FALLS], help_text="What becomes of one too many."
    )
    known = serializers.BooleanField(default=False, help_text="Tells who somebody is, not which browser.")
    browsers = serializers.BooleanField(default=True, help_text="Taken with write-only keys too.")
    active = serializers.BooleanField(default=True)
    blocked = serializers.ListField(
        child=serializers.CharField(max_length=512),
        default=list,
        max_length=MOST_BLOCKED,
        help_text="Values that are nobody's; * at the end stands for anything.",
    )


class RulesShape(Fields):
    version = serializers.IntegerField(help_text="0 is what an installation begins with.")
    kinds = KindShape(many=True, help_text="The strongest first.")


class VersionShape(RulesShape):
    note = serializers.CharField()
    made_by = serializers.CharField()
    made_at = serializers.DateTimeField()


class RulesBody(Fields):
    kinds = serializers.ListField(
        child=KindShape(), min_length=1, max_length=MOST_KINDS, help_text="All, the strongest first."
    )
    after = serializers.IntegerField(min_value=0, max_value=2**31 - 1, help_text="The version you changed.")
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=300)


class IdentityRules(Endpoint):
    scopes = {"GET": "identity:read", "POST": "identity:write"}

    @operation("get_identity_rules", "The identity rules that hold", answer=RulesShape)
    def get(self, call: Call) -> Any:
        held = identity_rules.current()
        return {"version": held.version, "kinds": msgspec.to_builtins(held.kinds)}

    @operation(
        "publish_identity_rules", "Make the next version", body=RulesBody, answer=VersionShape, status=201
    )
    def post(self, call: Call) -> Any:
        """It holds from the next batch on. If somebody else was quicker, repeat your change on theirs."""
        kinds = [
            IdentifierKind(**{**one, "blocked": tuple(dict.fromkeys(one["blocked"]))})
            for one in call.body["kinds"]
        ]
        try:
            made = identity_rules.publish(
                kinds,
                call.now,
                by=acting_name(call.request),
                note=call.body["note"],
                after=call.body["after"],
            )
        except KindsError as error:
            raise bad_request("invalid_kinds", str(error), "kinds") from None
        except identity_rules.OutdatedError:
            message = f"Version {identity_rules.current().version} holds by now."
            raise Refused(409, "outdated", message, "after") from None
        call.audit(made, f"published version {made.number} of the identity rules")
        return _draw([made])[0]


class IdentityVersions(Endpoint):
    scopes = {"GET": "identity:read"}

    @operation(
        "list_identity_versions", "Versions of the rules, newest first", answer=VersionShape, paged=True
    )
    def get(self, call: Call) -> Any:
        return call.page(IdentityVersion.objects.all(), ("-number",), _draw)


def _draw(rows: list[IdentityVersion]) -> list[dict[str, Any]]:
    return [
        {
            "version": row.number,
            "kinds": msgspec.to_builtins(identity_rules.of(row).kinds),
            "note": row.note,
            "made_by": row.made_by,
            "made_at": row.made_at,
        }
        for row in rows
    ]
