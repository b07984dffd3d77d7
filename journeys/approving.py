"""Two pairs of eyes: one person asks that a draft be published, another one decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from contacts import two_people
from contacts.two_people import needed
from journeys import publishing
from journeys.graph import GraphError
from journeys.models import Journey, JourneyVersion, PublishRequest
from journeys.publishing import NotAllowedError
from journeys.redirecting import Choice

__all__ = ["approve", "ask", "needed", "pending", "refuse"]

State = PublishRequest.State


def pending(journey: Journey) -> PublishRequest | None:
    """The request that waits for a decision."""
    return journey.publish_requests.filter(state=State.OPEN).select_related("asked_by").first()


def ask(
    journey: Journey, by: AbstractBaseUser, now: datetime, choices: Sequence[Choice] = (), note: str = ""
) -> PublishRequest:
    """Ask that the draft be published. A draft with problems is refused; an older request gives way."""
    found, problems = publishing.check(journey.draft, journey.slug)
    if found is None or problems:
        raise GraphError(problems)
    if "publish" not in publishing.acts(journey.status):
        raise NotAllowedError(_("This journey cannot be published as it stands."))
    with transaction.atomic():
        Journey.objects.select_for_update().get(pk=journey.pk)
        _settle(journey, State.WITHDRAWN, by, now)
        return PublishRequest.objects.create(
            journey=journey,
            draft=journey.draft,
            choices=[asdict(choice) for choice in choices],
            note=note[:300],
            asked_by_id=by.pk,
            asked_at=now,
        )


def approve(request: PublishRequest, by: AbstractBaseUser, now: datetime) -> JourneyVersion:
    """Publish what was asked for, exactly that. Nobody approves their own request."""
    with transaction.atomic():
        journey = Journey.objects.select_for_update().get(pk=request.journey_id)
        request = PublishRequest.objects.select_for_update().get(pk=request.pk)
        if objection := two_people.objection(request, by, journey.draft):
            raise NotAllowedError(objection)
        choices = [Choice(**each) for each in request.choices]
        version = publishing.publish(journey, by, now, choices)
        _settle(journey, State.APPROVED, by, now)
    return version


def refuse(request: PublishRequest, by: AbstractBaseUser, now: datetime) -> None:
    """Say no; whoever asked may also take it back."""
    _settle(request.journey, two_people.no(request, by), by, now)


def _settle(journey: Journey, state: two_people.State, by: AbstractBaseUser, now: datetime) -> None:
    two_people.settle(PublishRequest.objects.filter(journey=journey), state, by, now)
