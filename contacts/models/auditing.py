"""What the auditor knows of each promise, and what it found that is not as promised."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class PromiseState(models.Model):
    """One promise: when it was looked after, and whether it holds. Its words are in the code."""

    name = models.CharField(_("name"), max_length=60, primary_key=True)
    looked_at = models.DateTimeField(_("looked after"), null=True)
    #: The last look that came to its end.
    known_at = models.DateTimeField(null=True)
    took_ms = models.IntegerField(_("took, ms"), default=0)
    error = models.CharField(_("error"), max_length=300, blank=True, default="")
    #: A passing look has asked about all rows up to this id.
    mark = models.BigIntegerField(default=0)
    open = models.IntegerField(_("violations"), default=0)
    since = models.DateTimeField(_("since"), null=True)
    oldest = models.DateTimeField(_("oldest"), null=True)
    #: What people were last told: that it is broken, or that it holds.
    told_broken = models.BooleanField(default=False)
    told_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("promise")
        verbose_name_plural = _("promises")
        permissions = [("hear_promisestate", "Is told by email when a promise breaks")]

    def __str__(self) -> str:
        return self.name


class Breach(models.Model):
    """One thing that is not as promised. ``about`` holds numbers of rows, nothing of a person."""

    promise = models.ForeignKey(PromiseState, models.CASCADE, related_name="breaches")
    key = models.CharField(max_length=120)
    #: Since when it has been so, as far as the row itself says.
    at = models.DateTimeField(null=True)
    about = models.JSONField(default=dict)
    row = models.BigIntegerField(null=True)
    found_at = models.DateTimeField()
    over_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        verbose_name = _("violation of a promise")
        verbose_name_plural = _("violations of promises")
        constraints = [
            models.UniqueConstraint(
                fields=["promise", "key"], condition=models.Q(over_at__isnull=True), name="breach_once"
            )
        ]
        indexes = [models.Index(fields=["over_at"], name="breach_over")]

    def __str__(self) -> str:
        return f"{self.promise_id}: {self.key}"
