"""Campaigns by program: write, estimate, schedule, pause, resume, cancel, follow."""

from __future__ import annotations

from typing import Any, ClassVar

from contacts import rules
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import Refused, bad_request, not_found
from contacts.rules import RuleError
from journeys import approving, local_time
from journeys.api.campaign_shapes import (
    CampaignActBody,
    CampaignBody,
    CampaignChange,
    CampaignFilters,
    CampaignScheduleBody,
    CampaignScheduled,
    CampaignShape,
    EstimateShape,
    ProgressShape,
    draw,
    draw_estimate,
    draw_progress,
)
from journeys.campaigns import acts, drafting, estimating
from journeys.graph import GraphError
from journeys.models import Campaign
from journeys.publishing import NotAllowedError

READ, WRITE, SEND = "campaigns:read", "campaigns:write", "campaigns:send"


class Campaigns(Endpoint):
    scopes: ClassVar = {"GET": READ, "POST": WRITE}

    @operation(
        "list_campaigns", "Campaigns, page by page", query=CampaignFilters, answer=CampaignShape, paged=True
    )
    def get(self, call: Call) -> Any:
        chosen = {"state": call.query["state"]} if "state" in call.query else {}
        found = Campaign.objects.filter(**chosen).select_related("journey")
        return call.page(found, ("journey_id",), lambda rows: [draw(row, call.now) for row in rows])

    @operation("create_campaign", "Write a campaign", body=CampaignBody, answer=CampaignShape, status=201)
    def post(self, call: Call) -> Any:
        """A draft, which may have gaps: `problems` says what keeps it from being sent."""
        settings = _settings(call.body)
        try:
            campaign = acts.create(call.body["name"], call.acting_user, **settings)
        except NotAllowedError as error:
            raise Refused(409, "name_taken", str(error), "name") from error
        campaign.journey.description = call.body.get("description", "")
        drafting.store(campaign)
        call.audit(campaign, "Wrote the campaign")
        return draw(campaign, call.now)


class CampaignDetail(Endpoint):
    scopes: ClassVar = {"GET": READ, "PATCH": WRITE}

    @operation("get_campaign", "One campaign", answer=CampaignShape)
    def get(self, call: Call, slug: str) -> Any:
        return draw(campaign_by(slug), call.now)

    @operation("change_campaign", "Change a draft", body=CampaignChange, answer=CampaignShape)
    def patch(self, call: Call, slug: str) -> Any:
        """Only what is named changes. A request that waits for approval is taken back by it."""
        campaign = campaign_by(slug)
        for name, value in _settings(call.body).items():
            setattr(campaign, name, value)
        for name in ("name", "description"):
            if name in call.body:
                setattr(campaign.journey, name, call.body[name])
        campaign.__dict__.pop("schedule", None)
        try:
            acts.save(campaign, call.acting_user, call.now)
        except NotAllowedError as error:
            raise Refused(409, "not_now", str(error)) from error
        call.audit(campaign, "Changed the campaign")
        return draw(campaign, call.now)


class CampaignEstimate(Endpoint):
    scopes: ClassVar = {"GET": READ}

    @operation("estimate_campaign", "Whom it would reach if it left now", answer=EstimateShape)
    def get(self, call: Call, slug: str) -> Any:
        """The audience is counted; the rest is reckoned from up to 2,000 people of it."""
        campaign = campaign_by(slug)
        try:
            return draw_estimate(
                estimating.estimate(campaign, call.now, asker=f"campaign-api-{call.acting_user_id}")
            )
        except RuleError as error:
            raise Refused(409, "not_in_order", str(error), "rule") from error


class CampaignSchedule(Endpoint):
    scopes: ClassVar = {"POST": SEND}

    @operation(
        "schedule_campaign",
        "Let it be sent when its time comes",
        body=CampaignScheduleBody,
        answer=CampaignScheduled,
    )
    def post(self, call: Call, slug: str) -> Any:
        """Where two people are needed this asks for it, and `scheduled` is false until somebody approves."""
        campaign = campaign_by(slug)
        try:
            if approving.needed():
                acts.ask(campaign, call.acting_user, call.now, call.body["note"])
                call.audit(campaign, "Asked that it be sent")
            else:
                acts.schedule(campaign, call.acting_user, call.now)
                call.audit(campaign, "Scheduled")
        except GraphError as error:
            raise problems_of(error) from error
        except NotAllowedError as error:
            raise Refused(409, "not_now", str(error)) from error
        call.wake("campaigns")
        return {"scheduled": not approving.needed(), "campaign": draw(campaign, call.now)}


class CampaignActs(Endpoint):
    scopes: ClassVar = {"POST": SEND}

    @operation(
        "move_campaign",
        "Pause, resume, cancel, take back to a draft or archive",
        body=CampaignActBody,
        answer=CampaignShape,
    )
    def post(self, call: Call, slug: str) -> Any:
        campaign, act = campaign_by(slug), call.body["act"]
        try:
            getattr(acts, act)(campaign, call.now)
        except NotAllowedError as error:
            raise Refused(409, "not_now", str(error), "act") from error
        call.audit(campaign, f"Campaign: {act}")
        call.wake("campaigns")
        return draw(campaign, call.now)


class CampaignCopy(Endpoint):
    scopes: ClassVar = {"POST": WRITE}

    @operation("copy_campaign", "A draft with the same settings", answer=CampaignShape, status=201)
    def post(self, call: Call, slug: str) -> Any:
        copy = acts.duplicate(campaign_by(slug), call.acting_user)
        call.audit(copy, f"Copied from {slug}")
        return draw(copy, call.now)


class CampaignProgress(Endpoint):
    scopes: ClassVar = {"GET": READ}

    @operation(
        "get_campaign_progress", "How each time it is sent is getting on", answer=ProgressShape, many=True
    )
    def get(self, call: Call, slug: str) -> Any:
        """The newest first, at most 50."""
        campaign = campaign_by(slug)
        return [draw_progress(campaign, one, call.now) for one in campaign.occurrences.all()[:50]]


def problems_of(error: GraphError) -> Refused:
    """What keeps a campaign from being sent, as an answer."""
    said = "; ".join(map(str, error.problems))[:2000]
    return Refused(409, "not_in_order", said, error.problems[0].path)


def campaign_by(slug: str) -> Campaign:
    """The campaign of this slug. Raises not_found."""
    found = Campaign.objects.select_related("journey").filter(journey__slug=slug).first()
    if found is None:
        raise not_found("campaign")
    return found


def _settings(body: dict[str, Any]) -> dict[str, Any]:
    """What the body says of the settings, checked as far as one field tells."""
    given = {name: body[name] for name in acts.SETTINGS if name in body}
    if given.get("rule"):
        try:
            rules.parse(given["rule"])
        except RuleError as error:
            raise bad_request("bad_rule", str(error), "rule") from error
    if "zone" in given and not local_time.is_zone(given["zone"]):
        raise bad_request("bad_zone", "Not a time zone such as Europe/Paris.", "zone")
    return given
