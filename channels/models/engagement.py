"""What came back: raw hits on pixels and links, receipts, and the links that are tracked."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact, MergeRule


class TrackedLink(models.Model):
    """An address that templates link to. A tracked link carries this id, never the address itself."""

    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    url = models.TextField(_("address"))

    class Meta:
        verbose_name = _("tracked link")
        verbose_name_plural = _("tracked links")

    def __str__(self) -> str:
        return self.url[:120]


class Hit(models.Model):
    """A fetch of a pixel or link, or a provider's callback, as it came, waiting for the engagement pulse."""

    received_at = models.DateTimeField()
    kind = models.TextField()  # open, click, or a receipt kind from a provider
    message_id = models.BigIntegerField(null=True)
    message_created_at = models.DateTimeField(null=True)
    link_id = models.IntegerField(null=True)
    provider_id = models.IntegerField(null=True)
    receipt_key = models.TextField(default="")
    data = models.JSONField(default=dict)  # method, user agent, address, provider's words

    class Meta:
        verbose_name = _("hit")
        verbose_name_plural = _("hits")

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"


class HitSpool(models.Model):
    """How many bytes of a spool file of hits were taken in (see ``channels.hit_spool``)."""

    name = models.CharField(max_length=40, primary_key=True)
    taken = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class Receipt(models.Model):
    """One thing that came back about one message, classed. Partitioned by month."""

    id = models.BigAutoField(primary_key=True)
    received_at = models.DateTimeField()
    slot = models.SmallIntegerField()
    contact_id = models.BigIntegerField()
    message_id = models.BigIntegerField()
    message_created_at = models.DateTimeField()
    provider_id = models.IntegerField(null=True)
    kind = models.TextField()  # delivered, bounced, complained, opened, clicked, unsubscribed, replied
    actor = models.TextField(default="")  # human, proxy, scanner, prefetch
    link_id = models.IntegerField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        db_table = "channels_receipt"
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")

    def __str__(self) -> str:
        return f"{self.kind} ({self.actor})"


class EngagementTotal(models.Model):
    """Opens and clicks that may not be kept on anybody: how many a day, of which messages.

    Those that were ``named`` at first, until a person withdrew, are in the daily figures already.
    """

    day = models.DateField(_("day"))
    channel = models.CharField(_("channel"), max_length=16)
    origin_kind = models.TextField(default="")
    origin_slug = models.TextField(_("wanted by"), default="")
    origin_step = models.TextField(_("step"), default="")
    template = models.TextField(_("template"), default="")
    kind = models.TextField(_("kind"))  # opened, clicked
    actor = models.TextField(_("who"), default="")  # human, proxy, scanner, prefetch
    named = models.BooleanField(_("had a name at first"), default=False, db_default=False)
    hits = models.IntegerField(_("number"), default=0)

    class Meta:
        verbose_name = _("engagement without names")
        verbose_name_plural = _("engagement without names")
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "day", "channel", "origin_kind", "origin_slug", "origin_step", "template", "kind",
                    "actor", "named",
                ],
                name="engagement_total_of_kind",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.day} {self.kind} {self.hits}"


class LastOpen(models.Model):
    """The day on which somebody last opened anything, and nothing more: for the hygiene of lists."""

    contact = models.ForeignKey(Contact, models.CASCADE, db_constraint=False, db_index=False)
    slot = models.SmallIntegerField()
    day = models.DateField(_("day"))

    # Of two people who turn out to be one the later day stays.
    on_merge = MergeRule(once=(), keep="t.day DESC")

    class Meta:
        verbose_name = _("last open")
        verbose_name_plural = _("last opens")
        constraints = [models.UniqueConstraint(fields=["contact"], name="last_open_once")]

    def __str__(self) -> str:
        return str(self.day)
