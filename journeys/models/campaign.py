"""Campaigns: journeys with one broadcast, sent once or again and again; their occurrences and audiences.

What a calendar needs is on ``Campaign``: ``schedule`` (when; None for ``every`` "now", which starts when it
is scheduled), ``zone`` and ``own_clock`` (whose clock), ``next_at`` (the next occurrence begins then; set
while something is still to come), ``segments``, ``rule`` and ``excluded`` (whom), ``channels`` and
``purpose`` (what), ``pace`` (how fast), ``state``. ``journeys.campaign_times.occurrences(schedule, zone,
after, until, until_day)`` tells every occurrence in a period. ``CampaignOccurrence`` is one that has begun,
with its size (``audience``) and how many were handed on (``released``); its messages have ``origin_kind``
"campaign", ``origin_id`` the journey's id, and ``origin_step`` the occurrence's ``label``.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact, MergeRule
from journeys.models.journey import Journey, JourneyVersion
from journeys.occasions import Schedule


class Campaign(models.Model):
    """A broadcast. Its journey holds the name, the graph that is walked, and what was published."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        #: Something is still to come, and nothing is being sent.
        SCHEDULED = "scheduled", _("scheduled")
        SENDING = "sending", _("sending")
        PAUSED = "paused", _("paused")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")
        ARCHIVED = "archived", _("archived")

    class Every(models.TextChoices):
        NOW = "now", _("as soon as it is started")
        ONCE = "once", _("once, on a day")
        DAY = "day", _("every day")
        WEEKDAY = "weekday", _("Monday to Friday")
        WEEK = "week", _("every week")
        MONTH = "month", _("every month")

    class Per(models.TextChoices):
        MINUTE = "minute", _("a minute")
        HOUR = "hour", _("an hour")

    journey = models.OneToOneField(Journey, models.CASCADE, primary_key=True, related_name="campaign")
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.DRAFT)
    #: Why the machine paused it by itself; empty where a person did.
    halted = models.CharField(max_length=60, blank=True, default="")
    paused_at = models.DateTimeField(null=True, editable=False)

    # Whom: those in any of the segments and, where there is a rule, for whom it holds.
    everyone = models.BooleanField(_("everybody"), default=False)
    segments = models.JSONField(_("segments"), default=list, blank=True)
    rule = models.JSONField(_("rule"), null=True, blank=True)
    excluded = models.JSONField(_("not those in"), default=list, blank=True)

    # What: channels by preference, and a template for each.
    channels = models.JSONField(_("channels"), default=list, blank=True)
    content = models.JSONField(_("templates"), default=dict, blank=True)
    purpose = models.CharField(_("purpose"), max_length=40, blank=True, default="")
    priority = models.SmallIntegerField(_("priority"), default=50)
    #: Hours for which a message that may not leave yet waits; then it is not sent any more.
    wait_hours = models.PositiveIntegerField(_("wait at most (hours)"), default=24)
    goal = models.JSONField(_("goal"), null=True, blank=True)

    # When.
    every = models.CharField(_("when"), max_length=7, choices=Every.choices, default=Every.NOW)
    day = models.DateField(_("day"), null=True, blank=True)
    at = models.TimeField(_("at"), null=True, blank=True)
    weekdays = models.JSONField(_("days of the week"), default=list, blank=True)  # 0 is Monday
    monthdays = models.JSONField(_("days of the month"), default=list, blank=True)  # 31: the last
    until_day = models.DateField(_("last day"), null=True, blank=True)
    own_clock = models.BooleanField(_("on each person's clock"), default=True)
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    misfire_minutes = models.PositiveIntegerField(_("too late after (minutes)"), default=180)

    # How fast: at most so many people a minute or an hour; null is as fast as may be.
    throttle = models.PositiveIntegerField(_("at most"), null=True, blank=True)
    throttle_per = models.CharField(_("per"), max_length=6, choices=Per.choices, default=Per.MINUTE)

    #: When the next occurrence begins: the first clock it concerns shows the time.
    next_at = models.DateTimeField(_("next"), null=True, blank=True)
    #: Occurrences that began up to here were looked after, or given up.
    followed_until = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-journey_id"]
        permissions = [("send_campaign", "Can schedule, pause, resume and cancel campaigns")]
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(state="scheduled"), name="campaign_next"),
        ]

    def __str__(self) -> str:
        return str(self.journey)

    @cached_property
    def schedule(self) -> Schedule | None:
        """When it is sent; None where that is as soon as it is started, or not said yet."""
        if self.every == self.Every.NOW or self.at is None:
            return None
        return Schedule(
            str(self.every),
            self.at,
            self.day,
            tuple(self.weekdays),
            tuple(self.monthdays),
            self.own_clock,
        )

    @property
    def recurs(self) -> bool:
        return self.every not in (self.Every.NOW, self.Every.ONCE)

    @property
    def misfire(self) -> timedelta:
        return timedelta(minutes=self.misfire_minutes)

    @property
    def pace(self) -> timedelta | None:
        """The time between one person and the next; None is as fast as may be."""
        if not self.throttle:
            return None
        unit = timedelta(minutes=1) if self.throttle_per == self.Per.MINUTE else timedelta(hours=1)
        return unit / self.throttle


