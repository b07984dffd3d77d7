"""Requests to publish a journey, decided by program under the rule of two people that the page has."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, not_found
from contacts.api.fields import Fields
from journeys import approving
from journeys.api import shapes
from journeys.api.shapes import journey_by
from journeys.graph import GraphError
from journeys.models import Journey, PublishRequest
from journeys.publishing import NotAllowedError


class PublishRequestShape(Fields):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=PublishRequest.State.values)
    note = serializers.CharField()
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    current = serializers.BooleanField(
        help_text="False: the draft was changed since, and nobody can approve."
    )


class DecisionBody(Fields):
    decision = serializers.ChoiceField(choices=["approve", "refuse"])


class DecisionAnswer(Fields):
    state = serializers.ChoiceField(choices=PublishRequest.State.values)
    version = serializers.IntegerField(allow_null=True, help_text="That was published.")


class PublishRequests(Endpoint):
    scopes = {"GET": "journeys:read"}

    @operation(
        "list_publish_requests",
        "Requests to publish, the newest first",
        answer=PublishRequestShape,
        paged=True,
    )
    def get(self, call: Call, slug: str) -> Any:
        return listed(journey_by(slug), call)


class PublishDecision(Endpoint):
    scopes = {"POST": "journeys:publish"}

    @operation(
        "decide_publish_request", "Approve or refuse a request", body=DecisionBody, answer=DecisionAnswer
    )
    def post(self, call: Call, slug: str, number: int) -> Any:
        """Nobody approves their own: a key counts as whoever made it. Who asked takes it back by refusing."""
        journey = journey_by(slug)
        request = request_of(journey, number)
        version = None
        if call.body["decision"] == "approve":
            try:
                version = approving.approve(request, call.acting_user, call.now).number
            except GraphError as error:
                raise shapes.refuse_problems(error.problems) from error
            except NotAllowedError as error:
                raise Refused(409, "not_now", str(error)) from error
            call.audit(journey, f"Approved and published version {version}")
            call.wake("redirects")
        else:
            refuse(request, call)
            call.audit(journey, "Refused or took back a publication")
        request.refresh_from_db()
        return {"state": request.state, "version": version}


def listed(journey: Journey, call: Call) -> Any:
    """A page of the journey's requests."""
    rows = journey.publish_requests.select_related("asked_by", "decided_by")
    return call.page(rows, ("-id",), lambda found: [_drawn(one, journey.draft) for one in found])


def request_of(journey: Journey, number: int) -> PublishRequest:
    """The journey's request of this number. Raises not_found."""
    request = journey.publish_requests.filter(pk=number).first() if number < 2**31 else None
    if request is None:
        raise not_found("request")
    return request


def refuse(request: PublishRequest, call: Call) -> None:
    """Refuse or take back what nobody has decided yet."""
    if request.state != PublishRequest.State.OPEN:
        raise Refused(409, "not_now", "This request was decided before.")
    approving.refuse(request, call.acting_user, call.now)


def _drawn(request: PublishRequest, draft: Any) -> dict[str, Any]:
    """A request as it is told; ``draft`` is the journey's of today."""
    return {
        "id": request.pk,
        "state": request.state,
        "note": request.note,
        "asked_by": request.asked_by.get_username(),
        "asked_at": request.asked_at,
        "decided_by": request.decided_by.get_username() if request.decided_by else None,
        "decided_at": request.decided_at,
        "current": request.draft == draft,
    }
