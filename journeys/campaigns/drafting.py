"""A campaign's settings as a journey's graph, and everything that keeps it from being sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from channels.models import Template
from contacts import rules
from contacts.models import Segment
from contacts.rules import Rule, RuleError
from journeys import campaign_times, local_time, publishing
from journeys.campaign_times import Moment
from journeys.fields import Problem
from journeys.models import Campaign

#: The step that asks for the message, in the graph that is published; an occurrence's is its label.
BROADCAST = "broadcast"
MEASURE = "measure"
LONGEST_WAIT = 24 * 14
LONGEST_MISFIRE = 24 * 60
FASTEST = 1_000_000
_WORDS = {
    "audience": "segments",
    "exit": "excluded",
    f"steps.{BROADCAST}.": "",
    "timezone": "zone",
}


def audience(campaign: Campaign) -> dict[str, Any]:
    """The rule that says who is meant: in a segment, fitting the rule, and in none that is excluded."""
    parts: list[Any] = []
    if campaign.segments and not campaign.everyone:
        parts.append(_any(campaign.segments))
    if campaign.rule:
        parts.append(campaign.rule)
    if campaign.excluded:
        parts.append({"not": _any(campaign.excluded)})
    if not parts:
        return {}
    return parts[0] if len(parts) == 1 else {"all": parts}


def parsed_audience(campaign: Campaign) -> Rule:
    """The same, parsed. Raises RuleError."""
    return rules.parse(audience(campaign))


def graph(campaign: Campaign, step: str = BROADCAST) -> dict[str, Any]:
    """The journey: whoever is handed on is sent one message; with a goal they are followed until it ends."""
    window = (campaign.goal or {}).get("window", "14 days")
    send: dict[str, Any] = {
        "type": "send",
        "channels": list(campaign.channels),
        "content": dict(campaign.content),
        "purpose": campaign.purpose or None,
        "priority": campaign.priority,
        "deadline": f"{campaign.wait_hours} hours",
    }
    drawn: dict[str, Any] = {
        "name": campaign.journey.name,
        "description": _told(campaign),
        "timezone": campaign.zone,
        "trigger": {"on_request": True},
        "entry": {"mode": "always"},
        "audience": audience(campaign),
        "start": step,
        "steps": {step: send},
    }
    if campaign.excluded:
        drawn["exit"] = _any(campaign.excluded)
    if campaign.goal:
        drawn["goal"] = campaign.goal
        send["next"] = MEASURE
        drawn["steps"][MEASURE] = {"type": "wait", "for": window}
    return drawn


def store(campaign: Campaign) -> None:
    """Save the settings, and the graph that follows from them as the journey's draft."""
    with transaction.atomic():
        journey = campaign.journey
        journey.draft = graph(campaign)
        journey.save(update_fields=["draft", "name", "description", "updated_at"])
        campaign.save()


def problems(campaign: Campaign, now: datetime) -> list[Problem]:
    """What keeps the campaign from being sent; paths name its settings."""
    found = [*_of_schedule(campaign, now), *_of_audience(campaign)]
    if not campaign.channels:
        found.append(Problem("channels", _("choose at least one channel")))
    found += [
        Problem(f"content.{channel}", _("choose a template for this channel"))
        for channel in campaign.channels
        if not campaign.content.get(channel)
    ]
    if not campaign.purpose:
        found.append(Problem("purpose", _("say what the message is for")))
    if campaign.throttle is not None and not 1 <= campaign.throttle <= FASTEST:
        found.append(Problem("throttle", _("must be from 1 to %(most)d") % {"most": FASTEST}))
    if not 1 <= campaign.wait_hours <= LONGEST_WAIT:
        found.append(Problem("wait_hours", _("must be from 1 to %(most)d") % {"most": LONGEST_WAIT}))
    if found:
        return found
    _graph, wrong = publishing.check(graph(campaign))
    return [Problem(_path(one.path), one.message) for one in wrong] + list(_unpublished(campaign))


