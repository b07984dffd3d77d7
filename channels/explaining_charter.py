"""What the charter's rules asked and found, in words for the ledger and the contact's page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from channels.law_packs import packs


def asked(rule: str, verdict: str, inputs: Mapping[str, Any], channel: str) -> str:
    """One question and its answer. ``channel`` is the name of the channel that was asked about."""
    words = _WORDS[rule](inputs, channel)
    return words if verdict != "pass" or rule in ("arbitration", "role") else (channel or words)


def _arbitration(inputs: Mapping[str, Any], channel: str) -> str:
    words = _("number %(place)s of %(of)s, priority %(priority)s") % {
        "place": inputs.get("place", 1),
        "of": inputs.get("of", 1),
        "priority": inputs.get("priority", 0),
    }
    if "own" in inputs:
        words += " " + _("(its own is %s, the charter adds the rest)") % inputs["own"]
    if "after" in inputs:
        words += ", " + _("after message #%s") % inputs["after"]
    if "held_since" in inputs:
        words += ", " + _("first because it waits since %s") % _instant(inputs["held_since"])
    return words


def _role(inputs: Mapping[str, Any], channel: str) -> str:
    carries = ", ".join(inputs.get("carries", ()))
    return _("%(channel)s carries %(carries)s, and this is about “%(purpose)s”") % {
        "channel": channel,
        "carries": carries,
        "purpose": inputs.get("purpose", ""),
    }


def _forbidden(inputs: Mapping[str, Any], channel: str) -> str:
    return _("the charter never sends this: %(channel)s about “%(purpose)s”") % {
        "channel": channel,
        "purpose": inputs.get("purpose", ""),
    }


def _combination(inputs: Mapping[str, Any], channel: str) -> str:
    if not inputs.get("latest"):
        return _("no message that it must not come close to")
    return _("too close to a message that it must not come close to (%s)") % _instant(inputs["latest"])


def _law(inputs: Mapping[str, Any], channel: str) -> str:
    names = [packs()[slug].name if slug in packs() else slug for slug in inputs.get("packs", ())]
    place = ", ".join(filter(None, (str(inputs.get("state", "")), str(inputs.get("zone", "")))))
    return _("the law allows none at this hour: %(packs)s (%(place)s)") % {
        "packs": "; ".join(names),
        "place": place,
    }


def _blackout(inputs: Mapping[str, Any], channel: str) -> str:
    name = str(inputs.get("name", ""))
    return _("these are blackout days (%s)") % name if name else _("these are blackout days")


def _holiday(inputs: Mapping[str, Any], channel: str) -> str:
    return _("it is a public holiday (%s)") % ", ".join(inputs.get("countries", ()))


_WORDS = {
    "arbitration": _arbitration,
    "role": _role,
    "forbidden": _forbidden,
    "combination": _combination,
    "law": _law,
    "blackout": _blackout,
    "holiday": _holiday,
}


def _instant(text: object) -> str:
    at = datetime.fromisoformat(str(text)).astimezone(UTC)
    return formats.date_format(at, "j M, H:i") + " UTC"
