"""The charter: the rules of marketing pressure, as versioned data."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.two_people import RequestToPublish


class CharterVersion(models.Model):
    """One version of the charter. Of the published ones in force, the latest ``effective_at`` rules."""

    number = models.PositiveIntegerField(_("version"), unique=True)
    rules = models.JSONField(_("rules"), default=dict)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
    effective_at = models.DateTimeField(_("effective from"), null=True, blank=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False
    )

    class Meta:
        verbose_name = _("charter version")
        verbose_name_plural = _("charter versions")
        ordering = ["-number"]
        permissions = [("publish_charterversion", "Can publish a charter version")]

    def __str__(self) -> str:
        return f"Charter v{self.number}"


class CharterRequest(RequestToPublish):
    """Somebody asks that a draft of the charter be published; another one decides."""

    version = models.ForeignKey(CharterVersion, models.CASCADE, related_name="publish_requests")

    class Meta:
        verbose_name = _("request to publish a charter")
        verbose_name_plural = _("requests to publish a charter")
        constraints = [
            models.UniqueConstraint(
                fields=["version"], condition=models.Q(state="open"), name="charter_request_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.get_state_display()}"
