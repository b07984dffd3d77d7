"""Occurrences begin when their time has come, each once; what nobody looked after in time is skipped."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max

from journeys import campaign_times
from journeys.campaign_times import Moment
from journeys.campaigns import drafting
from journeys.models import Campaign, CampaignOccurrence, JourneyVersion

State = CampaignOccurrence.State
#: So many missed occurrences are written down one by one; of more, the latest.
MOST_MISSED = 50
TOO_LATE = "too_late"


def begin(campaign: Campaign, now: datetime) -> int:
    """Let what is due begin, and say when the next one is. Call with the campaign locked.

    Returns how many occurrences there were. That an occurrence exists is what keeps it from coming again:
    its label is unique, whatever clocks and workers do.
    """
    due = _due(campaign, now)
    for moment in due:
        stale = now > moment.last + campaign.misfire
        _make(campaign, moment, now, stale=stale)
    if due:
        after = _after(campaign, due[-1])
        campaign.next_at = after.first if after else None
        campaign.state = Campaign.State.SENDING
        campaign.save(update_fields=["next_at", "state"])
    return len(due)


def _due(campaign: Campaign, now: datetime) -> list[Moment]:
    if campaign.next_at is None or campaign.next_at > now:
        return []
    schedule = campaign.schedule
    if schedule is None:
        return [campaign_times.at_once(campaign.zone, campaign.next_at)]
    if schedule.every == "once" and schedule.day:
        return [campaign_times.moment(schedule, campaign.zone, schedule.day)]
    start = campaign.next_at - campaign_times.INSTANT
    found = list(campaign_times.occurrences(schedule, campaign.zone, start, now, campaign.until_day))
    return found[-MOST_MISSED:]


def _after(campaign: Campaign, moment: Moment) -> Moment | None:
    schedule = campaign.schedule
    if schedule is None or not campaign.recurs:
        return None
    return campaign_times.upcoming(schedule, campaign.zone, moment.first, campaign.until_day)


def _make(campaign: Campaign, moment: Moment, now: datetime, *, stale: bool) -> None:
    occurrence, new = CampaignOccurrence.objects.get_or_create(
        campaign=campaign,
        label=moment.label,
        defaults={
            "starts_at": moment.first,
            "last_at": moment.last,
            "begun_at": now,
            "seen_at": now,
            "state": State.SKIPPED if stale else State.FREEZING,
            "reason": TOO_LATE if stale else "",
            "finished_at": now if stale else None,
        },
    )
    if new and not stale:
        occurrence.version = _version(campaign, moment.label, now)
        occurrence.save(update_fields=["version"])


def _version(campaign: Campaign, label: str, now: datetime) -> JourneyVersion:
    """The graph of this occurrence: its step is called by the occurrence, in reports and on pages."""
    last = campaign.journey.versions.aggregate(last=Max("number"))["last"] or 0
    return JourneyVersion.objects.create(
        journey=campaign.journey, number=last + 1, graph=drafting.graph(campaign, label), published_at=now
    )
