"""Runs (one contact's way through a version) and the log of the steps they took."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact, MergeRule
from journeys.models.journey import Journey, JourneyVersion


class Run(models.Model):
    """One contact on one version. A live run always has ``due_at``: no run without a next wake-up."""

    class State(models.IntegerChoices):
        LIVE = 1, _("live")
        COMPLETED = 2, _("completed")
        CONVERTED = 3, _("converted")
        EXITED = 4, _("exited")
        FAILED = 5, _("failed")

    slot = models.SmallIntegerField()
    # Each move of a run writes to every index, so there are no more than the look-ups need: none of the
    # ones that Django adds to foreign keys.
    contact = models.ForeignKey(
        Contact, models.CASCADE, db_constraint=False, db_index=False, related_name="runs"
    )
    journey = models.ForeignKey(Journey, models.CASCADE, db_index=False, related_name="runs")
    version = models.ForeignKey(JourneyVersion, models.CASCADE, db_index=False, related_name="runs")
    #: Order or cart id in a keyed journey; empty otherwise.
    key = models.CharField(max_length=200, blank=True, default="")
    state = models.SmallIntegerField(_("state"), choices=State.choices, default=State.LIVE)
    step = models.CharField(_("step"), max_length=60)
    visit = models.IntegerField(default=0)  # grows with each step; (run, visit) names one step taken
    due_at = models.DateTimeField(_("next wake-up"), null=True)
    since = models.DateTimeField(_("at this step since"))
    # Names of log events that must wake this run before due_at (waited events, goal and exit events).
    watching = models.JSONField(default=list)
    entered_at = models.DateTimeField(_("entered"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    outcome = models.CharField(_("outcome"), max_length=60, blank=True, default="")
    # Properties of the event that started the run, for templates and branches.
    entry = models.JSONField(default=dict)

    # Of two live runs of one person the older goes on.
    on_merge = MergeRule(
        once=("journey_id", "key"),
        among="t.state = 1",
        keep="t.entered_at",
        instead="state = 4, due_at = NULL, ended_at = %(now)b, outcome = 'merged'",
    )

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        constraints = [
            models.UniqueConstraint(
                fields=["journey", "contact", "key"], condition=models.Q(state=1), name="run_one_live"
            ),
            models.CheckConstraint(
                condition=~models.Q(state=1) | models.Q(due_at__isnull=False), name="run_live_has_wakeup"
            ),
        ]
        indexes = [
            models.Index(fields=["slot", "due_at"], condition=models.Q(state=1), name="run_due"),
            models.Index(fields=["contact", "journey"], name="run_contact"),
            models.Index(fields=["journey", "ended_at"], condition=models.Q(state=5), name="run_failed"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"


class StepEntry(models.Model):
    """One step taken by one run, with its outcome. Partitioned by month of ``at``."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    slot = models.SmallIntegerField()
    contact_id = models.BigIntegerField()
    run_id = models.BigIntegerField()
    journey_id = models.IntegerField()
    version_id = models.IntegerField()
    step = models.TextField()
    visit = models.IntegerField()
    outcome = models.TextField()  # advanced, waited, timed_out, event, yes, no, branch name, exited, goal …
    detail = models.JSONField(null=True)

    class Meta:
        db_table = "journeys_stepentry"
        verbose_name = _("step taken")
        verbose_name_plural = _("steps taken")

    def __str__(self) -> str:
        return f"{self.step}: {self.outcome}"
