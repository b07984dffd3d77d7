"""The tracking plan: which events a source is expected to send, what it sends, and where the two differ."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.models.source import Source


class PlannedEvent(models.Model):
    """An event that one source, or every source, is expected to send, with its properties."""

    source = models.ForeignKey(
        Source,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="planned",
        verbose_name=_("source"),
        help_text=_("Empty: expected of every source. A source's own line wins over it."),
    )
    name = models.CharField(_("event"), max_length=256, help_text=_("As senders write it: Order Completed."))
    description = models.CharField(_("what it means"), max_length=300, blank=True, default="")
    #: [{"name": "total", "type": "number", "required": true}, …]; see contacts.plan.catalogue.
    properties = models.JSONField(_("properties"), default=list, blank=True)
    server_only = models.BooleanField(
        _("server keys only"),
        default=False,
        help_text=_("Sent with a write-only key, which anybody can copy out of a page, it is rejected."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("planned event")
        verbose_name_plural = _("tracking plan")
        ordering = ["name", "source"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "name"],
                name="planned_event_once",
                nulls_distinct=False,
                violation_error_message=_("This event is in the plan of this source already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class SeenEvent(models.Model):
    """An event name as a source really sends it: since when, how often, and the types of its properties."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="seen", verbose_name=_("source"))
    name = models.CharField(_("event"), max_length=256)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    accepted = models.BigIntegerField(_("accepted"), default=0)
    rejected = models.BigIntegerField(_("rejected by the plan"), default=0)
    #: Name to type, as last seen.
    properties = models.JSONField(_("properties"), default=dict)

    class Meta:
        verbose_name = _("seen event")
        verbose_name_plural = _("seen events")
        constraints = [models.UniqueConstraint(fields=["source", "name"], name="seen_event_once")]

    def __str__(self) -> str:
        return self.name


class PlanViolation(models.Model):
    """One way in which a source's events differ from the plan, with the latest example."""

    class Code(models.TextChoices):
        MISSING = "missing", _("required, but missing")
        WRONG_TYPE = "wrong_type", _("of another type")
        SERVER_ONLY = "server_only", _("sent with a write-only key")
        CONSENT = "consent", _("consent that was not recorded")

    source = models.ForeignKey(Source, models.CASCADE, related_name="violations", verbose_name=_("source"))
    event = models.CharField(_("event"), max_length=256)
    code = models.CharField(_("what is wrong"), max_length=16, choices=Code.choices)
    property = models.CharField(_("property"), max_length=256, blank=True, default="")
    count = models.BigIntegerField(_("times"), default=0)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    message_id = models.CharField(_("latest message id"), max_length=100, blank=True, default="")
    example = models.CharField(_("latest example"), max_length=120, blank=True, default="")

    class Meta:
        verbose_name = _("violation")
        verbose_name_plural = _("violations")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "event", "code", "property"], name="plan_violation_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.event}.{self.property}: {self.code}"


class LatestArrival(models.Model):
    """What a source sent in the last hour, for the live view. A crash of the database empties it."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        DUPLICATE = "duplicate", _("duplicate")
        REJECTED = "rejected", _("rejected")

    source = models.ForeignKey(Source, models.CASCADE, db_constraint=False, verbose_name=_("source"))
    received_at = models.DateTimeField(_("received"))
    outcome = models.CharField(_("outcome"), max_length=9, choices=Outcome.choices)
    call = models.CharField(_("call"), max_length=8, blank=True, default="")
    name = models.CharField(_("event"), max_length=256, blank=True, default="")
    who = models.CharField(_("who"), max_length=600, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=400, blank=True, default="")
    payload = models.TextField(_("payload"))

    class Meta:
        verbose_name = _("latest arrival")
        verbose_name_plural = _("latest arrivals")
        indexes = [models.Index(fields=["source", "-id"], name="latest_arrival_source")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.name}"
