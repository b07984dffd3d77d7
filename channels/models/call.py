"""Calls that agents of a call centre are asked to make."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels.models.audience import Audience
from contacts.models import Contact


class CallTask(models.Model):
    """One person to call, for one list. At most one open task a person and list."""

    class State(models.TextChoices):
        OPEN = "open", _("to be called")
        DONE = "done", _("done")
        WITHDRAWN = "withdrawn", _("withdrawn")

    slot = models.SmallIntegerField()
    contact = models.ForeignKey(
        Contact, models.CASCADE, db_constraint=False, related_name="calls", verbose_name=_("contact")
    )
    audience = models.ForeignKey(Audience, models.CASCADE, related_name="calls", verbose_name=_("list"))
    account_id = models.IntegerField()
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    due_at = models.DateTimeField(_("call from"))
    created_at = models.DateTimeField(_("asked for"))
    # Who has it in hand, and until when nobody else should take it.
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("agent")
    )
    held_until = models.DateTimeField(null=True)
    tries = models.SmallIntegerField(_("tries"), default=0)
    outcome = models.CharField(_("outcome"), max_length=60, blank=True, default="")
    note = models.TextField(_("note"), blank=True, default="")
    done_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        constraints = [
            models.UniqueConstraint(
                fields=["audience", "contact"], condition=Q(state="open"), name="call_open_once"
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="open"), name="call_due"),
        ]

    def __str__(self) -> str:
        return str(self.contact)
