"""Data feeds: what another server knows and every message of a batch may tell."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class DataFeed(models.Model):
    """A JSON document at a public address, fetched for all messages together and kept for a while."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    slug = models.SlugField(
        _("slug"), max_length=60, unique=True, help_text=_("Templates say feeds.slug; letters, digits, _.")
    )
    url = models.CharField(
        _("address"), max_length=2000, help_text=_("Answers with JSON, of at most 64 KB; no redirects.")
    )
    # Fernet-encrypted: the value of the Authorization header, never shown after it is saved.
    secrets = models.TextField(blank=True, default="", editable=False)
    minutes = models.PositiveIntegerField(
        _("kept for minutes"), default=15, validators=[MinValueValidator(1), MaxValueValidator(10_080)]
    )
    hours = models.PositiveIntegerField(
        _("used at most so many hours after it failed"),
        default=24,
        validators=[MaxValueValidator(720)],
        help_text=_("While the server does not answer, what it said last is used for so long."),
    )
    seconds = models.PositiveSmallIntegerField(
        _("waited for at most so many seconds"),
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
    )
    active = models.BooleanField(_("active"), default=True)
    # What it said last, and when.
    content = models.JSONField(null=True, editable=False)
    fetched_at = models.DateTimeField(_("fetched"), null=True, editable=False)
    # Whoever moves this on fetches; the others go on with what is there.
    next_at = models.DateTimeField(null=True, editable=False)
    error = models.TextField(blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("data feed")
        verbose_name_plural = _("data feeds")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
