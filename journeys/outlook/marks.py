"""What stands on the calendar: occurrences of campaigns and of journeys that begin by a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from channels import charter, policy_days
from journeys import campaign_times, versions
from journeys.models import Campaign, CampaignOccurrence, Journey
from journeys.outlook import house_clock
from journeys.outlook.expected import CAMPAIGN, JOURNEY, RECURRING, Mark
from journeys.steps.send import Send

#: A period that is shown is at most so long.
LONGEST = timedelta(days=62)
_DAY = timedelta(days=1)
State = Campaign.State
#: States in which something is still to come, if only somebody lets it.
_COMING = (State.DRAFT, State.SCHEDULED, State.SENDING, State.PAUSED)


def between(first: date, last: date, now: datetime) -> list[Mark]:
    """All marks from ``first`` to ``last``, both included, in the order of time. A few statements."""
    found = [*_begun(first, last), *_to_come(first, last, now), *_scheduled(first, last, now)]
    return sorted(found, key=lambda one: (one.day, one.at or time(), one.name))


def _begun(first: date, last: date) -> Iterator[Mark]:
    """Occurrences that have begun: their label is their local time."""
    rows = CampaignOccurrence.objects.filter(label__gte=f"{first}", label__lt=f"{last + _DAY}")
    for one in rows.select_related("campaign__journey").order_by("label", "id")[:2000]:
        moment = datetime.strptime(one.label[:16], "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        yield _mark(one.campaign, moment.date(), moment.time(), one.state, one.audience)


def _to_come(first: date, last: date, now: datetime) -> Iterator[Mark]:
    begun = set(CampaignOccurrence.objects.filter(label__gte=f"{first}").values_list("campaign_id", "label"))
    until = datetime.combine(last + 2 * _DAY, time(), UTC)
    for campaign in Campaign.objects.filter(state__in=_COMING).select_related("journey"):
        if campaign.schedule is None:
            continue
        after = now - 2 * _DAY
        for moment in campaign_times.occurrences(
            campaign.schedule, campaign.zone, after, until, campaign.until_day
        ):
            late = moment.last <= now
            if first <= moment.day <= last and not late and (campaign.pk, moment.label) not in begun:
                yield _mark(campaign, moment.day, moment.at, campaign.state, None)


def _mark(campaign: Campaign, day: date, at: time, state: str, size: int | None) -> Mark:
    return Mark(
        day,
        at,
        RECURRING if campaign.recurs else CAMPAIGN,
        campaign.pk,
        campaign.journey.name,
        state,
        tuple(campaign.channels),
        (campaign.purpose,),
        () if campaign.everyone else tuple(campaign.segments),
        size,
    )


def _scheduled(first: date, last: date, now: datetime) -> Iterator[Mark]:
    """Live journeys whose trigger is a schedule: each day on which it falls, from today on."""
    today = house_clock.today(now)
    ours = set(Campaign.objects.values_list("journey_id", flat=True))
    names = dict(Journey.objects.filter(status=Journey.Status.LIVE).values_list("id", "name"))
    for version in versions.live():
        schedule = version.graph.trigger.schedule if version.graph else None
        if version.graph is None or schedule is None or version.journey_id in ours:
            continue
        sends = [step for step in version.graph.steps.values() if isinstance(step, Send)]
        channels = tuple(dict.fromkeys(channel for step in sends for channel in step.wanted.channels))
        purposes = tuple(dict.fromkeys(step.wanted.purpose for step in sends))
        day = max(first, today)
        while day <= last:
            if schedule.falls_on(day):
                name = names.get(version.journey_id, version.slug)
                yield Mark(
                    day, schedule.at, JOURNEY, version.journey_id, name, "live", channels, purposes
                )  # fmt: skip
            day += _DAY


def closed(first: date, last: date, now: datetime) -> dict[date, list[str]]:
    """Days on which a blackout of the charter in force lets something not leave: their names."""
    found: dict[date, list[str]] = {}
    for rule in charter.current(now).closed:
        for number in range((last - first).days + 1):
            day = first + number * _DAY
            if not rule.holidays and policy_days.within(rule, day):
                found.setdefault(day, []).append(rule.name)
    return found
