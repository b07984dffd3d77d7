"""What the pages of campaigns say: acts, states, reasons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from channels import explaining
from channels.models import Decision
from journeys.admin.acting import Words
from journeys.campaigns.counting import Progress
from journeys.campaigns.estimating import Estimate
from journeys.models import Campaign, CampaignOccurrence

TONES = {
    "draft": "info", "scheduled": "info", "sending": "success", "paused": "warning", "done": "",
    "cancelled": "danger", "archived": "",
}  # fmt: skip
PILLS = {
    "draft": "", "scheduled": "is-info", "sending": "is-good", "paused": "is-warn", "done": "is-good",
    "cancelled": "is-bad", "archived": "", "freezing": "is-info", "skipped": "is-warn",
}  # fmt: skip

ACTS: dict[str, Words] = {
    "pause": Words(
        gettext_lazy("Pause"),
        "pause",
        "",
        gettext_lazy(
            "Nobody more is written to until you resume. Messages that wait to be sent are kept back; the few"
            " that are being handed over at this moment still leave."
        ),
        gettext_lazy("Paused."),
        "Paused",
    ),
    "resume": Words(
        gettext_lazy("Resume"),
        "play_arrow",
        "is-primary",
        gettext_lazy(
            "It goes on with those who had nothing yet, at its pace. Nobody gets it twice. Messages that were"
            " kept back are decided anew: consent, caps and quiet hours hold as they are now."
        ),
        gettext_lazy("Resumed."),
        "Resumed",
    ),
    "cancel": Words(
        gettext_lazy("Cancel"),
        "cancel",
        "is-danger",
        gettext_lazy(
            "Nobody more is written to, and messages that wait to be sent are called off. Who had it"
            " keeps it. This cannot be undone; you can make a copy and send that."
        ),
        gettext_lazy("Cancelled. What was waiting is being called off."),
        "Cancelled",
    ),
    "recall": Words(
        gettext_lazy("Back to a draft"),
        "undo",
        "",
        gettext_lazy("It is not sent at its time. You can change it and schedule it again."),
        gettext_lazy("It is a draft again."),
        "Took back to a draft",
    ),
    "archive": Words(
        gettext_lazy("Archive"),
        "archive",
        "",
        gettext_lazy("It leaves the list. What it did stays in timelines and reports."),
        gettext_lazy("Archived."),
        "Archived",
    ),
}
_HALTED = {
    "unattended": gettext_lazy(
        "It paused by itself: for a while nobody looked after it (the system was down, or a backup was put"
        " back). Look whether it should still go out, then resume or cancel it."
    ),
}
_ENDED = {
    "too_late": gettext_lazy("Skipped: nobody could look after it in time, so it would have come too late."),
    "nobody": gettext_lazy("Nobody was in the audience."),
}
_KINDS = {
    "held": gettext_lazy("Held, because"),
    "dropped": gettext_lazy("Not sent, because"),
    "expired": gettext_lazy("Too late, because"),
    "cancelled": gettext_lazy("Called off, because"),
    "failed": gettext_lazy("Failed, because"),
    "uncertain": gettext_lazy("Unclear, because"),
}
_OUTCOMES = {
    "send": gettext_lazy("leaves at once"),
    "hold": gettext_lazy("held today"),
    "drop": gettext_lazy("not sent"),
    "cancel": gettext_lazy("not sent"),
    "expire": gettext_lazy("not sent"),
}
_FORESEEN = {
    "send": Decision.Outcome.SEND, "hold": Decision.Outcome.HOLD, "drop": Decision.Outcome.DROP,
    "cancel": Decision.Outcome.CANCEL, "expire": Decision.Outcome.DROP,
}  # fmt: skip
_PLAINLY = {
    "allowed": gettext_lazy("nothing stands against it"),
    "cap": gettext_lazy("they have had as many messages as they may"),
    "own_cap": gettext_lazy("they want no more messages"),
    "spacing": gettext_lazy("they had another message shortly before"),
    "quiet_hours": gettext_lazy("it is quiet time for them"),
    "own_quiet_hours": gettext_lazy("they want to hear nothing at this hour"),
    "redundant": gettext_lazy("another channel tells them already"),
    "no_consent": gettext_lazy("they refused it"),
    "not_asked": gettext_lazy("they never agreed to it"),
    "consent_expired": gettext_lazy("their consent has ended"),
    "not_confirmed": gettext_lazy("they have not confirmed it yet"),
    "no_address": gettext_lazy("no address is known"),
    "no_provider": gettext_lazy("no provider carries the channel"),
    "suppressed": gettext_lazy("the address is on the suppression list"),
    "paused": gettext_lazy("the provider is paused"),
    "pause": gettext_lazy("they asked for a pause"),
    "conditions": gettext_lazy("they reached the goal, or are in an excluded segment"),
    "deadline": gettext_lazy("it could not leave in time"),
    "withheld": gettext_lazy("the campaign is paused"),
    "never_allowed": gettext_lazy("the charter leaves no time for it"),
}


def halted(campaign: Campaign) -> str:
    return str(_HALTED.get(campaign.halted, ""))


def ended(occurrence: CampaignOccurrence) -> str:
    return str(_ENDED.get(occurrence.reason, ""))


def reason(action: str, code: str) -> str:
    """Why, for many people at once."""
    if code in _PLAINLY:
        return str(_PLAINLY[code])
    told = SimpleNamespace(
        outcome=_FORESEEN.get(action, Decision.Outcome.DROP), reason=code, channel="", until=None, trace=[]
    )
    return explaining.why(told)


def reasons(progress: Progress) -> list[tuple[Any, list[tuple[str, int]]]]:
    """Heading, and (words, messages), the largest first."""
    return [
        (_KINDS[kind], _sorted({reason(_action(kind), code): count for code, count in found.items()}))
        for kind, found in progress.reasons.items()
        if found and kind in _KINDS
    ]


def outcomes(estimate: Estimate) -> list[tuple[Any, str, int]]:
    """(what, why, people) of an estimate."""
    return [(_OUTCOMES[action], reason(action, code), count) for action, code, count in estimate.outcomes]


def channels(found: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(capfirst(explaining.channel_name(channel)), count) for channel, count in found.items()]


def span(length: timedelta | None) -> str:
    """A length of time as people say it: “about 3 hours”."""
    if length is None:
        return ""
    minutes = round(length.total_seconds() / 60)
    if minutes < 1:
        return _("less than a minute")
    if minutes < 90:
        return ngettext("about %d minute", "about %d minutes", minutes) % minutes
    hours = round(minutes / 60)
    if hours < 48:
        return ngettext("about %d hour", "about %d hours", hours) % hours
    days = round(hours / 24)
    return ngettext("about %d day", "about %d days", days) % days


def _action(kind: str) -> str:
    return {"held": "hold", "cancelled": "cancel"}.get(kind, "drop")


def _sorted(found: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(found.items(), key=lambda item: -item[1])
