"""A campaign's own life: made, scheduled, paused, resumed, cancelled; by two pairs of eyes where needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext as _

from contacts import slots
from journeys import approving, engine, publishing
from journeys.campaigns import drafting
from journeys.graph import GraphError
from journeys.models import Campaign, CampaignOccurrence, Journey, PublishRequest, Run
from journeys.publishing import NotAllowedError

State = Campaign.State

#: From each state, where a campaign may go, and by which act. The machine's own are in brackets.
MOVES: Mapping[State, Mapping[State, str]] = {
    State.DRAFT: {State.SCHEDULED: "schedule", State.ARCHIVED: "archive"},
    State.SCHEDULED: {
        State.SENDING: "(begins)",
        State.DRAFT: "recall",
        State.PAUSED: "pause",
        State.CANCELLED: "cancel",
        State.DONE: "(nothing more to come)",
    },
    State.SENDING: {
        State.SCHEDULED: "(more to come)",
        State.PAUSED: "pause",
        State.CANCELLED: "cancel",
        State.DONE: "(finished)",
    },
    State.PAUSED: {State.SENDING: "resume", State.CANCELLED: "cancel"},
    State.DONE: {State.ARCHIVED: "archive"},
    State.CANCELLED: {State.ARCHIVED: "archive"},
    State.ARCHIVED: {},
}
#: Settings that are copied, and that may be changed while it is a draft.
SETTINGS = (
    "everyone", "segments", "rule", "excluded", "channels", "content", "purpose", "priority", "wait_hours",
    "goal", "every", "day", "at", "weekdays", "monthdays", "until_day", "own_clock", "zone",
    "misfire_minutes", "throttle", "throttle_per",
)  # fmt: skip


def acts(campaign: Campaign) -> list[str]:
    """The acts of people that are open to the campaign."""
    return [act for act in MOVES[State(campaign.state)].values() if not act.startswith("(")]


def create(name: str, user: AbstractBaseUser | None, **settings: Any) -> Campaign:
    """A draft of its own. Raises NotAllowedError where the name is taken."""
    name = " ".join(name.split())[:120]
    if not name:
        raise NotAllowedError(_("Give it a name."))
    if Journey.objects.filter(name=name).exists():
        raise NotAllowedError(_("Another campaign or journey has this name."))
    with transaction.atomic():
        journey = Journey.objects.create(name=name, slug=_slug(name), kind=Journey.Kind.CAMPAIGN)
        campaign = Campaign(journey=journey, created_by_id=user.pk if user else None, **settings)
        campaign.full_clean(exclude=["journey", "created_by"])
        campaign.save(force_insert=True)
        drafting.store(campaign)
    return campaign


def save(campaign: Campaign, by: AbstractBaseUser | None, now: datetime) -> None:
    """Keep changed settings of a draft. A request that waits for approval is taken back by it."""
    if Journey.objects.filter(name=campaign.journey.name).exclude(pk=campaign.pk).exists():
        raise NotAllowedError(_("Another campaign or journey has this name."))
    with transaction.atomic():
        _locked(campaign, {State.DRAFT})
        _withdraw(campaign, by, now)
        drafting.store(campaign)


def duplicate(campaign: Campaign, user: AbstractBaseUser | None) -> Campaign:
    """A draft with the same settings. A day that has passed is left for somebody to choose."""
    settings = {name: getattr(campaign, name) for name in SETTINGS}
    for number in range(1, 1000):
        name = f"{campaign.journey.name[:108]} ({number + 1})"
        if not Journey.objects.filter(name=name).exists():
            break
    return create(name, user, **settings)


def schedule(campaign: Campaign, by: AbstractBaseUser | None, now: datetime) -> None:
    """Let it be sent when its time comes. Raises GraphError with every problem."""
    wrong = drafting.problems(campaign, now)
    if wrong:
        raise GraphError(wrong)
    with transaction.atomic():
        _locked(campaign, {State.DRAFT})
        drafting.store(campaign)
        publishing.publish(campaign.journey, by, now)
        _withdraw(campaign, by, now)
        moment = drafting.next_moment(campaign, now)
        campaign.state, campaign.halted = State.SCHEDULED, ""
        campaign.next_at = moment.first if moment else now
        campaign.save()


def ask(campaign: Campaign, by: AbstractBaseUser, now: datetime, note: str = "") -> PublishRequest:
    """Ask that it be scheduled; somebody else decides."""
    wrong = drafting.problems(campaign, now)
    if wrong:
        raise GraphError(wrong)
    _locked(campaign, {State.DRAFT})
    return approving.ask(campaign.journey, by, now, note=note)


def approve(request: PublishRequest, by: AbstractBaseUser, now: datetime) -> Campaign:
    """Schedule what was asked for, exactly that. Nobody approves their own request."""
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=request.journey_id)
        approving.approve(request, by, now)
        campaign.refresh_from_db()
        moment = drafting.next_moment(campaign, now)
        if moment is None:
            raise NotAllowedError(_("Its time has passed meanwhile: it must be asked for again."))
        campaign.state, campaign.halted, campaign.next_at = State.SCHEDULED, "", moment.first
        campaign.save(update_fields=["state", "halted", "next_at"])
    return campaign


def recall(campaign: Campaign, now: datetime) -> None:
    """Back to a draft, before anything is sent, or between two times."""
    with transaction.atomic():
        _turn(campaign, State.DRAFT, {"next_at": None})
        Journey.objects.filter(pk=campaign.pk).update(status=Journey.Status.LIVE)


def pause(campaign: Campaign, now: datetime) -> None:
    """Nobody more is handed on, and messages that no worker has taken yet are kept back by the pulse."""
    with transaction.atomic():
        _turn(campaign, State.PAUSED, {"paused_at": now, "halted": ""})
        Journey.objects.filter(pk=campaign.pk).update(status=Journey.Status.PAUSED)


def resume(campaign: Campaign, now: datetime) -> None:
    """Go on with those who had nothing yet. What was kept back leaves; its deadline moves by the pause."""
    with transaction.atomic():
        _turn(campaign, State.SENDING, {"halted": ""})
        Journey.objects.filter(pk=campaign.pk).update(status=Journey.Status.LIVE)
        opened = campaign.occurrences.filter(state__in=OPEN)
        labels = list(opened.values_list("label", flat=True))
        opened.update(seen_at=now, paced_at=None, withheld=False)
        _handed_on(campaign, now).filter(step__in=labels, due_at__gt=now).update(due_at=now)


def cancel(campaign: Campaign, now: datetime) -> None:
    """For good: nobody more is handed on; the pulse calls off messages that no worker has taken."""
    with transaction.atomic():
        _turn(campaign, State.CANCELLED, {"next_at": None, "halted": ""})
        # Those who had it are still followed until the goal's window ends.
        Journey.objects.filter(pk=campaign.pk).update(status=Journey.Status.LIVE)
        _handed_on(campaign, now).update(
            state=Run.State.EXITED, due_at=None, ended_at=now, outcome="cancelled", watching=[]
        )


def archive(campaign: Campaign, now: datetime) -> None:
    """Put it away. What it did stays in timelines and reports."""
    with transaction.atomic():
        if campaign.occurrences.filter(state__in=OPEN).exists():
            raise NotAllowedError(_("What is left of it is still being called off: wait a moment."))
        _turn(campaign, State.ARCHIVED, {})


OPEN = (CampaignOccurrence.State.FREEZING, CampaignOccurrence.State.SENDING)


def _handed_on(campaign: Campaign, now: datetime) -> QuerySet[Run]:
    """Live runs that have not asked for their message: they are due, or parked by the engine for a while.

    Found by slot and due time, since runs have no index by journey.
    """
    found = Run.objects.filter(slot__in=range(slots.SLOTS), due_at__lte=now + 2 * engine.PARKED)
    return found.filter(journey_id=campaign.pk, state=Run.State.LIVE).exclude(step=drafting.MEASURE)


def _turn(campaign: Campaign, to: State, changes: Mapping[str, Any]) -> None:
    _locked(campaign, {state for state, onward in MOVES.items() if to in onward})
    for name, value in changes.items():
        setattr(campaign, name, value)
    campaign.state = to
    campaign.save(update_fields=["state", *changes])


def _locked(campaign: Campaign, states: set[State]) -> Campaign:
    """The row as it stands now, locked, so that clicks and pulses do not cross."""
    locked = Campaign.objects.select_for_update(of=("self",)).select_related("journey").get(pk=campaign.pk)
    if locked.state not in states:
        raise NotAllowedError(
            _("This is not open to a campaign that is %(state)s.") % {"state": locked.get_state_display()}
        )
    campaign.state = locked.state
    return locked


def _withdraw(campaign: Campaign, by: AbstractBaseUser | None, now: datetime) -> None:
    PublishRequest.objects.filter(journey_id=campaign.pk, state=PublishRequest.State.OPEN).update(
        state=PublishRequest.State.WITHDRAWN, decided_by_id=by.pk if by else None, decided_at=now
    )


def _slug(name: str) -> str:
    base = slugify(name)[:50] or "campaign"
    slug, number = base, 2
    while Journey.objects.filter(slug=slug).exists():
        slug, number = f"{base}-{number}", number + 1
    return slug


def drawing() -> str:
    """The table of moves as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> draft: written"]
    for source, onward in MOVES.items():
        lines += [f"    {source.value} --> {target.value}: {act}" for target, act in onward.items()]
    lines += [f"    {state.value} --> [*]" for state, onward in MOVES.items() if not onward]
    return "\n".join(lines) + "\n"
