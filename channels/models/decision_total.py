"""How many decisions of a kind there were on a day, so that reasons are counted without reading them all."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class DecisionTotal(models.Model):
    """Decisions of one kind on one UTC day.

    Loose rows come with every batch; of ``folded`` ones there is one a kind. Readers add up both.
    ``origin_id`` 0 is none.
    """

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(_("day"))
    origin_kind = models.TextField(_("wanted by"), default="")
    origin_id = models.IntegerField(default=0)
    origin_slug = models.TextField(_("name"), default="")
    channel = models.TextField(_("channel"), default="")
    outcome = models.SmallIntegerField(_("outcome"))
    reason = models.TextField(_("reason"))
    count = models.IntegerField(_("number"), default=0)
    folded = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("total of decisions")
        verbose_name_plural = _("totals of decisions")
        indexes = [
            models.Index(fields=["id"], condition=models.Q(folded=False), name="decision_total_loose"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "origin_kind", "origin_id", "origin_slug", "channel", "outcome", "reason"],
                condition=models.Q(folded=True),
                name="decision_total_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.reason} {self.count}"
