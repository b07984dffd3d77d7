"""Contacts, the identifiers that find them, the addresses that reach them, and merges."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class Contact(models.Model):
    """One person. ``id`` never leaves the back office; public links carry ``public_id``."""

    slot = models.SmallIntegerField(editable=False)
    public_id = models.UUIDField(_("public id"), default=uuid.uuid4, editable=False, unique=True)
    email = models.CharField(_("email"), max_length=320, blank=True, default="")
    phone = models.CharField(_("phone"), max_length=32, blank=True, default="", help_text=_("E.164"))
    first_name = models.CharField(_("first name"), max_length=200, blank=True, default="")
    last_name = models.CharField(_("last name"), max_length=200, blank=True, default="")
    language = models.CharField(_("language"), max_length=16, blank=True, default="")
    timezone = models.CharField(
        _("time zone"), max_length=64, blank=True, default="", help_text=_("IANA name, such as Europe/Paris")
    )
    country = models.CharField(_("country"), max_length=2, blank=True, default="")
    # Declared values come from the person; inferred ones from what they did. Declared wins.
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    inferred = models.JSONField(_("inferred"), default=dict, blank=True)
    # {"declared" or "inferred": {name: [where from, Unix seconds]}}; see contacts.profile.Origin.
    origins = models.JSONField(_("origins"), default=dict, db_default={}, blank=True, editable=False)
    known = models.BooleanField(_("known"), default=False, help_text=_("Has a user id, an email or a phone."))
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    updated_at = models.DateTimeField(_("updated"))

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        permissions = [
            ("edit_contact", "Can edit attributes of contacts"),
            ("merge_contact", "Can merge contacts by hand and undo it"),
            ("export_contact", "Can take contacts along as a file"),
            ("test_contact", "Can send a test event for a contact"),
        ]
        indexes = [
            models.Index(fields=["slot", "last_seen_at"], name="contact_slot_last_seen"),
            models.Index(fields=["email"], name="contact_email", condition=~models.Q(email="")),
            models.Index(fields=["-last_seen_at", "-id"], name="contact_recent"),
            # For programs that keep a copy and ask what changed since.
            models.Index(fields=["updated_at", "id"], name="contact_changed"),
        ]

    def __str__(self) -> str:
        name = f"{self.first_name} {self.last_name}".strip()
        unnamed = _("Unnamed %s") if self.known else _("Anonymous %s")
        return name or self.email or self.phone or str(unnamed) % str(self.public_id)[:8]


class Identifier(models.Model):
    """One value that finds one contact. Its key is not the contact's: uniqueness is across all contacts."""

    class Kind(models.TextChoices):
        USER = "user", _("user id")
        ANONYMOUS = "anonymous", _("anonymous id")
        EMAIL = "email", _("email")
        PHONE = "phone", _("phone")
        CARD = "card", _("card")
        DEVICE = "device", _("device")

    pk = models.CompositePrimaryKey("kind", "value")
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    value = models.CharField(_("value"), max_length=512)
    contact = models.ForeignKey(
        Contact, models.CASCADE, related_name="identifiers", db_constraint=False, verbose_name=_("contact")
    )
    slot = models.SmallIntegerField()
    created_at = models.DateTimeField(_("created"))
    #: Who told it first, as in ``contacts.profile.Origin``: ``source:3``, ``import:12``; empty if unknown.
    origin = models.TextField(_("origin"), default="", db_default="")

    class Meta:
        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")
        indexes = [
            # For the search by the first letters; the primary key's collation serves only whole values.
            models.Index(
                fields=["value"],
                opclasses=["text_pattern_ops"],
                condition=models.Q(kind="email"),
                name="identifier_email_prefix",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


class IdentityVersion(models.Model):
    """One version of the identity rules: all kinds, strongest first. Never changed; the latest holds."""

    number = models.IntegerField(_("version"), unique=True)
    kinds = models.JSONField(_("kinds"))
    note = models.CharField(_("why"), max_length=300, blank=True, default="")
    made_by = models.CharField(_("by"), max_length=150, blank=True, default="")
    made_at = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("version of the identity rules")
        verbose_name_plural = _("identity rules")
        ordering = ["-number"]

    def __str__(self) -> str:
        return str(_("Version %s") % self.number)


class ChannelAddress(models.Model):
    """Where a channel reaches a contact beyond email and phone: a push subscription, a device token."""

    slot = models.SmallIntegerField()
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="addresses", db_constraint=False)
    channel = models.CharField(_("channel"), max_length=16)
    address = models.CharField(_("address"), max_length=2048)
    data = models.JSONField(_("data"), default=dict, blank=True)
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("channel address")
        verbose_name_plural = _("channel addresses")
        constraints = [models.UniqueConstraint(fields=["channel", "address"], name="channel_address_once")]
        indexes = [
            models.Index(fields=["slot", "contact", "channel"], name="channel_address_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}:{self.address[:60]}"


class Merge(models.Model):
    """A logged merge of one contact into another: what is needed to explain it and to undo it."""

    slot = models.SmallIntegerField()
    winner_id = models.BigIntegerField(db_index=True)
    loser_id = models.BigIntegerField(db_index=True)
    loser_public_id = models.UUIDField(db_index=True)
    reason = models.CharField(max_length=200)
    snapshot = models.JSONField(default=dict)
    rules_version = models.IntegerField(_("version of the identity rules"), default=0, db_default=0)
    merged_at = models.DateTimeField(_("merged"))
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")

    def __str__(self) -> str:
        return f"{str(self.loser_public_id)[:8]} → {self.winner_id}"
