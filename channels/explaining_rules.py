"""One question of the policy and its answer in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from channels import choosing_words, explaining_charter
from channels.models.provider import Channel

_ORDINALS = (
    *(gettext_lazy("first"), gettext_lazy("second"), gettext_lazy("third"), gettext_lazy("fourth")),
    *(gettext_lazy("fifth"), gettext_lazy("sixth"), gettext_lazy("seventh"), gettext_lazy("eighth")),
)
_PERIODS = {
    "day": gettext_lazy("this day"),
    "week": gettext_lazy("this week"),
    "month": gettext_lazy("this month"),
}


def channel_name(channel: str) -> str:
    """What a channel is called."""
    return str(dict(Channel.choices).get(channel, channel))


def asked(rule: str, verdict: str, inputs: Mapping[str, Any]) -> str:
    """One question and its answer in words."""
    channel = channel_name(str(inputs.get("channel", "")))
    match rule:
        case "cap" | "own_cap":
            return cap(inputs) if verdict != "pass" else _cap_passed(inputs)
        case "smart_channel":
            return choosing_words.channel(inputs, channel_name)
        case "best_hour":
            return choosing_words.hour(inputs)
        case "consent" if inputs.get("service"):
            return _("a service message needs none")
        case "consent":
            said = {True: _("allowed"), False: _("refused"), None: _("never asked")}[inputs.get("said")]
            return f"{channel}, {inputs.get('purpose', '')}: {said}"
        case "reroute":
            others = ", ".join(channel_name(str(one)) for one in inputs.get("others", ()))
            return _("it is decided about anew, for %s") % others
        case "redundancy" if inputs.get("at"):
            other = channel_name(str(inputs.get("when", "")))
            at = instant(inputs.get("at"))
            return _("%(other)s is on its way or scheduled (%(at)s)") % {"other": other, "at": at}
        case "spacing":
            return _spacing(verdict, inputs)
        case "own_quiet_hours" if verdict != "pass":
            return _("this person wants to hear nothing at this hour (%s)") % str(inputs.get("own", ""))
        case "arbitration" | "role" | "forbidden" | "combination" | "law" | "blackout" | "holiday":
            return explaining_charter.asked(rule, verdict, inputs, channel)
        case "quiet_hours" if verdict != "pass":
            detail = ", ".join(filter(None, (channel, str(inputs.get("zone", "")))))
            return _("it is quiet time for this person") + (f" ({detail})" if detail else "")
    return channel or ", ".join(f"{name}: {value}" for name, value in inputs.items())


def _spacing(verdict: str, inputs: Mapping[str, Any]) -> str:
    latest = instant(inputs.get("latest"))
    if verdict == "pass":
        return _("last message: %s") % latest if latest else _("no message lately")
    if inputs.get("rule") == "one_a_day":
        return _("there was a message on the same day already (%s)") % latest
    return _("too soon after the last message (%s)") % latest


def cap(inputs: Mapping[str, Any]) -> str:
    """“third message this week, limit 2”."""
    taken, limit = int(inputs.get("taken", 0)), inputs.get("limit", 0)
    values = {"number": taken + 1, "window": _window(inputs), "limit": limit}
    if taken < len(_ORDINALS):
        values["number"] = str(_ORDINALS[taken])
        words = _("%(number)s message %(window)s, limit %(limit)s") % values
    else:
        words = _("message %(number)s %(window)s, limit %(limit)s") % values
    if "wait" not in inputs:
        return words
    wait = int(inputs["wait"])
    rule = _("the cap lets none wait longer than %s") % _length(wait) if wait else _("the cap lets none wait")
    return f"{words}; {rule}"


def _cap_passed(inputs: Mapping[str, Any]) -> str:
    return _("%(taken)s of %(limit)s %(window)s") % {
        "taken": inputs.get("taken", 0),
        "limit": inputs.get("limit", 0),
        "window": _window(inputs),
    }


def _window(inputs: Mapping[str, Any]) -> str:
    if "calendar" in inputs:
        return str(_PERIODS.get(str(inputs["calendar"]), inputs["calendar"]))
    return _("in %s") % _length(int(inputs.get("rolling", 0)))


def _length(seconds: int) -> str:
    hours, rest = divmod(seconds, 3_600)
    if rest or not hours:
        return ngettext("%d minute", "%d minutes", seconds // 60) % (seconds // 60)
    if hours % 24:
        return ngettext("%d hour", "%d hours", hours) % hours
    return ngettext("%d day", "%d days", hours // 24) % (hours // 24)


def instant(text: Any) -> str:
    """An instant of the trace; empty where there is none."""
    if not isinstance(text, str):
        return ""
    return formats.date_format(datetime.fromisoformat(text).astimezone(UTC), "j M, H:i") + " UTC"
