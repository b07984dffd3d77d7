"""The open request to publish a charter's draft, decided by program under the rule of two people."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from channels import charter_approving
from channels.api.charter import refusal, version_by
from channels.charter_approving import NotAllowedError
from channels.charter_rules import CharterError
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, not_found
from contacts.api.fields import Fields


class CharterRequestShape(Fields):
    note = serializers.CharField()
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    current = serializers.BooleanField(help_text="False: the draft was changed since: nobody can approve.")


class CharterDecisionBody(Fields):
    decision = serializers.ChoiceField(choices=["approve", "refuse"])


class CharterDecisionAnswer(Fields):
    published = serializers.BooleanField()


class CharterPublishRequest(Endpoint):
    scopes = {"GET": "charter:read", "POST": "charter:publish"}

    @operation("get_charter_request", "The open request to publish a draft", answer=CharterRequestShape)
    def get(self, call: Call, number: int) -> Any:
        version = version_by(number)
        request = charter_approving.pending(version)
        if request is None:
            raise not_found("open request")
        return {
            "note": request.note,
            "asked_by": request.asked_by.get_username(),
            "asked_at": request.asked_at,
            "current": request.draft == charter_approving.said(version),
        }

    @operation(
        "decide_charter_request",
        "Approve or refuse it",
        body=CharterDecisionBody,
        answer=CharterDecisionAnswer,
    )
    def post(self, call: Call, number: int) -> Any:
        """Nobody approves their own: a key counts as whoever made it. Who asked takes it back by refusing."""
        version = version_by(number)
        request = charter_approving.pending(version)
        if request is None:
            raise not_found("open request")
        approves = call.body["decision"] == "approve"
        try:
            if approves:
                charter_approving.approve(request, call.acting_user, call.now)
            else:
                charter_approving.refuse(request, call.acting_user, call.now)
        except CharterError as error:
            raise refusal(error) from error
        except NotAllowedError as error:
            raise Refused(409, "not_now", str(error)) from error
        call.audit(version, "Approved and published" if approves else "Refused or took back a publication")
        return {"published": approves}
