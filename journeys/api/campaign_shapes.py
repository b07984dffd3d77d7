"""How campaigns look from outside, and what may be said about them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from rest_framework import serializers

from contacts.api.fields import Fields
from journeys.api.shapes import ProblemShape, draw_problems
from journeys.campaigns import acts, counting, drafting
from journeys.campaigns.estimating import Estimate
from journeys.models import Campaign, CampaignOccurrence
from journeys.steps.send import CHANNELS


class CampaignFilters(Fields):
    state = serializers.ChoiceField(choices=Campaign.State.values, required=False)


class CampaignChange(Fields):
    name = serializers.CharField(required=False, max_length=120)
    description = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    everyone = serializers.BooleanField(required=False, help_text="Instead of segments.")
    segments = serializers.ListField(
        child=serializers.SlugField(max_length=60),
        required=False,
        max_length=50,
        help_text="Slugs; in any of them.",
    )
    rule = serializers.DictField(
        required=False, allow_null=True, help_text="Must hold too; see docs/how-to/rules.md."
    )
    excluded = serializers.ListField(
        child=serializers.SlugField(max_length=60),
        required=False,
        max_length=50,
        help_text="Slugs; in none of them.",
    )
    channels = serializers.ListField(
        child=serializers.ChoiceField(choices=CHANNELS),
        required=False,
        max_length=4,
        help_text="By preference: the next where one cannot be used.",
    )
    content = serializers.DictField(
        child=serializers.SlugField(), required=False, help_text="Channel to slug of a template."
    )
    purpose = serializers.SlugField(required=False, max_length=40)
    priority = serializers.IntegerField(required=False, min_value=0, max_value=100)
    wait_hours = serializers.IntegerField(required=False, min_value=1, max_value=drafting.LONGEST_WAIT)
    goal = serializers.DictField(
        required=False, allow_null=True, help_text="As of a journey: event, where, value, window; or rule."
    )
    every = serializers.ChoiceField(choices=Campaign.Every.values, required=False)
    day = serializers.DateField(required=False, allow_null=True)
    at = serializers.TimeField(required=False, allow_null=True)
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), required=False, help_text="0 is Monday."
    )
    monthdays = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=31), required=False, help_text="31: the last."
    )
    until_day = serializers.DateField(required=False, allow_null=True)
    own_clock = serializers.BooleanField(required=False, help_text="On each person's clock, else in zone.")
    zone = serializers.CharField(required=False, max_length=64)
    misfire_minutes = serializers.IntegerField(
        required=False, min_value=1, max_value=drafting.LONGEST_MISFIRE
    )
    throttle = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=drafting.FASTEST
    )
    throttle_per = serializers.ChoiceField(choices=Campaign.Per.values, required=False)


class CampaignBody(CampaignChange):
    name = serializers.CharField(max_length=120)


class CampaignShape(CampaignChange):
    slug = serializers.SlugField()
    state = serializers.ChoiceField(choices=Campaign.State.values)
    halted = serializers.CharField(help_text="Why it paused by itself; empty where a person did.")
    next_at = serializers.DateTimeField(allow_null=True, help_text="When the next one begins.")
    acts = serializers.ListField(child=serializers.CharField(), help_text="What can be done with it now.")
    problems = ProblemShape(many=True, help_text="What keeps a draft from being sent.")


class CampaignScheduleBody(Fields):
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=300)


class CampaignScheduled(Fields):
    scheduled = serializers.BooleanField(help_text="False: another person must approve it.")
    campaign = CampaignShape()


class CampaignActBody(Fields):
    act = serializers.ChoiceField(choices=["pause", "resume", "cancel", "recall", "archive"])


class CampaignOutcomeShape(Fields):
    outcome = serializers.CharField(help_text="send, hold, drop, cancel or expire.")
    reason = serializers.CharField()
    people = serializers.IntegerField()


class EstimateShape(Fields):
    size = serializers.IntegerField(allow_null=True, help_text="Null: it took too long to count.")
    base = serializers.IntegerField(help_text="All contacts.")
    asked = serializers.IntegerField(help_text="So many of the audience the rest is reckoned from.")
    now = serializers.IntegerField(help_text="To whom it could leave at once.")
    held = serializers.IntegerField()
    never = serializers.IntegerField()
    late = serializers.IntegerField(help_text="Whose own hour has passed.")
    reachable = serializers.DictField(child=serializers.IntegerField())
    channels = serializers.DictField(child=serializers.IntegerField())
    outcomes = CampaignOutcomeShape(many=True)
    seconds = serializers.IntegerField(allow_null=True, help_text="How long its pace takes for all.")


class ProgressShape(Fields):
    occurrence = serializers.CharField(help_text="The local time it is for; the step of its messages.")
    state = serializers.ChoiceField(choices=CampaignOccurrence.State.values)
    reason = serializers.CharField()
    starts_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    counted_at = serializers.DateTimeField(allow_null=True)
    share = serializers.FloatField(help_text="Percent of the audience that was handed on.")
    rate = serializers.FloatField(help_text="Messages a minute lately.")
    seconds_left = serializers.IntegerField(allow_null=True)
    audience = serializers.IntegerField()
    late = serializers.IntegerField()
    released = serializers.IntegerField()
    intended = serializers.IntegerField()
    sent = serializers.IntegerField()
    held = serializers.IntegerField()
    dropped = serializers.IntegerField()
    expired = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    failed = serializers.IntegerField()
    uncertain = serializers.IntegerField()
    delivered = serializers.IntegerField()
    opened = serializers.IntegerField()
    clicked = serializers.IntegerField()
    converted = serializers.IntegerField()
    channels = serializers.DictField(child=serializers.IntegerField())
    reasons = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()))


def draw(campaign: Campaign, now: datetime) -> dict[str, Any]:
    draft = campaign.state == Campaign.State.DRAFT
    return {
        "slug": campaign.journey.slug,
        "name": campaign.journey.name,
        "description": campaign.journey.description,
        **{name: getattr(campaign, name) for name in acts.SETTINGS},
        "state": campaign.state,
        "halted": campaign.halted,
        "next_at": campaign.next_at,
        "acts": acts.acts(campaign),
        "problems": draw_problems(drafting.problems(campaign, now)) if draft else [],
    }


def draw_estimate(found: Estimate) -> dict[str, Any]:
    return {
        **{name: getattr(found, name) for name in ("size", "base", "asked", "now", "held", "never", "late")},
        "reachable": found.reachable,
        "channels": found.channels,
        "outcomes": [
            {"outcome": action, "reason": reason, "people": people}
            for action, reason, people in found.outcomes
        ],
        "seconds": _seconds(found.takes),
    }


def draw_progress(campaign: Campaign, occurrence: CampaignOccurrence, now: datetime) -> dict[str, Any]:
    progress = counting.of_occurrence(occurrence)
    return {
        **asdict(progress),
        "occurrence": occurrence.label,
        "state": occurrence.state,
        "reason": occurrence.reason,
        "starts_at": occurrence.starts_at,
        "finished_at": occurrence.finished_at,
        "counted_at": occurrence.figures_at,
        "share": round(progress.share, 1),
        "rate": counting.rate_of(occurrence),
        "seconds_left": _seconds(counting.time_left(campaign, occurrence, now)),
    }


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else int(length.total_seconds())
