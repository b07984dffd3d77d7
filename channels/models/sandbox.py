"""The sandbox's outbox: messages that went nowhere, kept to be looked at."""

from __future__ import annotations

import zlib

from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.provider import ProviderAccount


class SandboxMessage(models.Model):
    """What a message would have looked like on arrival. The HTML is kept packed: it is long and alike."""

    account = models.ForeignKey(ProviderAccount, models.CASCADE, verbose_name=_("provider account"))
    # Test sends have none; a real message is kept once however often it is handed over.
    message_id = models.BigIntegerField(null=True)
    message_created_at = models.DateTimeField(null=True)
    channel = models.CharField(_("channel"), max_length=16)
    address = models.CharField(_("address"), max_length=2048)
    subject = models.TextField(_("subject"), blank=True, default="")
    text = models.TextField(_("text"), blank=True, default="")
    link = models.TextField(_("link"), blank=True, default="")
    packed_html = models.BinaryField(default=b"", editable=False)
    headers = models.JSONField(_("headers"), default=dict)
    received_at = models.DateTimeField(_("received"))

    class Meta:
        verbose_name = _("sandbox message")
        verbose_name_plural = _("sandbox outbox")
        ordering = ["-received_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["message_id"], name="sandbox_message_once")]
        indexes = [models.Index(fields=["-received_at", "-id"], name="sandbox_recent")]

    def __str__(self) -> str:
        return f"{self.channel}: {self.subject or self.text[:60]}"

    @property
    def html(self) -> str:
        return zlib.decompress(bytes(self.packed_html)).decode() if self.packed_html else ""
