"""Two pairs of eyes, the same way everywhere: one person asks that a draft be published, another decides."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class RequestToPublish(models.Model):
    """Somebody asks that a draft be published; another one decides. ``draft`` is what was asked for."""

    class State(models.TextChoices):
        OPEN = "open", gettext_lazy("waits for approval")
        APPROVED = "approved", gettext_lazy("approved")
        REFUSED = "refused", gettext_lazy("refused")
        WITHDRAWN = "withdrawn", gettext_lazy("withdrawn")

    state = models.CharField(gettext_lazy("state"), max_length=9, choices=State.choices, default=State.OPEN)
    # The draft as it was when asked: what is approved is what is published.
    draft = models.JSONField(gettext_lazy("draft"))
    note = models.CharField(gettext_lazy("note"), max_length=300, blank=True, default="")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    asked_at = models.DateTimeField(gettext_lazy("asked"))
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(gettext_lazy("decided"), null=True)

    class Meta:
        abstract = True


State = RequestToPublish.State


def needed() -> bool:
    """Whether this installation lets nobody publish alone."""
    return bool(settings.SEGUE_TWO_TO_PUBLISH)


def objection(request: RequestToPublish, by: AbstractBaseUser, draft: Any) -> str:
    """Why ``by`` cannot approve ``request``, whose draft now says ``draft``; empty when they can."""
    if request.asked_by_id == by.pk:
        return _("Somebody else must approve what you asked for.")
    if request.state != State.OPEN:
        return _("This request was decided meanwhile.")
    if draft != request.draft:
        return _("The draft was changed since: it must be asked for again.")
    return ""


def settle(
    requests: QuerySet[Any], state: RequestToPublish.State, by: AbstractBaseUser, now: datetime
) -> None:
    """Decide those of ``requests`` that are open."""
    requests.filter(state=State.OPEN).update(state=state, decided_by_id=by.pk, decided_at=now)


def no(request: RequestToPublish, by: AbstractBaseUser) -> RequestToPublish.State:
    """What a no means: whoever asked takes it back, anybody else refuses."""
    return State.WITHDRAWN if request.asked_by_id == by.pk else State.REFUSED
