"""What is bought most, for those of whom nothing better is known."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class BestSeller(models.Model):
    """One product of the list, as templates show it: ``name``, ``price``, ``url``, ``image``."""

    rank = models.PositiveSmallIntegerField(_("rank"), unique=True)
    product = models.JSONField(_("product"))
    sold = models.FloatField(_("sold"), default=0)
    computed_at = models.DateTimeField(_("computed"))

    class Meta:
        verbose_name = _("best seller")
        verbose_name_plural = _("best sellers")
        ordering = ["rank"]

    def __str__(self) -> str:
        return str(self.product.get("name", self.rank))
