"""What analytics learned about a contact, written here so that channels and journeys can read it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.models.contact import Contact


class Prediction(models.Model):
    """One named prediction of one contact, with the words that explain it."""

    pk = models.CompositePrimaryKey("contact_id", "name")
    slot = models.SmallIntegerField()
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="predictions", db_constraint=False)
    name = models.CharField(_("name"), max_length=60)
    number = models.FloatField(_("number"), null=True)
    value = models.JSONField(_("value"), default=dict, blank=True)
    reason = models.TextField(_("reason"), blank=True, default="")
    computed_at = models.DateTimeField(_("computed"))

    class Meta:
        verbose_name = _("prediction")
        verbose_name_plural = _("predictions")

    def __str__(self) -> str:
        return self.name
