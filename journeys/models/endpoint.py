"""Endpoints: servers of our own that journeys call, and each call."""

from __future__ import annotations

from django.core.validators import URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact


class Endpoint(models.Model):
    """A server that a webhook step may call. Steps name it by slug, so that its address can change."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    url = models.CharField(
        _("address"),
        max_length=500,
        validators=[URLValidator(["https", "http"])],
        help_text=_("Receives POST requests with JSON."),
    )
    # Fernet-encrypted JSON; shown once, when it is made.
    secrets = models.TextField(blank=True, default="", editable=False)
    active = models.BooleanField(
        _("active"), default=True, help_text=_("Calls wait while it is not, until their time is over.")
    )

    class Meta:
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class EndpointCall(models.Model):
    """One call of one run at one step, tried until it is answered or its time is over."""

    class State(models.IntegerChoices):
        WAITING = 1, _("waiting")
        ANSWERED = 2, _("answered")
        FAILED = 3, _("failed")
        CALLED_OFF = 4, _("called off")

    slot = models.SmallIntegerField()
    contact = models.ForeignKey(Contact, models.CASCADE, db_constraint=False, related_name="+")
    journey_id = models.IntegerField()
    run_id = models.BigIntegerField()
    step = models.CharField(_("step"), max_length=60)
    visit = models.IntegerField()
    endpoint = models.CharField(_("endpoint"), max_length=60)
    #: The same for every try, so that the other side can tell a repetition.
    key = models.UUIDField()
    body = models.JSONField(_("sent"), default=dict)
    state = models.SmallIntegerField(_("state"), choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField(_("next try"), null=True)
    give_up_at = models.DateTimeField()
    attempts = models.SmallIntegerField(_("tries"), default=0)
    status = models.SmallIntegerField(_("status"), null=True)
    answer = models.JSONField(_("answer"), null=True)
    error = models.CharField(_("error"), max_length=300, blank=True, default="")
    created_at = models.DateTimeField(_("asked"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("call of an endpoint")
        verbose_name_plural = _("calls of endpoints")
        constraints = [models.UniqueConstraint(fields=["run_id", "visit"], name="endpoint_call_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state=1), name="endpoint_call_due"),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.get_state_display()}"
