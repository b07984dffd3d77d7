"""The rules that a message passed, in words for the person who got it, without what they need not know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from channels.models import Decision


def rules(decision: Decision) -> list[str]:
    """What was asked before it left and spoke for it, in order, each once."""
    found: list[str] = []
    for line in decision.trace or []:
        if not isinstance(line, list) or len(line) < 2 or line[1] != "pass":
            continue
        inputs = line[2] if len(line) > 2 and isinstance(line[2], Mapping) else {}
        # Of channels that were tried in vain nothing is told: the message came by another one.
        if inputs.get("channel", decision.channel) != decision.channel:
            continue
        say = _SENTENCES.get(str(line[0]))
        sentence = say(inputs) if say else ""
        if sentence and sentence not in found:
            found.append(sentence)
    return found


def _cap(inputs: Mapping[str, Any]) -> str:
    taken, limit = int(inputs.get("taken", 0)), int(inputs.get("limit", 0))
    values = {"taken": taken, "limit": limit}
    match inputs.get("calendar"):
        case "day":
            return _("You had received %(taken)s of at most %(limit)s messages that day.") % values
        case "week":
            return _("You had received %(taken)s of at most %(limit)s messages that week.") % values
        case "month":
            return _("You had received %(taken)s of at most %(limit)s messages that month.") % values
    hours = int(inputs.get("rolling", 0)) // 3_600
    if hours == 24:
        return _("You had received %(taken)s of at most %(limit)s messages within one day.") % values
    if hours % 24 == 0:
        days = {**values, "days": hours // 24}
        return _("You had received %(taken)s of at most %(limit)s messages within %(days)s days.") % days
    if hours == 1:
        return _("You had received %(taken)s of at most %(limit)s messages within one hour.") % values
    several = {**values, "hours": hours}
    return _("You had received %(taken)s of at most %(limit)s messages within %(hours)s hours.") % several


def _channel(inputs: Mapping[str, Any]) -> str:
    if inputs.get("arm") == "best":
        return _("We chose this way of reaching you because you respond to it most often.")
    if inputs.get("arm") == "explore":
        return _("We chose this way of reaching you by chance, to learn which one suits you.")
    return ""


def _hour(inputs: Mapping[str, Any]) -> str:
    if inputs.get("arm") == "best":
        return _("We chose this hour because you often respond around then.")
    if inputs.get("arm") == "explore":
        return _("We chose this hour by chance, to learn which one suits you.")
    return ""


_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "suppression": lambda _inputs: _("Nobody has asked us to stop writing to this address."),
    "redundancy": lambda _inputs: _("We were not telling you the same in another way."),
    "cap": _cap,
    "own_cap": lambda _inputs: _("It is within the limit that you chose yourself."),
    "spacing": lambda _inputs: _("Enough time had passed since our last message."),
    "quiet_hours": lambda _inputs: _("It was not during quiet hours where you live."),
    "own_quiet_hours": lambda _inputs: _("It was not during the quiet hours that you chose."),
    "law": lambda _inputs: _("The law where you live allows it at that hour."),
    "blackout": lambda _inputs: _("It was not one of our days of silence."),
    "holiday": lambda _inputs: _("It was not a public holiday where you live."),
    "smart_channel": _channel,
    "best_hour": _hour,
}
