"""Requests of people about their own data, the marks of those who are gone, and how long things are kept."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class PrivacyRequest(models.Model):
    """One request of one person. ``contact_id`` is 0 once nothing ties it to anybody any more."""

    class Kind(models.TextChoices):
        ACCESS = "access", _("access")
        ERASURE = "erasure", _("erasure")
        OBJECTION = "objection", _("objection to profiling")

    class State(models.TextChoices):
        ASKED = "asked", _("waits for approval")
        WAITING = "waiting", _("approved, may still be called off")
        RUNNING = "running", _("under way")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        CANCELLED = "cancelled", _("called off")

    reference = models.UUIDField(_("reference"), default=uuid.uuid4, unique=True, editable=False)
    slot = models.SmallIntegerField(editable=False)
    contact_id = models.BigIntegerField(_("contact"), db_index=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.ASKED)
    origin = models.CharField(_("came from"), max_length=60)
    language = models.CharField(_("language"), max_length=16, default="en")
    asked_at = models.DateTimeField(_("asked"))
    due_at = models.DateTimeField(_("to be met by"))
    #: An approved request is carried out at this instant; what runs is looked at again then.
    begins_at = models.DateTimeField(_("begins"), null=True, blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    #: Until when late writers' rows are looked for (erasure), or the copy is kept (access).
    until = models.DateTimeField(_("until"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
    #: What to call the person while the request is open.
    names = models.CharField(_("person"), max_length=400, blank=True, default="")
    progress = models.PositiveSmallIntegerField(_("percent"), default=0)
    size = models.BigIntegerField(_("bytes"), default=0)
    certificate = models.JSONField(_("certificate"), null=True, blank=True)

    class Meta:
        verbose_name = _("privacy request")
        verbose_name_plural = _("privacy requests")
        ordering = ["-asked_at", "-id"]
        permissions = [("approve_privacyrequest", "Can approve or refuse privacy requests")]
        indexes = [
            models.Index(
                fields=["state", "begins_at"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="privacy_request_work",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["contact_id", "kind"],
                condition=models.Q(state__in=["asked", "waiting", "running"]) & ~models.Q(contact_id=0),
                name="privacy_request_one_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {str(self.reference)[:8]}"


class PrivacyEntry(models.Model):
    """One line of a request's history."""

    request = models.ForeignKey(PrivacyRequest, models.CASCADE, related_name="entries")
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=150)
    what = models.CharField(_("what"), max_length=40)
    detail = models.CharField(_("detail"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("history of a privacy request")
        verbose_name_plural = _("histories of privacy requests")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.what


class PrivacyFile(models.Model):
    """A piece of the copy that a person asked for; all pieces in order are the file."""

    request = models.ForeignKey(PrivacyRequest, models.CASCADE, related_name="pieces")
    number = models.IntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = _("copy of personal data")
        verbose_name_plural = _("copies of personal data")
        constraints = [models.UniqueConstraint(fields=["request", "number"], name="privacy_file_piece")]

    def __str__(self) -> str:
        return f"{self.request_id}/{self.number}"


class Tombstone(models.Model):
    """A keyed digest of something by which an erased person was known, so that nothing brings them back."""

    key = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(_("kind"), max_length=16)
    erased_at = models.DateTimeField(_("erased"))
    #: The person came back of their own will then; what is older stays out.
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)

    class Meta:
        verbose_name = _("tombstone")
        verbose_name_plural = _("tombstones")

    def __str__(self) -> str:
        return f"{self.kind} {str(self.key)[:8]}"


class RetentionPeriod(models.Model):
    """How many days one type of data is kept; no days: until somebody erases it."""

    data = models.CharField(_("data"), max_length=40, primary_key=True)
    days = models.PositiveIntegerField(_("days"), null=True, blank=True)
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("retention period")
        verbose_name_plural = _("retention periods")

    def __str__(self) -> str:
        return f"{self.data}: {self.days}"


class PrivacyPolicy(models.Model):
    """The one row of settings about erasure and copies."""

    class Returning(models.TextChoices):
        NEVER = "never", _("never, whatever they send")
        CONSENT = "consent", _("when they identify themselves and agree to something anew")
        IDENTIFY = "identify", _("when they identify themselves again")

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    wait_hours = models.PositiveSmallIntegerField(
        _("waiting time of an erasure, hours"),
        default=24,
        help_text=_("After approval and before anything is erased; until then it can be called off."),
    )
    copy_days = models.PositiveSmallIntegerField(
        _("days in which a copy can be fetched"), default=7, help_text=_("Then it is deleted.")
    )
    returning = models.CharField(
        _("erased people may come back"),
        max_length=10,
        choices=Returning.choices,
        default=Returning.CONSENT,
        help_text=_("As a new contact: nothing of the old one returns in any case."),
    )
    organisation = models.CharField(
        _("organisation"),
        max_length=200,
        blank=True,
        default="",
        help_text=_("Controller, for the register."),
    )
    address = models.CharField(_("its address"), max_length=300, blank=True, default="")
    officer = models.CharField(_("data protection officer"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("privacy policy")
        verbose_name_plural = _("privacy policy")

    def __str__(self) -> str:
        return str(_("privacy policy"))
