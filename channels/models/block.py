"""Content blocks: words that many templates share, versioned like the templates themselves."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ContentBlock(models.Model):
    """A piece that templates take in by ``{% block "slug" %}``. Its words live in versions."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    description = models.CharField(_("description"), max_length=300, blank=True, default="")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("content block")
        verbose_name_plural = _("content blocks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class BlockVersion(models.Model):
    """The words of a block in one language. Published versions never change."""

    block = models.ForeignKey(ContentBlock, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    language = models.CharField(_("language"), max_length=16, default="en")
    body = models.TextField(_("body"), help_text=_("MJML or HTML for emails, text for all others (Liquid)."))
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False
    )

    class Meta:
        verbose_name = _("block version")
        verbose_name_plural = _("block versions")
        ordering = ["block", "language", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["block", "language", "number"], name="block_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.block} v{self.number} ({self.language})"
