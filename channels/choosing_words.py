"""Choices of channel and hour in words, from the lines that the policy left in the trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from channels.smart import CONTROL, EXPLORE, UNKNOWN

_DAYS = (
    *(gettext_lazy("Monday"), gettext_lazy("Tuesday"), gettext_lazy("Wednesday"), gettext_lazy("Thursday")),
    *(gettext_lazy("Friday"), gettext_lazy("Saturday"), gettext_lazy("Sunday")),
)


def channel(inputs: Mapping[str, Any], name: Callable[[str], str]) -> str:
    """Why a channel came first. ``name`` says what a channel is called."""
    first = name(str(inputs.get("first", "")))
    match inputs.get("arm"):
        case "unknown":
            return _("%(channel)s first, as always: too little is known of this person") % {"channel": first}
        case "control":
            return _("%(channel)s first, as always: this person is left as they are, to compare") % {
                "channel": first
            }
    known = inputs.get("scores") or {}
    said = ", ".join(
        _("%(channel)s %(answered)s of %(sent)s") % {"channel": name(one), "answered": own[2], "sent": own[1]}
        for one, own in known.items()
    )
    if inputs.get("arm") == EXPLORE:
        return _("%(channel)s first by chance, to go on learning (answered: %(said)s)") % {
            "channel": first,
            "said": said,
        }
    return _("%(channel)s first: answered %(said)s") % {"channel": first, "said": said}


def hour(inputs: Mapping[str, Any]) -> str:
    """Why an hour was chosen: “clicked 7 of 9 times 18–20 h”."""
    if inputs.get("arm") == UNKNOWN:
        if inputs.get("missing") == "zone":
            return _("at once: their time zone is not known")
        return _("at once: nothing is known of their hours")
    if inputs.get("arm") == CONTROL:
        return _("at once: this person is left as they are, to compare")
    day = inputs.get("day")
    when = _("%(day)s, %(hour)s h") % {
        "day": _DAYS[day] if isinstance(day, int) and 0 <= day < 7 else "",
        "hour": inputs.get("hour", ""),
    }
    if inputs.get("arm") == EXPLORE:
        return _("%(when)s by chance, to go on learning") % {"when": when}
    said = _clicked(inputs)
    return f"{when}: {said}" if said else _("%(when)s: when people like them answer") % {"when": when}


def _clicked(inputs: Mapping[str, Any]) -> str:
    if not inputs.get("answers"):
        return ""
    return ngettext(
        "clicked or came by %(answers)s of %(of)s time, %(from)s–%(to)s h",
        "clicked or came by %(answers)s of %(of)s times, %(from)s–%(to)s h",
        int(inputs.get("of", 0)),
    ) % {name: inputs.get(name, "") for name in ("answers", "of", "from", "to")}
