"""What the coming days will bring, as it was last worked out."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Outlook(models.Model):
    """The load of the next days. One row, worked out anew now and then."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    #: Somebody wants it anew since then.
    asked_at = models.DateTimeField(_("asked"), null=True)
    computed_at = models.DateTimeField(_("worked out"), null=True)
    #: So many of the 64 lots of contacts were looked at.
    lots = models.SmallIntegerField(_("lots"), default=0)
    seconds = models.FloatField(_("took (seconds)"), default=0)
    result = models.JSONField(_("result"), default=dict)

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendar")

    def __str__(self) -> str:
        return str(_("Calendar"))
