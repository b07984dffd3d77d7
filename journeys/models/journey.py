"""Journeys and their published, immutable versions."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Journey(models.Model):
    """A path that contacts walk. The draft is edited; a version is what runs."""

    class Kind(models.TextChoices):
        JOURNEY = "journey", _("journey")
        #: One broadcast: the rest of it is in ``models.campaign``.
        CAMPAIGN = "campaign", _("campaign")

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        LIVE = "live", _("live")
        PAUSED = "paused", _("paused")
        STOPPED = "stopped", _("stopped")
        ARCHIVED = "archived", _("archived")

    name = models.CharField(_("name"), max_length=120, unique=True)
    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    description = models.TextField(_("description"), blank=True, default="")
    kind = models.CharField(
        _("kind"), max_length=8, choices=Kind.choices, default=Kind.JOURNEY, db_default="journey"
    )
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.DRAFT)
    draft = models.JSONField(_("draft"), default=dict, blank=True)
    # Id of the live version; no foreign key, since versions point here.
    live_version_id = models.IntegerField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("journey")
        verbose_name_plural = _("journeys")
        ordering = ["name"]
        permissions = [
            ("publish_journey", "Can publish, pause, resume and stop journeys"),
            ("enter_journey", "Can put single contacts into a live journey"),
        ]

    def __str__(self) -> str:
        return self.name


class JourneyVersion(models.Model):
    """A published graph. Never changed: people in flight stay on the version they entered."""

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    graph = models.JSONField(_("graph"))
    published_at = models.DateTimeField(_("published"))
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)

    class Meta:
        verbose_name = _("journey version")
        verbose_name_plural = _("journey versions")
        ordering = ["journey", "-number"]
        constraints = [models.UniqueConstraint(fields=["journey", "number"], name="journey_version_once")]

    def __str__(self) -> str:
        return f"{self.journey} v{self.number}"