def next_moment(campaign: Campaign, now: datetime) -> Moment | None:
    """The occurrence that comes next if the campaign is started at ``now``; None where none is to come.

    Once, on each person's clock, may already have begun somewhere: those whose time has passed are too late.
    """
    schedule = campaign.schedule
    if campaign.every == Campaign.Every.NOW:
        return campaign_times.at_once(campaign.zone, now)
    if schedule is None:
        return None
    if schedule.every == "once" and schedule.day:
        only = campaign_times.moment(schedule, campaign.zone, schedule.day)
        return only if only.last > now else None
    return campaign_times.upcoming(schedule, campaign.zone, now, campaign.until_day)


def _of_schedule(campaign: Campaign, now: datetime) -> Iterator[Problem]:
    if not local_time.is_zone(campaign.zone):
        yield Problem("zone", _("is not a time zone such as Europe/Paris"))
        return
    if not 0 < campaign.misfire_minutes <= LONGEST_MISFIRE:
        yield Problem("misfire_minutes", _("must be from 1 to %(most)d") % {"most": LONGEST_MISFIRE})
    if campaign.every == Campaign.Every.NOW:
        return
    if campaign.at is None:
        yield Problem("at", _("say at what time"))
    needed: Mapping[str, tuple[str, Any, str]] = {
        "once": ("day", campaign.day, _("say on which day")),
        "week": ("weekdays", campaign.weekdays, _("choose at least one day of the week")),
        "month": ("monthdays", campaign.monthdays, _("choose at least one day of the month")),
    }
    name, value, words = needed.get(campaign.every, ("", True, ""))
    if not value:
        yield Problem(name, words)
    elif campaign.at is not None and next_moment(campaign, now) is None:
        place = "day" if campaign.every == Campaign.Every.ONCE else "until_day"
        yield Problem(place, _("this time has passed: choose a later one"))


def _of_audience(campaign: Campaign) -> Iterator[Problem]:
    if not (campaign.everyone or campaign.segments or campaign.rule):
        yield Problem("segments", _("choose who receives it"))
    known = set(Segment.objects.filter(active=True).values_list("slug", flat=True))
    for name in ("segments", "excluded"):
        for slug in getattr(campaign, name):
            if slug not in known:
                yield Problem(name, _("no segment is named “%(slug)s”") % {"slug": slug})
    try:
        parsed_audience(campaign)
    except RuleError as error:
        yield Problem("rule", str(error))


def _unpublished(campaign: Campaign) -> Iterator[Problem]:
    slugs = [campaign.content[channel] for channel in campaign.channels]
    ready = set(
        Template.objects.filter(slug__in=slugs, versions__published_at__isnull=False).values_list(
            "slug", flat=True
        )
    )
    for channel in campaign.channels:
        if campaign.content[channel] not in ready:
            yield Problem(f"content.{channel}", _("this template has no published version yet"))


def _any(slugs: list[str]) -> dict[str, Any]:
    parts = [{"segment": slug} for slug in slugs]
    return parts[0] if len(parts) == 1 else {"any": parts}


def _path(path: str) -> str:
    for start, name in _WORDS.items():
        if path.startswith(start):
            return name + path[len(start) :] if start.endswith(".") else name
    return path


def when_words(campaign: Campaign) -> str:
    """When it is sent, in words."""
    schedule = campaign.schedule
    if campaign.every == Campaign.Every.NOW:
        return _("As soon as it is started")
    if schedule is None:
        return "–"
    words = schedule.words()
    if not campaign.own_clock:
        words = f"{words} ({campaign.zone})"
    return words


def pace_words(campaign: Campaign) -> str:
    """How fast people are handed on, in words."""
    if not campaign.throttle:
        return _("As fast as it goes")
    return f"{campaign.throttle} {campaign.get_throttle_per_display()}"


def duration(campaign: Campaign, people: int) -> timedelta | None:
    """How long so many people take at the campaign's pace; None where nothing slows them."""
    return campaign.pace * people if campaign.pace else None


def _told(campaign: Campaign) -> str:
    # In the draft, so that whoever approves it approves when and how fast too.
    until = f", until {campaign.until_day}" if campaign.until_day else ""
    pace = f"{campaign.throttle} per {campaign.throttle_per}" if campaign.throttle else "no limit"
    schedule = campaign.schedule
    when = schedule.words() if schedule else campaign.every
    return f"{when} ({campaign.zone}){until}; pace: {pace}; too late after {campaign.misfire_minutes} minutes"
