"""How far learning about everybody has come, and what it compares people with."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Learning(models.Model):
    """One walk over all contacts, taken up where it stopped. ``sums`` are those of the last whole walk."""

    name = models.CharField(_("what"), max_length=40, primary_key=True)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    after_contact = models.BigIntegerField(default=0)
    seen = models.IntegerField(_("people seen"), default=0)
    written = models.IntegerField(_("predictions"), default=0)
    sums = models.JSONField(default=dict)
    collecting = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("learning")
        verbose_name_plural = _("learning")

    def __str__(self) -> str:
        return self.name
