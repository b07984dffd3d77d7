"""What contacts allow: the append-only consent ledger, its current state, and suppressions."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.models.contact import Contact
from contacts.models.merge_rule import MergeRule


class Purpose(models.Model):
    """A topic a person can allow or refuse: newsletter, offers, order updates."""

    slug = models.SlugField(_("slug"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    name_fr = models.CharField(_("name in French"), max_length=120, blank=True, default="")
    description = models.CharField(_("description"), max_length=300, blank=True, default="")
    description_fr = models.CharField(_("description in French"), max_length=300, blank=True, default="")
    transactional = models.BooleanField(
        _("transactional"),
        default=False,
        help_text=_("Service messages such as a receipt: sent without marketing consent, exempt from caps."),
    )

    class Meta:
        verbose_name = _("purpose")
        verbose_name_plural = _("purposes")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class ConsentEntry(models.Model):
    """One line of the ledger. Never changed, never deleted; the latest line by id decides."""

    class Action(models.TextChoices):
        GIVEN = "in", _("given")
        WITHDRAWN = "out", _("withdrawn")

    slot = models.SmallIntegerField()
    contact = models.ForeignKey(Contact, models.CASCADE, db_constraint=False, verbose_name=_("contact"))
    channel = models.CharField(_("channel"), max_length=16)
    #: A purpose's slug, or ``*`` for all purposes of the channel.
    purpose = models.CharField(_("purpose"), max_length=40)
    action = models.CharField(_("action"), max_length=3, choices=Action.choices)
    basis = models.CharField(_("legal basis"), max_length=40, default="consent")
    wording = models.CharField(_("wording version"), max_length=60, blank=True, default="")
    origin = models.CharField(_("origin"), max_length=60)
    proof = models.JSONField(_("proof"), default=dict, blank=True)
    occurred_at = models.DateTimeField(_("occurred"))
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        verbose_name = _("consent entry")
        verbose_name_plural = _("consent entries")
        indexes = [models.Index(fields=["contact", "channel", "purpose", "-id"], name="consent_latest")]

    def __str__(self) -> str:
        return f"{self.channel}/{self.purpose}: {self.action}"


class ConsentState(models.Model):
    """What holds now, derived from the ledger in the same transaction."""

    pk = models.CompositePrimaryKey("contact_id", "channel", "purpose")
    slot = models.SmallIntegerField()
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="consents", db_constraint=False)
    channel = models.CharField(_("channel"), max_length=16)
    purpose = models.CharField(_("purpose"), max_length=40)
    allowed = models.BooleanField(_("allowed"))
    entry_id = models.BigIntegerField()
    since = models.DateTimeField(_("since"))

    # The stricter wins: a refusal of everything also closes what only the other one had allowed.
    on_merge = MergeRule(
        once=("channel", "purpose"),
        keep="t.allowed",
        first="""
            UPDATE contacts_consentstate t SET allowed = false, entry_id = o.entry_id, since = o.since
            FROM who, who AS other, contacts_consentstate o
            WHERE t.contact_id = who.contact_id AND other.winner = who.winner
                AND o.contact_id = other.contact_id AND o.contact_id <> t.contact_id
                AND t.allowed AND NOT o.allowed AND o.channel = t.channel AND o.purpose = '*'
                AND NOT EXISTS (
                    SELECT FROM contacts_consentstate own WHERE own.contact_id = o.contact_id
                        AND own.channel = t.channel AND own.purpose = t.purpose AND own.allowed
                )
        """,
    )

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")

    def __str__(self) -> str:
        return f"{self.channel}/{self.purpose}: {self.allowed}"


class Suppression(models.Model):
    """An address that must not be written to, whoever owns it: bounced, complained, asked by hand."""

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", _("hard bounce")
        COMPLAINT = "complaint", _("complaint")
        MANUAL = "manual", _("by hand")
        ERASED = "erased", _("erased")
        INVALID = "invalid", _("invalid address")

    channel = models.CharField(_("channel"), max_length=16)
    address = models.CharField(_("address"), max_length=512)
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices, default=Reason.MANUAL)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        constraints = [models.UniqueConstraint(fields=["channel", "address"], name="suppression_once")]

    def __str__(self) -> str:
        return f"{self.channel}:{self.address}"
