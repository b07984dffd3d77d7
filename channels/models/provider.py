"""Provider accounts: who carries a channel's messages."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    EMAIL = "email", _("email")
    SMS = "sms", _("SMS")
    PUSH = "push", _("web push")
    INAPP = "inapp", _("in-app message")
    AUDIENCE = "audience", _("retargeting audience")


class ProviderAccount(models.Model):
    """One configured way out for one channel. ``kind`` names a class in ``channels.providers``."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    channel = models.CharField(_("channel"), max_length=16, choices=Channel.choices)
    kind = models.CharField(_("kind"), max_length=40)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    # Fernet-encrypted JSON; never shown after it is saved.
    secrets = models.TextField(_("secrets"), blank=True, default="", editable=False)
    position = models.SmallIntegerField(
        _("order"), default=1, help_text=_("The active account with the lowest order carries the channel.")
    )
    active = models.BooleanField(_("active"), default=True)
    paused = models.BooleanField(_("paused"), default=False, help_text=_("Messages wait while paused."))
    rate_per_second = models.PositiveIntegerField(
        _("most per second"), null=True, blank=True, help_text=_("Empty: as fast as it takes them.")
    )
    # Messages per second by receiving domain; "*" is each domain that is not named.
    domain_rates = models.JSONField(
        _("most per second and receiving domain"), default=dict, db_default={}, blank=True
    )
    warmup_from = models.DateField(
        _("warm-up begins"),
        null=True,
        blank=True,
        help_text=_("First day of a new sender. Empty: no warm-up."),
    )
    warmup_first = models.PositiveIntegerField(_("messages on the first day"), default=200, db_default=200)
    warmup_growth = models.PositiveSmallIntegerField(
        _("more on each day, in percent"), default=50, db_default=50
    )
    warmup_target = models.PositiveIntegerField(
        _("warm-up ends at"),
        default=50_000,
        db_default=50_000,
        help_text=_("Messages a day; from there on nothing is held back."),
    )

    class Meta:
        verbose_name = _("provider account")
        verbose_name_plural = _("provider accounts")
        ordering = ["channel", "position", "name"]

    def __str__(self) -> str:
        return self.name
