"""Reasons of the ledger as short names, for lists of many. One decision is told in ``explaining``."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, str | Promise] = {
    "cap": _("A cap was reached"),
    "own_cap": _("The person's own maximum"),
    "spacing": _("Too close to another message"),
    "quiet_hours": _("Quiet hours"),
    "own_quiet_hours": _("The person's own quiet hours"),
    "pause": _("The person asked for a pause"),
    "redundant": _("Another channel says it already"),
    "best_hour": _("Waits for the person's best hour"),
    "not_asked": _("Never asked for consent"),
    "no_consent": _("Consent refused or withdrawn"),
    "consent_expired": _("Consent has ended"),
    "not_confirmed": _("Consent not confirmed yet"),
    "suppressed": _("On the suppression list"),
    "no_address": _("No address"),
    "no_provider": _("No provider carries the channel"),
    "no_channel": _("No channel is switched on"),
    "paused": _("The provider is paused"),
    "never_allowed": _("The charter leaves no time"),
    "role": _("The channel does not carry the purpose"),
    "forbidden": _("A forbidden combination"),
    "combination": _("Too close to a message it must not meet"),
    "law": _("The law allows no message at that hour"),
    "blackout": _("Blackout days"),
    "holiday": _("A public holiday"),
    "withheld": _("Who asked for it is paused"),
    "deadline": _("Too late"),
    "conditions": _("Its own conditions no longer hold"),
    "no_contact": _("The contact is gone"),
    "goal": _("The goal was reached"),
    "exit": _("The journey ended for the person"),
}


def name(reason: str) -> str:
    """A reason's short name: ``quiet_hours`` is ``Quiet hours``."""
    words = str(REASONS.get(reason, reason.replace("_", " ")))
    return words[:1].upper() + words[1:]
