"""KPI figures by day, filled from the event log by cursor."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class DailyKpi(models.Model):
    """One KPI of one UTC day, channel and journey. ``journey_id`` 0 and ``channel`` '' mean none."""

    day = models.DateField(_("day"))
    kpi = models.CharField(_("KPI"), max_length=40)
    channel = models.CharField(_("channel"), max_length=16, default="")
    journey_id = models.IntegerField(_("journey"), default=0)
    count = models.BigIntegerField(_("count"), default=0)
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=2, default=0)

    class Meta:
        verbose_name = _("daily KPI")
        verbose_name_plural = _("daily KPIs")
        constraints = [
            models.UniqueConstraint(fields=["day", "kpi", "channel", "journey_id"], name="daily_kpi_once")
        ]

    def __str__(self) -> str:
        return f"{self.kpi} {self.day}"
