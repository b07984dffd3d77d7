"""What is expected of campaigns: occurrences to come, and the rest of those that are being sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

from contacts import slots
from journeys import graph, local_time
from journeys.backtest import forecast
from journeys.backtest.forecast import Foreseen, GoOn
from journeys.models import Campaign, CampaignOccurrence, CampaignRecipient
from journeys.outlook.expected import CAMPAIGN, RECURRING, Origin

State = Campaign.State
_OPEN = (CampaignOccurrence.State.FREEZING, CampaignOccurrence.State.SENDING)
_SOON = timedelta(minutes=5)


def journeys() -> set[int]:
    """Journeys that are campaigns, and not to be shown beside them."""
    return set(Campaign.objects.values_list("journey_id", flat=True))


def foreseen(now: datetime, lots: Sequence[int], go_on: GoOn) -> Iterator[tuple[Origin, Iterator[Foreseen]]]:
    """Each campaign that is scheduled or being sent, and its messages."""
    wanted = Campaign.objects.filter(state__in=[State.SCHEDULED, State.SENDING])
    for campaign in wanted.select_related("journey").order_by("journey_id"):
        yield origin(campaign), of(campaign, now, lots, go_on)


def origin(campaign: Campaign) -> Origin:
    kind = RECURRING if campaign.recurs else CAMPAIGN
    return Origin(kind, campaign.journey.name, campaign.pk, campaign.journey.slug)


def of(campaign: Campaign, now: datetime, lots: Sequence[int], go_on: GoOn) -> Iterator[Foreseen]:
    """Messages of one campaign, paced as it will be."""
    factor = slots.SLOTS / len(lots)
    paced = campaign.pace * factor if campaign.pace else None
    begun = CampaignOccurrence.objects.filter(campaign=campaign, state__in=_OPEN).order_by("starts_at").last()
    rest = _handed_on_later(campaign, now, lots) if begun else []
    after = begun.last_at if begun else now
    return _slowly(chain(rest, _to_come(campaign, after, now, lots, go_on)), paced)


def _handed_on_later(campaign: Campaign, now: datetime, lots: Sequence[int]) -> Iterator[Foreseen]:
    """The people of a frozen audience whose turn is still to come."""
    waiting = CampaignRecipient.objects.filter(
        occurrence__campaign=campaign,
        occurrence__state__in=_OPEN,
        state=CampaignRecipient.State.WAITING,
        slot__in=list(lots),
    )
    channel = campaign.channels[0] if campaign.channels else ""
    for contact_id, due_at in waiting.order_by("due_at", "id").values_list("contact_id", "due_at"):
        yield Foreseen(contact_id, max(due_at, now), channel, campaign.purpose, False, True, False)


def _to_come(
    campaign: Campaign, after: datetime, now: datetime, lots: Sequence[int], go_on: GoOn
) -> Iterator[Foreseen]:
    found, _problems = graph.check(as_journey(campaign, now))
    if found is None:
        return
    last = _last(campaign)
    for one in forecast.of_those_to_come(found, campaign.pk, now, lots, go_on):
        if one.at > after and (last is None or one.at.date() <= last):
            yield one


def _last(campaign: Campaign) -> date | None:
    # On some clock the last day is still going on when the next one began here.
    return campaign.until_day + timedelta(days=1) if campaign.until_day else None


def as_journey(campaign: Campaign, now: datetime) -> dict[str, Any]:
    """The campaign's journey as one that begins by the clock."""
    return {**campaign.journey.draft, "trigger": _trigger(campaign, now)}


def _trigger(campaign: Campaign, now: datetime) -> dict[str, Any]:
    if campaign.schedule is None:
        local = (now + _SOON).astimezone(local_time.zone(campaign.zone))
        return {"every": "once", "day": f"{local:%Y-%m-%d}", "at": f"{local:%H:%M}", "clock": "journey"}
    told: dict[str, Any] = {
        "every": str(campaign.every),
        "at": f"{campaign.at:%H:%M}",
        "clock": "person" if campaign.own_clock else "journey",
    }
    if campaign.every == Campaign.Every.ONCE:
        told["day"] = f"{campaign.day}"
    elif campaign.every == Campaign.Every.WEEK:
        told["weekdays"] = [local_time.WEEKDAYS[day] for day in campaign.weekdays]
    elif campaign.every == Campaign.Every.MONTH:
        told["monthdays"] = list(campaign.monthdays)
    return told


def _slowly(messages: Iterable[Foreseen], paced: timedelta | None) -> Iterator[Foreseen]:
    """The same, each at least ``paced`` after the one before."""
    if paced is None:
        yield from messages
        return
    free: datetime | None = None
    for one in sorted(messages, key=lambda each: each.at):
        at = max(one.at, free) if free else one.at
        free = at + paced
        yield one._replace(at=at)
