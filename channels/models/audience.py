"""Retargeting audiences: who should be in a list kept elsewhere."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.provider import ProviderAccount
from contacts.models import Contact, Purpose, Segment


class Audience(models.Model):
    """A list at an advertising platform, kept by hashed addresses."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    provider = models.ForeignKey(
        ProviderAccount, models.PROTECT, verbose_name=_("destination"), null=True, blank=True
    )
    remote_id = models.CharField(
        _("id at the destination"),
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text=_("What Meta or Google call the list. Files and plain HTTP use the slug."),
    )
    purpose = models.ForeignKey(
        Purpose,
        models.PROTECT,
        verbose_name=_("purpose"),
        null=True,
        blank=True,
        help_text=_(
            "Only people who agreed to it are in the list; who withdraws leaves it. Empty: nobody is asked."
        ),
    )
    segment = models.ForeignKey(
        Segment,
        models.SET_NULL,
        verbose_name=_("segment"),
        null=True,
        blank=True,
        help_text=_("Its people are put in, and taken out when they leave it. Journeys may add others."),
    )
    leave_on = models.CharField(
        _("leave after"),
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "Name of the event that ends it, such as Order Completed: no more ads for what was bought."
        ),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    synced_at = models.DateTimeField(_("last sync"), null=True, blank=True, editable=False)
    # Its destination asked not to be told anything before.
    not_before = models.DateTimeField(null=True, blank=True, editable=False)
    # What the destination said when it last did not take a change; empty after it took one.
    trouble = models.CharField(
        _("trouble"), max_length=300, blank=True, default="", db_default="", editable=False
    )

    class Meta:
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AudienceMember(models.Model):
    """One contact's wanted and actual place in an audience; the sync pulse closes the gap."""

    class State(models.TextChoices):
        ADDING = "adding", _("to be added")
        IN = "in", _("in")
        REMOVING = "removing", _("to be removed")
        OUT = "out", _("out")

    pk = models.CompositePrimaryKey("audience_id", "contact_id")
    audience = models.ForeignKey(Audience, models.CASCADE, related_name="members")
    contact = models.ForeignKey(Contact, models.CASCADE, db_constraint=False, related_name="audiences")
    slot = models.SmallIntegerField()
    state = models.CharField(_("state"), max_length=8, choices=State.choices)
    reason = models.CharField(_("reason"), max_length=60, blank=True, default="")
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("audience member")
        verbose_name_plural = _("audience members")

    def __str__(self) -> str:
        return f"{self.contact_id} {self.state}"


class AudienceDeparture(models.Model):
    """Somebody who was erased and whom a destination must still remove: digests are all that is left."""

    audience = models.ForeignKey(Audience, models.CASCADE, related_name="departures")
    email_sha256 = models.CharField(max_length=64, blank=True, default="")
    phone_sha256 = models.CharField(max_length=64, blank=True, default="")
    # The phone as digits alone, as Meta asks for it.
    digits_sha256 = models.CharField(max_length=64, blank=True, default="", db_default="")
    wanted_at = models.DateTimeField()

    class Meta:
        verbose_name = _("departure from an audience")
        verbose_name_plural = _("departures from audiences")

    def __str__(self) -> str:
        return f"{self.audience_id} {self.email_sha256[:8]}"
