"""What contacts allow: the append-only consent ledger, its state, open requests, and suppressions."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.models.contact import Contact
from contacts.models.merge_rule import MergeRule


class ConsentEntry(models.Model):
    """One line of the ledger. Never changed, never deleted; the latest line by id decides.

    The database refuses changes, save three: ``contact_id`` and ``slot`` follow merges, ``proof`` and
    ``salt`` can be shredded, ``anchor`` is set once. ``chain`` is the contact's number when the line was
    written; what the digests cover is told in ``contacts.consent.chain``.
    """

    class Action(models.TextChoices):
        GIVEN = "in", _("given")
        WITHDRAWN = "out", _("withdrawn")

    class Basis(models.TextChoices):
        CONSENT = "consent", _("consent")
        CONTRACT = "contract", _("contract")
        INTEREST = "legitimate_interest", _("legitimate interest")
        DUTY = "legal_obligation", _("legal obligation")
        VITAL = "vital_interest", _("vital interest")
        PUBLIC = "public_task", _("public task")

    slot = models.SmallIntegerField()
    #: The ledger outlives the contact: an erasure shreds the proof and leaves the line.
    contact = models.ForeignKey(Contact, models.DO_NOTHING, db_constraint=False, verbose_name=_("contact"))
    channel = models.CharField(_("channel"), max_length=16)
    #: A purpose's slug, or ``*`` for all purposes of the channel.
    purpose = models.CharField(_("purpose"), max_length=40)
    action = models.CharField(_("action"), max_length=3, choices=Action.choices)
    basis = models.CharField(_("legal basis"), max_length=40, default="consent", choices=Basis.choices)
    wording = models.CharField(_("wording version"), max_length=60, blank=True, default="")
    origin = models.CharField(_("origin"), max_length=60)
    proof = models.JSONField(_("proof"), default=dict, blank=True)
    occurred_at = models.DateTimeField(_("occurred"))
    recorded_at = models.DateTimeField(_("recorded"))
    expires_at = models.DateTimeField(_("ends"), null=True, blank=True)
    #: Null in lines that are older than the chain; the database refuses new ones without.
    chain = models.BigIntegerField(null=True, editable=False)
    seq = models.IntegerField(null=True, editable=False)
    salt = models.BinaryField(null=True, editable=False)
    #: Salted digest of the proof: what stays of it after shredding.
    personal = models.BinaryField(null=True, editable=False)
    previous = models.BinaryField(null=True, editable=False)
    digest = models.BinaryField(null=True, editable=False)
    anchor = models.IntegerField(null=True, editable=False)

    class Meta:
        verbose_name = _("consent entry")
        verbose_name_plural = _("consent entries")
        indexes = [
            models.Index(fields=["contact", "channel", "purpose", "-id"], name="consent_latest"),
            models.Index(fields=["anchor", "id"], name="consent_anchor"),
            models.Index(fields=["recorded_at"], name="consent_recorded"),
            models.Index(fields=["wording"], name="consent_wording", condition=~models.Q(wording="")),
        ]
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="consent_chain")]

    def __str__(self) -> str:
        return f"{self.channel}/{self.purpose}: {self.action}"


class ConsentState(models.Model):
    """What holds now, derived from the ledger in the same transaction.

    Where ``why`` says something, nobody refused: the consent ended by itself, or waits to be confirmed.
    """

    class Why(models.TextChoices):
        SAID = "", _("said so")
        EXPIRED = "expired", _("expired")
        PENDING = "pending", _("not confirmed yet")

    pk = models.CompositePrimaryKey("contact_id", "channel", "purpose")
    slot = models.SmallIntegerField()
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="consents", db_constraint=False)
    channel = models.CharField(_("channel"), max_length=16)
    purpose = models.CharField(_("purpose"), max_length=40)
    allowed = models.BooleanField(_("allowed"))
    entry_id = models.BigIntegerField()
    since = models.DateTimeField(_("since"))
    expires_at = models.DateTimeField(_("ends"), null=True, blank=True)
    why = models.CharField(max_length=8, choices=Why.choices, blank=True, default="", db_default="")
    #: False until other rooms have followed a withdrawal that reaches back (measuring, for one).
    settled = models.BooleanField(default=True, db_default=True)

    # The stricter wins: a refusal of everything also closes what only the other one had allowed.
    on_merge = MergeRule(
        once=("channel", "purpose"),
        keep="t.why <> '', t.allowed, t.expires_at",
        first="""
            UPDATE contacts_consentstate t SET allowed = false, entry_id = o.entry_id, since = o.since,
                settled = t.purpose <> 'tracking'
            FROM who, who AS other, contacts_consentstate o
            WHERE t.contact_id = who.contact_id AND other.winner = who.winner
                AND o.contact_id = other.contact_id AND o.contact_id <> t.contact_id
                AND t.allowed AND NOT o.allowed AND o.why = '' AND o.channel = t.channel AND o.purpose = '*'
                AND NOT EXISTS (
                    SELECT FROM contacts_consentstate own WHERE own.contact_id = o.contact_id
                        AND own.channel = t.channel AND own.purpose = t.purpose AND own.allowed
                )
        """,
    )

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes = [
            models.Index(
                fields=["expires_at"], name="consent_ends", condition=models.Q(expires_at__isnull=False)
            ),
            models.Index(fields=["slot"], name="consent_unsettled", condition=models.Q(settled=False)),
        ]

    def __str__(self) -> str:
        return f"{self.channel}/{self.purpose}: {self.allowed}"


class ConsentRequest(models.Model):
    """A consent that waits for its double opt-in: what was asked, how, and the mails that went out for it."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slot = models.SmallIntegerField()
    contact = models.ForeignKey(Contact, models.CASCADE, db_constraint=False, verbose_name=_("contact"))
    channel = models.CharField(_("channel"), max_length=16)
    purpose = models.CharField(_("purpose"), max_length=40)
    origin = models.CharField(_("origin"), max_length=60)
    wording = models.CharField(_("wording version"), max_length=60, blank=True, default="")
    proof = models.JSONField(_("proof"), default=dict, blank=True)
    asked_at = models.DateTimeField(_("asked"))
    ends_at = models.DateTimeField(_("ends"))
    #: When the next mail is to leave; null when none is.
    mail_at = models.DateTimeField(null=True, blank=True)
    mails = models.SmallIntegerField(_("mails"), default=0)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)

    class Meta:
        verbose_name = _("consent request")
        verbose_name_plural = _("consent requests")
        indexes = [
            models.Index(fields=["contact", "channel", "purpose"], name="consent_request_contact"),
            models.Index(
                fields=["mail_at"], name="consent_request_mail", condition=models.Q(mail_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel}/{self.purpose}: {self.asked_at:%Y-%m-%d}"


class Suppression(models.Model):
    """An address that must not be written to, whoever owns it: bounced, complained, asked by hand."""

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", _("hard bounce")
        COMPLAINT = "complaint", _("complaint")
        MANUAL = "manual", _("by hand")
        ERASED = "erased", _("erased")
        INVALID = "invalid", _("invalid address")
        STOPPED = "stopped", _("stopped by text message")

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
