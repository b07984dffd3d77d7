"""Clashes in words: what will happen, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.formats import number_format
from django.utils.translation import gettext_lazy, ngettext

from channels import explaining
from journeys.outlook import clashes
from journeys.outlook.clashes import Clash

RULES: dict[str, Any] = {
    "one_a_day": gettext_lazy("one message a day"),
    "apart": gettext_lazy("time between two messages"),
    "own": gettext_lazy("so many a week as they asked for themselves"),
    "others": gettext_lazy("its caps and spacing, with as much from others as in the last 14 days"),
    "cap": gettext_lazy("a cap of the charter"),
    "blackout": gettext_lazy("a day without messages"),
    "holiday": gettext_lazy("a public holiday"),
}
TONES = {
    clashes.CLOSED: "is-bad",
    clashes.PAUSED: "is-bad",
    clashes.WARMUP: "is-warn",
    clashes.CAPACITY: "is-warn",
    clashes.PRESSED: "is-warn",
    clashes.TWICE: "is-info",
}


class Told(NamedTuple):
    """``what`` happens, and what to ``do``."""

    kind: str
    tone: str
    what: str
    do: str


def tell(clash: Clash, origins: Sequence[Mapping[str, Any]]) -> Told:
    """One clash in words."""
    values = {
        "number": number_format(clash["number"], 0, force_grouping=True),
        "share": number_format(clash.get("share", 0), 0),
        "names": _names([origins[place]["name"] for place in clash["origins"]]),
        "rule": RULES.get(clash.get("rule", ""), clash.get("rule", "")),
        "channel": explaining.channel_name(clash["channel"]) if "channel" in clash else "",
        "hour": f"{clash.get('hour', 0):02d}:00",
        "allowed": number_format(clash.get("allowed", 0), 0, force_grouping=True),
        "hours": number_format(clash.get("hours", 0), 1),
        "per_second": number_format(clash.get("per_second", 0), 0),
    }
    what, do = _WORDS[clash["kind"]]
    return Told(clash["kind"], TONES[clash["kind"]], str(what) % values, str(do) % values)


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:3])
    more = len(names) - 3
    return shown if more <= 0 else shown + ngettext(" and %d other", " and %d others", more) % more


_WORDS: dict[str, tuple[Any, Any]] = {
    clashes.TWICE: (
        gettext_lazy(
            "%(names)s reach the same %(number)s people on this day (%(share)s %% of the smaller one)."
        ),
        gettext_lazy("Move one of them to another day, or leave out of one of them who gets the other."),
    ),
    clashes.PRESSED: (
        gettext_lazy(
            "%(number)s people (%(share)s %% of those with a message) would be above the charter: %(rule)s."
            " It concerns %(names)s."
        ),
        gettext_lazy(
            "Their messages wait or are not sent. Choose a day with less, send to fewer, or give what matters"
            " most the higher priority."
        ),
    ),
    clashes.CLOSED: (
        gettext_lazy(
            "The charter lets nothing leave (%(rule)s): messages to %(number)s people wait."
            " It concerns %(names)s."
        ),
        gettext_lazy("Choose a day before or after it, or accept that they leave when it is over."),
    ),
    clashes.CAPACITY: (
        gettext_lazy(
            "%(channel)s: %(number)s messages in the hour from %(hour)s, and the provider takes"
            " %(per_second)s a second: they need %(hours)s hours."
        ),
        gettext_lazy(
            "Spread %(names)s by a limit a minute or by each person's clock, or let the provider take more."
        ),
    ),
    clashes.WARMUP: (
        gettext_lazy(
            "%(channel)s: %(number)s messages, and on this day of its warm-up the new sender may send"
            " %(allowed)s."
        ),
        gettext_lazy(
            "Spread %(names)s over more days, or begin with the people who open most: the rest waits."
        ),
    ),
    clashes.PAUSED: (
        gettext_lazy("%(channel)s: the provider is paused, and %(number)s messages would wait."),
        gettext_lazy("Let it go on before that day, or take another account for the channel."),
    ),
}


def kind_name(kind: str) -> str:
    return str(KIND_NAMES.get(kind, kind))


KIND_NAMES: dict[str, Any] = {
    "campaign": gettext_lazy("campaign"),
    "recurring": gettext_lazy("recurring campaign"),
    "journey": gettext_lazy("journey"),
    "other": gettext_lazy("program or person"),
}
