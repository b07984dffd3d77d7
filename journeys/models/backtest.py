"""Backtests: a journey played against the past, and the parts in which the work is done."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from journeys.models.journey import Journey


class BacktestRun(models.Model):
    """One question to the past, and its answer. Deleted when it expires; the journey is not touched by it."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="backtests", verbose_name=_("journey"))
    #: What was played: ``draft``, or the number of a version.
    label = models.CharField(_("played"), max_length=40)
    graph = models.JSONField(_("graph"))
    start = models.DateTimeField(_("from"))
    end = models.DateTimeField(_("until"))
    #: So many of the 64 lots of contacts are played.
    lots = models.SmallIntegerField(_("lots"), default=64)
    line = models.SmallIntegerField(_("messages in a week that are too many"), default=3)
    prices = models.JSONField(_("price of a message by channel"), default=dict)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.RUNNING)
    result = models.JSONField(_("result"), null=True)
    error = models.TextField(_("error"), blank=True, default="")
    created_at = models.DateTimeField(_("asked"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("asked by")
    )
    finished_at = models.DateTimeField(_("finished"), null=True)
    expires_at = models.DateTimeField(_("kept until"))

    class Meta:
        verbose_name = _("backtest")
        verbose_name_plural = _("backtests")
        ordering = ["-created_at", "-id"]
        permissions = [("run_backtestrun", "Can play journeys against the past")]
        indexes = [models.Index(fields=["state"], condition=models.Q(state="running"), name="backtest_open")]

    def __str__(self) -> str:
        return f"{self.journey} ({self.label}), {self.start:%Y-%m-%d} – {self.end:%Y-%m-%d}"


class BacktestPart(models.Model):
    """One lot of contacts of a backtest. Without a result it is still to be played."""

    run = models.ForeignKey(BacktestRun, models.CASCADE, related_name="parts")
    slot = models.SmallIntegerField()
    result = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "slot"], name="backtest_part_once")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.slot}"
