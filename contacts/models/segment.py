"""Segments and who is in them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
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
    tags = ArrayField(
        models.CharField(max_length=40),
        verbose_name=_("tags"),
        default=list,
        blank=True,
        db_default=models.Value([], ArrayField(models.CharField(max_length=40))),
    )
    # Out of the way and computed no more; what asks about it still sees its last members.
    archived_at = models.DateTimeField(_("archived"), null=True, editable=False)
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


class SegmentDay(models.Model):
    """What one day (UTC) did to a segment: those who came and went, and its size when last looked at."""

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="days")
    day = models.DateField(_("day"))
    size = models.BigIntegerField(_("size"))
    entered = models.BigIntegerField(_("entered"), db_default=0, default=0)
    gone = models.BigIntegerField(_("left"), db_default=0, default=0)

    class Meta:
        verbose_name = _("day of a segment")
        verbose_name_plural = _("days of segments")
        constraints = [models.UniqueConstraint(fields=["segment", "day"], name="segment_day_once")]

    def __str__(self) -> str:
        return f"{self.segment_id} on {self.day}"


class SegmentVersion(models.Model):
    """A rule that a segment had, from when it was saved until the next version was."""

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    rule = models.JSONField(_("rule"))
    note = models.CharField(_("note"), max_length=200, blank=True, default="")
    saved_at = models.DateTimeField(_("saved"))
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("version of a segment")
        verbose_name_plural = _("versions of segments")
        ordering = ["segment", "-number"]
        constraints = [models.UniqueConstraint(fields=["segment", "number"], name="segment_version_once")]

    def __str__(self) -> str:
        return f"{self.segment_id} v{self.number}"
