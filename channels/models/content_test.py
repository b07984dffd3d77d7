"""Tests of content: several templates in the place of one, and who gets which."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels.models.template import Template


class ContentTest(models.Model):
    """While it runs, whoever would get ``template`` gets one of the variants instead, always the same one.

    ``variants`` is a list of {name, template (slug), share}; the template itself is usually one of them.
    """

    name = models.CharField(_("name"), max_length=120, unique=True)
    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    template = models.ForeignKey(Template, models.CASCADE, related_name="tests", verbose_name=_("instead of"))
    variants = models.JSONField(_("variants"), default=list)
    started_at = models.DateTimeField(_("started"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("content test")
        verbose_name_plural = _("content tests")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["template"],
                condition=Q(started_at__isnull=False, ended_at__isnull=True),
                name="content_test_one_running",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """``draft``, ``running`` or ``ended``."""
        if self.ended_at:
            return "ended"
        return "running" if self.started_at else "draft"
