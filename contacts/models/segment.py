"""Segments and who is in them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.models.contact import Contact


class Segment(models.Model):
    """A named set of contacts, by a rule or by hand."""

    class Kind(models.TextChoices):
        DYNAMIC = "dynamic", _("by rule")
        STATIC = "static", _("by hand")

    name = models.CharField(_("name"), max_length=120, unique=True)
    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.DYNAMIC)
    description = models.TextField(_("description"), blank=True, default="")
    rule = models.JSONField(_("rule"), default=dict, blank=True)
    active = models.BooleanField(_("kept current"), default=True)
    size = models.BigIntegerField(_("size"), default=0, editable=False)
    # Set when the rule changes; a pulse recomputes the whole segment and clears it.
    stale = models.BooleanField(default=True, editable=False)
    computed_at = models.DateTimeField(_("computed"), null=True, editable=False)
    # The latest date of an event that lay in the future when it was read: until then the clock looks for it.
    ahead_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SegmentMembership(models.Model):
    """One contact in one segment."""

    pk = models.CompositePrimaryKey("segment_id", "contact_id")
    segment = models.ForeignKey(Segment, models.CASCADE, related_name="memberships")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="memberships", db_constraint=False)
    slot = models.SmallIntegerField()
    entered_at = models.DateTimeField(_("entered"))

    class Meta:
        verbose_name = _("segment membership")
        verbose_name_plural = _("segment memberships")

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.segment_id}"
