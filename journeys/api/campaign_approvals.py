"""Requests to send a campaign, decided by program under the rule of two people that the page has."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused
from contacts.api.fields import Fields
from journeys.api import approvals
from journeys.api.approvals import DecisionBody, PublishRequestShape
from journeys.api.campaign_shapes import CampaignShape, draw
from journeys.api.campaigns import READ, SEND, campaign_by, problems_of
from journeys.campaigns import acts
from journeys.graph import GraphError
from journeys.models import PublishRequest
from journeys.publishing import NotAllowedError


class CampaignDecisionAnswer(Fields):
    state = serializers.ChoiceField(choices=PublishRequest.State.values)
    campaign = CampaignShape()


class CampaignRequests(Endpoint):
    scopes: ClassVar = {"GET": READ}

    @operation(
        "list_campaign_requests",
        "Requests to send, the newest first",
        answer=PublishRequestShape,
        paged=True,
    )
    def get(self, call: Call, slug: str) -> Any:
        return approvals.listed(campaign_by(slug).journey, call)


class CampaignDecision(Endpoint):
    scopes: ClassVar = {"POST": SEND}

    @operation(
        "decide_campaign_request",
        "Approve or refuse a request",
        body=DecisionBody,
        answer=CampaignDecisionAnswer,
    )
    def post(self, call: Call, slug: str, number: int) -> Any:
        """Nobody approves their own: a key counts as whoever made it. Who asked takes it back by refusing."""
        campaign = campaign_by(slug)
        request = approvals.request_of(campaign.journey, number)
        if call.body["decision"] == "approve":
            try:
                campaign = acts.approve(request, call.acting_user, call.now)
            except GraphError as error:
                raise problems_of(error) from error
            except NotAllowedError as error:
                raise Refused(409, "not_now", str(error)) from error
            call.audit(campaign, "Approved and scheduled")
            call.wake("campaigns")
        else:
            approvals.refuse(request, call)
            call.audit(campaign, "Refused or took back the request")
        request.refresh_from_db()
        return {"state": request.state, "campaign": draw(campaign_by(slug), call.now)}
