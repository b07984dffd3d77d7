"""Legal sending hours as dated data: one file a pack, each with its source. Pure.

A pack says in which hours of the wall clock of the person's place a channel may be used, since when and by
which source; a state's hours hold beside those of its country, so that the strictest wins. Nothing here is
legal advice: each file says what was read where and when.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from importlib import resources
from typing import Any

from channels.policy_time import DAYS, QuietHours

_EVERY_DAY = frozenset(range(7))
_MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class LawWindow:
    """Hours in which a law lets nothing leave, and days on which it lets nothing leave at all.

    It is for people of ``country``, and of ``states`` only when some are named; it holds on local days from
    ``since`` on and before ``until``.
    """

    pack: str
    country: str
    channels: frozenset[str]
    variant: str = ""
    states: frozenset[str] = frozenset()
    quiet: tuple[QuietHours, ...] = ()
    holidays: bool = False
    since: date | None = None
    until: date | None = None

    def holds(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Pack:
    """One file: its windows by variant, and what every template of a channel must have under this law."""

    slug: str
    name: str
    country: str
    says: str
    read_on: date
    sources: tuple[str, ...]
    variants: Mapping[str, tuple[LawWindow, ...]]
    required: tuple[tuple[str, str], ...] = ()

    @property
    def variant(self) -> str:
        """The variant that holds when none is chosen: the strictest, which each file puts first."""
        return next(iter(self.variants))


@cache
def packs() -> Mapping[str, Pack]:
    """All packs by slug."""
    files = (file for file in resources.files(__name__).iterdir() if file.name.endswith(".toml"))
    found = (_read(file.name.removesuffix(".toml"), file.read_text(encoding="utf-8")) for file in files)
    return {pack.slug: pack for pack in sorted(found, key=lambda one: one.slug)}


def _read(slug: str, text: str) -> Pack:
    data = tomllib.loads(text)
    variants = {
        name: tuple(_window(slug, name, data["country"], each) for each in (*data.get("window", ()), *own))
        for name, own in (data.get("variants") or {"": ()}).items()
    }
    return Pack(
        slug=slug,
        name=data["name"],
        country=data["country"],
        says=" ".join(data["says"].split()),
        read_on=data["read_on"],
        sources=tuple(data["sources"]),
        variants=variants,
        required=tuple((one["channel"], one["part"]) for one in data.get("required", ())),
    )


def _window(slug: str, variant: str, country: str, data: Mapping[str, Any]) -> LawWindow:
    channels = frozenset(data["channels"])
    return LawWindow(
        pack=slug,
        country=country,
        channels=channels,
        variant=variant,
        states=frozenset(data.get("states", ())),
        quiet=tuple(_outside(data.get("allowed", {}), channels)),
        holidays=data.get("holidays") == "closed",
        since=data.get("since"),
        until=data.get("until"),
    )


def _outside(allowed: Mapping[str, str], channels: frozenset[str]) -> Iterator[QuietHours]:
    """The quiet hours that allowed ones leave: ``{"every day": "08:00-21:00", "sunday": "closed"}``.

    A day that is named goes before “every day”.
    """
    named = {DAYS.index(day): hours for day, hours in allowed.items() if day in DAYS}
    by_hours: dict[str, set[int]] = {}
    for day in sorted(_EVERY_DAY):
        hours = named.get(day, allowed.get("every day", ""))
        if hours:
            by_hours.setdefault(hours, set()).add(day)
    for hours, days in by_hours.items():
        if hours == "closed":
            yield QuietHours(channels, _MIDNIGHT, _MIDNIGHT, frozenset(days))
            continue
        begins, ends = (time.fromisoformat(clock) for clock in hours.split("-"))
        yield QuietHours(channels, _MIDNIGHT, begins, frozenset(days))
        yield QuietHours(channels, ends, _MIDNIGHT, frozenset(days))
