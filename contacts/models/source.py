"""Sources of events, their keys, what waits in the inbox, and what could not be taken in."""

from __future__ import annotations

from django.core.validators import URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Source(models.Model):
    """A touchpoint that sends events: a website, an app, a shop, a call centre."""

    class Kind(models.TextChoices):
        WEB = "web", _("website")
        APP = "app", _("app")
        SERVER = "server", _("server")
        STORE = "store", _("store")
        CALL_CENTRE = "call_centre", _("call centre")
        SOCIAL = "social", _("social")
        SYSTEM = "system", _("Segue itself")

    class Unplanned(models.TextChoices):
        KEEP = "keep", _("keep everything, show what differs")
        REJECT_UNKNOWN = "unknown", _("reject events that the plan does not know")
        REJECT_ALL = "strict", _("reject these and events that break the plan")

    name = models.CharField(_("name"), max_length=120, unique=True)
    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.SERVER)
    site = models.CharField(
        _("website"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        validators=[URLValidator(schemes=["https", "http"])],
        help_text=_(
            "Its address, such as https://shop.example. Links in messages that lead there say which message "
            "brought the visit."
        ),
    )
    active = models.BooleanField(
        _("active"), default=True, help_text=_("An inactive source is refused with 401.")
    )
    unplanned = models.CharField(
        _("what the plan does not know"),
        max_length=8,
        choices=Unplanned.choices,
        default=Unplanned.KEEP,
        db_default=Unplanned.KEEP.value,
        help_text=_(
            "Rejected events become dead letters; add them to the plan and replay them. "
            "An empty plan rejects nothing."
        ),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SourceKey(models.Model):
    """A key of a source. Kept as a SHA-256 digest; the key itself is shown once."""

    class Scope(models.TextChoices):
        WRITE = "write", _("write only (safe in a browser)")
        SERVER = "server", _("server")

    source = models.ForeignKey(Source, models.CASCADE, related_name="keys", verbose_name=_("source"))
    prefix = models.CharField(_("prefix"), max_length=12)
    digest = models.CharField(_("digest"), max_length=64, unique=True, editable=False)
    scope = models.CharField(_("scope"), max_length=8, choices=Scope.choices, default=Scope.WRITE)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("source key")
        verbose_name_plural = _("source keys")

    def __str__(self) -> str:
        return f"{self.prefix}…"


class SourceCount(models.Model):
    """received = accepted + duplicate + rejected, by source and UTC day; written as the inbox is taken in."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="counts", verbose_name=_("source"))
    day = models.DateField(_("day"))
    received = models.BigIntegerField(_("received"), default=0)
    accepted = models.BigIntegerField(_("accepted"), default=0)
    duplicate = models.BigIntegerField(_("duplicate"), default=0)
    rejected = models.BigIntegerField(_("rejected"), default=0)

    class Meta:
        verbose_name = _("intake count")
        verbose_name_plural = _("intake counts")
        constraints = [
            models.UniqueConstraint(fields=["source", "day"], name="source_count_day"),
            models.CheckConstraint(
                condition=models.Q(
                    received=models.F("accepted") + models.F("duplicate") + models.F("rejected")
                ),
                name="source_count_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.day}"


class InboxItem(models.Model):
    """An event made durable by intake, waiting to be taken into profile and log.

    ``payload`` is the checked event as JSON bytes. ``rejection`` is empty for a good event; otherwise
    it is the reason, and ingest turns the item into a dead letter. One table keeps one commit.
    """

    lane = models.SmallIntegerField()
    source_id = models.IntegerField()
    received_at = models.DateTimeField()
    rejection = models.TextField(default="")
    payload = models.BinaryField()
    server = models.BooleanField(default=False, db_default=False)

    class Meta:
        verbose_name = _("inbox item")
        verbose_name_plural = _("inbox")
        indexes = [models.Index(fields=["lane", "id"], name="inbox_lane")]

    def __str__(self) -> str:
        return f"inbox {self.pk}"


class DeadLetter(models.Model):
    """An event that could not be taken in, with the reason, kept for replay."""

    source = models.ForeignKey(Source, models.CASCADE, verbose_name=_("source"))
    received_at = models.DateTimeField(_("received"), db_index=True)
    code = models.CharField(_("code"), max_length=64)
    reason = models.TextField(_("reason"))
    payload = models.TextField(_("payload"))
    server = models.BooleanField(_("sent with a server key"), default=False, db_default=False)
    replayed_at = models.DateTimeField(_("replayed"), null=True, blank=True)

    class Meta:
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        ordering = ["-received_at"]

    def __str__(self) -> str:
        return f"{self.code} {self.received_at:%Y-%m-%d %H:%M}"
