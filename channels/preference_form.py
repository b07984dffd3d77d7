"""What somebody sent from the preference centre, and the writing of it: only what the page had offered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time

from django.http import QueryDict

from channels import outbox, unsubscribing
from contacts import preferences, wishes
from contacts.models import Contact
from contacts.preferences import Grant
from contacts.public_pages import LANGUAGES


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of it: everything ended, or so many answers were kept and so many wait for a confirmation."""

    left: bool = False
    asked: int = 0


def save(sent: QueryDict, contact: Contact, grant: Grant, now: datetime, proof: Mapping[str, str]) -> Saved:
    """Write what the form says. Fields that are not in it change nothing."""
    if "leave" in sent:
        unsubscribing.leave(contact, grant, now, proof)
        return Saved(left=True)
    changed = preferences.choose(contact, sent.getlist("wanted"), grant, now, proof)
    if "measuring" in sent:
        _measure(sent, contact, now, proof)
    _pause(sent, contact, now)
    if "weekly" in sent:
        weekly = wishes.weekly_from(str(sent.get("weekly", "")))
        wishes.limit(contact, weekly if weekly in wishes.WEEKLY_LIMITS else None, _quiet(sent), now)
    language = str(sent.get("language", ""))
    if language in LANGUAGES:
        preferences.speak(contact, language, now)
    # What waits is judged by what the person says now, not only when its time has come.
    outbox.reconsider(contact.pk, now)
    return Saved(asked=changed["asked"])


def _measure(sent: QueryDict, contact: Contact, now: datetime, proof: Mapping[str, str]) -> None:
    """The box of measuring. Left empty by somebody who was never asked, it is no answer."""
    wanted = "measured" in sent
    if wanted or preferences.measured(contact, now) is not None:
        preferences.measure(contact, wanted, now, proof)


def _pause(sent: QueryDict, contact: Contact, now: datetime) -> None:
    days = str(sent.get("pause", ""))
    if days == "0" or days in map(str, wishes.PAUSES):
        wishes.pause(contact, int(days), now)


def _quiet(sent: QueryDict) -> tuple[time, time] | None:
    """Both times, or none: half of a window means nothing."""
    return wishes.quiet_from(f"{sent.get('quiet_from', '')}-{sent.get('quiet_to', '')}")
