"""A charter is published by two people where the installation wants it so: one asks, another one approves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from channels import charter, charter_rules
from channels.models import CharterRequest, CharterVersion
from contacts import two_people
from contacts.two_people import needed

__all__ = ["NotAllowedError", "approve", "ask", "needed", "pending", "publish", "refuse", "said"]

State = CharterRequest.State


class NotAllowedError(Exception):
    """What was asked for cannot be done as things stand, or not by this person."""


def pending(version: CharterVersion) -> CharterRequest | None:
    """The request that waits for a decision."""
    return version.publish_requests.filter(state=State.OPEN).select_related("asked_by").first()


def ask(version: CharterVersion, by: AbstractBaseUser, now: datetime, note: str = "") -> CharterRequest:
    """Ask that the draft be published; an older request gives way.

    Raises CharterError where its rules cannot be read, NotAllowedError where it is published.
    """
    with transaction.atomic():
        version = _locked(version)
        charter_rules.parse(version.rules)
        _open(version)
        two_people.settle(version.publish_requests.all(), State.WITHDRAWN, by, now)
        return CharterRequest.objects.create(
            version=version, draft=said(version), note=note[:300], asked_by_id=by.pk, asked_at=now
        )


def approve(request: CharterRequest, by: AbstractBaseUser, now: datetime) -> CharterVersion:
    """Publish what was asked for, exactly that. Nobody approves their own request."""
    with transaction.atomic():
        version = _locked(request.version)
        _open(version)
        request = CharterRequest.objects.select_for_update().get(pk=request.pk)
        if objection := two_people.objection(request, by, said(version)):
            raise NotAllowedError(objection)
        published = charter.publish(version, now)
        two_people.settle(version.publish_requests.all(), State.APPROVED, by, now)
    return published


def publish(version: CharterVersion, by: AbstractBaseUser, now: datetime) -> CharterVersion:
    """Publish alone, where one person is enough; what somebody asked for meanwhile is answered by it."""
    if needed():
        raise NotAllowedError(_("Somebody else must approve this: ask for it."))
    with transaction.atomic():
        version = _locked(version)
        _open(version)
        published = charter.publish(version, now)
        two_people.settle(version.publish_requests.all(), State.APPROVED, by, now)
    return published


def refuse(request: CharterRequest, by: AbstractBaseUser, now: datetime) -> None:
    """Say no; whoever asked may also take it back."""
    requests = CharterRequest.objects.filter(version=request.version_id)
    two_people.settle(requests, two_people.no(request, by), by, now)


def _locked(version: CharterVersion) -> CharterVersion:
    return CharterVersion.objects.select_for_update().get(pk=version.pk)


def _open(version: CharterVersion) -> None:
    if version.published_at is not None:
        raise NotAllowedError(_("This version is published already."))


def said(version: CharterVersion) -> dict[str, Any]:
    """What is approved: the rules and from when they hold."""
    return {
        "rules": version.rules,
        "effective_at": version.effective_at.isoformat() if version.effective_at else None,
    }
