"""The pulse of campaigns: begins, freezes, hands on, keeps back, calls off. One worker a campaign."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from channels import withholding
from contacts import pulse
from contacts.crashpoints import crashpoint
from journeys.campaigns import beginning, counting, freezing, releasing
from journeys.campaigns.acts import OPEN
from journeys.models import Campaign, CampaignOccurrence, Journey

State = Campaign.State
At = CampaignOccurrence.State
#: Why the machine paused a campaign by itself.
UNATTENDED = "unattended"
CANCELLED = "campaign_cancelled"
#: The mark that a worker looks after an occurrence is as fresh as this.
_SEEN = timedelta(seconds=30)
_SENT = (State.DONE, State.CANCELLED, State.ARCHIVED)


def tick(now: datetime) -> int:
    """One step for each campaign that has work; returns for how many people or messages more may be done."""
    done = 0
    for pk in _with_work(now):
        with transaction.atomic():
            campaign = _locked(pk)
            if campaign is not None:
                done += _step(campaign, now)
            crashpoint("campaigns.written")
        crashpoint("campaigns.committed")
    _end_measuring(now)
    return done


def _with_work(now: datetime) -> list[int]:
    due = Q(state__in=(State.SCHEDULED, State.SENDING), next_at__lte=now)
    opened = Q(pk__in=CampaignOccurrence.objects.filter(state__in=OPEN).values("campaign_id"))
    found = Campaign.objects.filter(due | opened | Q(state=State.SENDING))
    return list(found.order_by("pk").values_list("pk", flat=True))


def _locked(pk: int) -> Campaign | None:
    """The campaign, locked; nothing where another worker or somebody's click holds it."""
    found = Campaign.objects.select_for_update(skip_locked=True, of=("self",)).select_related("journey")
    return found.filter(pk=pk).first()


def _step(campaign: Campaign, now: datetime) -> int:
    opened = list(campaign.occurrences.filter(state__in=OPEN).order_by("starts_at", "id"))
    if campaign.state == State.PAUSED:
        return sum(_keep_back(campaign, occurrence, now) for occurrence in opened)
    if campaign.state == State.CANCELLED:
        return sum(_call_off(campaign, occurrence, now) for occurrence in opened)
    if campaign.state not in (State.SCHEDULED, State.SENDING):
        return 0
    if _unattended(campaign, opened, now):
        return 0
    done = beginning.begin(campaign, now)
    if done:
        crashpoint("campaigns.begun")
    done += _let_go(campaign, opened, now)
    for occurrence in opened:
        done += _forward(campaign, occurrence, now)
    if not done:
        _settle(campaign, now)
    return done


def _forward(campaign: Campaign, occurrence: CampaignOccurrence, now: datetime) -> int:
    """Freeze a lot, or hand on whose turn it is. What the engine must do first is not waited for."""
    if occurrence.state == At.FREEZING:
        freezing.freeze(campaign, occurrence, now)
        crashpoint("campaigns.frozen")
        return 1
    if releasing.release(campaign, occurrence, now):
        crashpoint("campaigns.released")
        transaction.on_commit(lambda: pulse.wake("engine"))
    elif not (
        releasing.waiting(occurrence)
        or releasing.unwalked(campaign, occurrence, now)
        or withholding.unfinished(releasing.wisher(campaign, occurrence), 1)
    ):
        _close(campaign, occurrence, At.DONE, "" if occurrence.audience else "nobody", now)
        return 0
    if occurrence.seen_at is None or now - occurrence.seen_at > _SEEN:
        occurrence.seen_at = now
        occurrence.save(update_fields=["seen_at"])
    counting.recount(campaign, occurrence, now)
    return 0


def _unattended(campaign: Campaign, opened: list[CampaignOccurrence], now: datetime) -> bool:
    """Stop and ask, where nobody looked after a sending for longer than it may be late.

    The machine was off, its clock jumped, or a backup was put back: what goes out now would surprise.
    """
    stale = [one for one in opened if one.seen_at and now - one.seen_at > campaign.misfire + _SEEN]
    if not stale:
        return False
    campaign.state, campaign.halted, campaign.paused_at = State.PAUSED, UNATTENDED, stale[0].seen_at
    campaign.save(update_fields=["state", "halted", "paused_at"])
    Journey.objects.filter(pk=campaign.pk).update(status=Journey.Status.PAUSED)
    return True


def _keep_back(campaign: Campaign, occurrence: CampaignOccurrence, now: datetime) -> int:
    moved = withholding.withhold(releasing.wisher(campaign, occurrence), now, held=not occurrence.withheld)
    if not moved and not occurrence.withheld:
        occurrence.withheld = True
        occurrence.save(update_fields=["withheld"])
    counting.recount(campaign, occurrence, now)
    return moved


def _let_go(campaign: Campaign, opened: list[CampaignOccurrence], now: datetime) -> int:
    """After a pause: what was kept back is decided anew."""
    if campaign.paused_at is None:
        return 0
    paused = max(now - campaign.paused_at, timedelta())
    moved = sum(withholding.let_go(releasing.wisher(campaign, one), paused, now) for one in opened)
    if not moved:
        campaign.paused_at = None
        campaign.save(update_fields=["paused_at"])
    return moved


def _call_off(campaign: Campaign, occurrence: CampaignOccurrence, now: datetime) -> int:
    wisher = releasing.wisher(campaign, occurrence)
    moved = withholding.call_off(wisher, CANCELLED, now)
    if not moved and not withholding.unfinished(wisher, 1):
        _close(campaign, occurrence, At.CANCELLED, "", now)
    return moved


def _close(campaign: Campaign, occurrence: CampaignOccurrence, state: At, reason: str, now: datetime) -> None:
    occurrence.state, occurrence.reason, occurrence.finished_at = state, reason, now
    occurrence.save(update_fields=["state", "reason", "finished_at"])
    counting.recount(campaign, occurrence, now, at_once=True)


def _settle(campaign: Campaign, now: datetime) -> None:
    """Nothing is being sent: wait for the next occurrence, or be done."""
    if campaign.state != State.SENDING or campaign.occurrences.filter(state__in=OPEN).exists():
        return
    campaign.state = State.SCHEDULED if campaign.next_at else State.DONE
    campaign.save(update_fields=["state"])


def _end_measuring(now: datetime) -> None:
    """The journeys behind finished campaigns rest when nobody can reach their goal in time any more."""
    found = Campaign.objects.filter(
        state__in=_SENT, journey__status__in=(Journey.Status.LIVE, Journey.Status.PAUSED)
    )
    over = [one.pk for one in found.prefetch_related("occurrences") if counting.measured_until(one) < now]
    if over:
        Journey.objects.filter(pk__in=over).update(status=Journey.Status.STOPPED)
