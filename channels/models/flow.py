"""How fast an account may send, to whom it may not just now, and why: what all workers share."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.provider import ProviderAccount


class Flow(models.Model):
    """One row for an account (``domain`` empty) and one for each receiving domain that needs one.

    A bucket of ``tokens`` as of ``filled_at``; messages that found none are spread up to ``horizon``. After
    ``failures`` in a row nothing goes until ``shut_until``, then one probe by ``probe_until``; ``trips`` says
    how often it was shut without a success between. ``day_taken`` were let through on ``day`` (warm-up).
    """

    account = models.ForeignKey(ProviderAccount, models.CASCADE, related_name="flows")
    domain = models.CharField(_("receiving domain"), max_length=255, default="", blank=True)
    tokens = models.FloatField(default=0)
    filled_at = models.DateTimeField(null=True)
    horizon = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    trips = models.PositiveSmallIntegerField(default=0)
    shut_until = models.DateTimeField(null=True)
    probe_until = models.DateTimeField(null=True)
    last_code = models.CharField(max_length=40, default="", blank=True)
    last_error = models.TextField(_("last error"), default="", blank=True)
    last_error_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    day = models.DateField(null=True)
    day_taken = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("flow")
        verbose_name_plural = _("flows")
        constraints = [models.UniqueConstraint(fields=["account", "domain"], name="channels_flow_once")]

    def __str__(self) -> str:
        return f"{self.account} {self.domain}".strip()
