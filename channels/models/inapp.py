"""In-app messages: what waits on websites and in apps until the person comes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact


class InAppMessage(models.Model):
    """One message that waits to be shown. ``key`` is its message's, so it waits once however often sent.

    ``seen_at`` is kept only where the person may be measured; ``read_at`` and ``dismissed_at`` are what they
    did themselves, without which the message would come back.
    """

    slot = models.SmallIntegerField()
    contact = models.ForeignKey(
        Contact, models.CASCADE, db_constraint=False, db_index=False, related_name="inapp_messages"
    )
    key = models.UUIDField(unique=True)
    message_id = models.BigIntegerField()
    message_created_at = models.DateTimeField()
    account_id = models.IntegerField()
    created_at = models.DateTimeField(_("sent"))
    title = models.TextField(_("title"), default="")
    text = models.TextField(_("text"))
    link = models.TextField(_("link"), default="")
    image = models.TextField(_("image"), default="")
    button = models.TextField(_("button"), default="")
    place = models.TextField(_("place"), default="")
    pages = models.JSONField(_("pages"), default=list)
    importance = models.SmallIntegerField(_("importance"), default=50)
    survey = models.JSONField(_("survey"), default=dict, db_default={})
    ends_at = models.DateTimeField(_("shown until"))
    looked_at = models.DateTimeField(_("conditions last asked"))
    seen_at = models.DateTimeField(_("seen"), null=True)
    read_at = models.DateTimeField(_("read"), null=True)
    dismissed_at = models.DateTimeField(_("dismissed"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    class Meta:
        db_table = "channels_inappmessage"
        verbose_name = _("in-app message")
        verbose_name_plural = _("in-app messages")
        indexes = [
            models.Index(fields=["contact", "-id"], name="inapp_contact"),
            models.Index(fields=["ends_at"], name="inapp_ends"),
            models.Index(
                fields=["looked_at"],
                name="inapp_unseen",
                condition=Q(seen_at=None, read_at=None, dismissed_at=None, withdrawn_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.text[:60]