class CampaignOccurrence(models.Model):
    """One time that a campaign is sent. Its audience is frozen lot by lot, then handed to the engine."""

    class State(models.TextChoices):
        FREEZING = "freezing", _("gathering the audience")
        SENDING = "sending", _("sending")
        DONE = "done", _("done")
        SKIPPED = "skipped", _("skipped")
        CANCELLED = "cancelled", _("cancelled")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="occurrences")
    #: The local time it is for, such as 2026-12-24 09:00: what makes it one occurrence. Also its step's name.
    label = models.CharField(_("for"), max_length=16)
    version = models.ForeignKey(JourneyVersion, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.FREEZING)
    #: When the first clocks show the time.
    starts_at = models.DateTimeField(_("begins"))
    #: When a worker began: the audience is who belongs to it at this instant.
    begun_at = models.DateTimeField(null=True)
    #: When the last clocks show the time.
    last_at = models.DateTimeField()
    #: Lots of contacts whose part of the audience is frozen.
    lots = models.SmallIntegerField(default=0)
    audience = models.IntegerField(_("audience"), default=0)
    #: Of them, those whose local time had passed for too long when the campaign was started.
    late = models.IntegerField(_("too late"), default=0)
    released = models.IntegerField(_("handed on"), default=0)
    #: Up to when the allowance of the throttle was used.
    paced_at = models.DateTimeField(null=True)
    #: While it is paused: every message that no worker had taken is kept back.
    withheld = models.BooleanField(default=False)
    #: When a worker last looked after it.
    seen_at = models.DateTimeField(null=True)
    figures = models.JSONField(default=dict)
    figures_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    reason = models.CharField(_("reason"), max_length=60, blank=True, default="")

    class Meta:
        verbose_name = _("occurrence of a campaign")
        verbose_name_plural = _("occurrences of campaigns")
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "label"], name="campaign_occurrence_once"),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(state__in=["freezing", "sending"]),
                name="campaign_occurrence_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.label}"


class CampaignRecipient(models.Model):
    """One person of a frozen audience, and when it is their turn. Handed on once: by state, not by memory."""

    class State(models.IntegerChoices):
        WAITING = 1, _("waiting")
        RELEASED = 2, _("handed on")
        LATE = 3, _("too late")

    id = models.BigAutoField(primary_key=True)
    slot = models.SmallIntegerField()
    contact = models.ForeignKey(
        Contact, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    occurrence = models.ForeignKey(
        CampaignOccurrence,
        models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="recipients",
    )
    state = models.SmallIntegerField(choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    # Whoever was handed on already is not handed on again as somebody else.
    on_merge = MergeRule(once=("occurrence_id",), keep="-t.state")

    class Meta:
        verbose_name = _("recipient of a campaign")
        verbose_name_plural = _("recipients of campaigns")
        constraints = [
            models.UniqueConstraint(fields=["contact", "occurrence"], name="campaign_recipient_once"),
        ]
        indexes = [
            models.Index(
                fields=["occurrence", "due_at", "id"],
                condition=models.Q(state=1),
                name="campaign_recipient_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.occurrence_id}"
