"""What people are asked: purposes, the words of the question, and what holds before they have answered."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


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

    confirmed_channels = models.JSONField(
        _("confirmed by a second message"),
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        help_text=_(
            "Channels on which a consent only counts once the person has followed a link in a message."
        ),
    )
    lasts_days = models.PositiveIntegerField(
        _("lasts, in days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(36_500)],
        help_text=_("After so many days a consent ends by itself. Empty: it lasts until it is withdrawn."),
    )

    class Meta:
        verbose_name = _("purpose")
        verbose_name_plural = _("purposes")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Wording(models.Model):
    """One version of the words under which people agree. Consents name it by ``reference``.

    Once a line of the ledger names it the database refuses every change: what was agreed to stays readable.
    """

    slug = models.SlugField(_("name"), max_length=40, help_text=_("Such as: preferences, checkout-box."))
    number = models.PositiveIntegerField(_("version"), default=1)
    text = models.TextField(_("words"), help_text=_("Exactly what the person reads."))
    text_fr = models.TextField(_("words in French"), blank=True, default="")
    effective_at = models.DateTimeField(_("in use from"))
    note = models.CharField(_("what changed"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("wording")
        verbose_name_plural = _("wordings")
        ordering = ["slug", "-number"]
        constraints = [models.UniqueConstraint(fields=["slug", "number"], name="wording_version")]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"{self.slug}-{self.number}"


class TrackingRule(models.Model):
    """Whether reading may be measured of people who were never asked, by country and from a day on."""

    country = models.CharField(
        _("country"),
        max_length=2,
        blank=True,
        default="",
        validators=[
            RegexValidator("^([A-Z]{2})?$", _("Two capital letters, or nothing for everywhere else."))
        ],
        help_text=_("Two letters, such as FR. Empty: everywhere else, and people of unknown country."),
    )
    effective_on = models.DateField(_("from"))
    unasked = models.BooleanField(
        _("measured until they refuse"),
        default=False,
        help_text=_("Off: nothing is measured before the person agrees."),
    )
    source = models.CharField(_("source"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("measuring rule")
        verbose_name_plural = _("measuring rules")
        ordering = ["country", "-effective_on"]
        constraints = [models.UniqueConstraint(fields=["country", "effective_on"], name="tracking_rule_day")]

    def __str__(self) -> str:
        return f"{self.country or '*'} {self.effective_on}"


class ConsentAnchor(models.Model):
    """A signed digest over lines of the ledger and the anchor before it: nothing behind it can disappear."""

    number = models.IntegerField(_("number"), primary_key=True)
    made_at = models.DateTimeField(_("made"))
    lines = models.IntegerField(_("lines"))
    root = models.BinaryField(editable=False)
    previous = models.BinaryField(editable=False)
    digest = models.BinaryField(editable=False)
    signature = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("anchor of the ledger")
        verbose_name_plural = _("anchors of the ledger")
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.number}: {self.fingerprint[:16]}"

    @property
    def fingerprint(self) -> str:
        """The digest to keep elsewhere."""
        return bytes(self.digest).hex()


class ConsentCheck(models.Model):
    """One walk through the whole ledger: how far it came, and what it found broken."""

    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    chain = models.BigIntegerField(default=0)
    seq = models.IntegerField(default=0)
    digest = models.BinaryField(default=bytes)
    lines = models.IntegerField(_("lines"), default=0)
    anchors = models.IntegerField(_("anchors"), default=0)
    older = models.IntegerField(_("lines older than the chain"), default=0)
    faults = models.JSONField(_("faults"), default=list)

    class Meta:
        verbose_name = _("check of the ledger")
        verbose_name_plural = _("checks of the ledger")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"
