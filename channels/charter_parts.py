"""What a charter is made of: its rules as values. They are read in ``charter_rules``. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from channels.law_packs import LawWindow, packs
from channels.policy_time import QuietHours
from channels.smart import Smart

CHANNELS = ("email", "sms", "push", "inapp")
#: Channels that wait until the person comes. Rules count and hold them only where they name them.
AWAITED = frozenset({"inapp"})
#: Channels by which we come to somebody.
REACHING = tuple(channel for channel in CHANNELS if channel not in AWAITED)
PERSON = "person"
#: All channels, all purposes, or everybody.
ALL: frozenset[str] = frozenset()
#: How long a held message gives way to better ones before it goes first.
PATIENCE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class About:
    """Which messages a rule is about. Nothing named means all, save those that wait for the person."""

    channels: frozenset[str] = ALL
    purposes: frozenset[str] = ALL
    tags: frozenset[str] = ALL

    def concerns(self, channel: str, purpose: str, tags: AbstractSet[str] = ALL) -> bool:
        named = channel in self.channels if self.channels else channel not in AWAITED
        return (
            named
            and (not self.purposes or purpose in self.purposes)
            and (not self.tags or not self.tags.isdisjoint(tags))
        )


@dataclass(frozen=True, slots=True)
class Cap(About):
    """At most ``limit`` messages to a person in ``rolling`` time, or in a calendar period of a zone.

    ``bands`` are the engagement bands of the people it is for: all when empty. A message that would have to
    wait longer than ``wait`` for its place is refused; None leaves that to the message.
    """

    name: str = ""
    limit: int = 1
    rolling: timedelta | None = None
    calendar: str = ""
    zone: str = PERSON
    bands: frozenset[str] = ALL
    count_transactional: bool = False
    wait: timedelta | None = None

    @property
    def reach(self) -> timedelta:
        """How far back the messages lie that this cap counts."""
        longest = {"day": 2, "week": 8, "month": 32}
        return self.rolling or timedelta(days=longest[self.calendar])


@dataclass(frozen=True, slots=True)
class Redundancy:
    """Leave out ``drop`` where ``when`` is scheduled within ``ahead`` or went out within ``behind``."""

    drop: str
    when: str
    ahead: timedelta
    behind: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Combination:
    """Messages ``one`` never go out; with ``other``, never within ``apart`` of such a message."""

    one: About
    other: About | None = None
    apart: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Closed(About):
    """Days on which nothing that it is about leaves: from ``first`` to ``last``, or public holidays.

    ``countries`` are where those live whom it is for; for holidays, empty means each person's own country.
    """

    name: str = ""
    first: date | None = None
    last: date | None = None
    every_year: bool = False
    countries: frozenset[str] = ALL

    @property
    def holidays(self) -> bool:
        return self.first is None


@dataclass(frozen=True, slots=True)
class Raised:
    """Adds ``add`` to the priority of messages with one of ``purposes`` to people in one of ``segments``."""

    add: int
    purposes: frozenset[str] = ALL
    segments: frozenset[str] = ALL

    def concerns(self, purpose: str, segments: AbstractSet[str]) -> bool:
        return (not self.purposes or purpose in self.purposes) and (
            not self.segments or not self.segments.isdisjoint(segments)
        )


@dataclass(frozen=True, slots=True)
class Bands:
    """How attentive people are: from a prediction or attribute of this name, ``unknown`` without one."""

    source: str = "engagement_band"
    names: tuple[str, ...] = ("low", "medium", "high")
    unknown: str = "medium"

    def of(self, *found: object) -> str:
        """The first of what was found that is a band."""
        words = (word.strip().lower() for word in found if isinstance(word, str))
        return next((word for word in words if word in self.names), self.unknown)


@dataclass(frozen=True, slots=True)
class Tone:
    """How templates may sound. ``capitals`` is the largest share of capital letters, in percent."""

    forbidden: tuple[str, ...] = ()
    capitals: int | None = None
    exclamations: int | None = None
    required: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Charter:
    """The rules of marketing pressure. Service messages are exempt from all of them.

    ``laws`` are law packs with their variant. ``roles`` maps a channel to the purposes that it may carry; one
    that is not in it carries all.
    """

    caps: tuple[Cap, ...] = ()
    bands: Bands = field(default_factory=Bands)
    one_a_day: bool = False
    apart: timedelta = timedelta()
    quiet_hours: tuple[QuietHours, ...] = ()
    laws: tuple[tuple[str, str], ...] = ()
    closed: tuple[Closed, ...] = ()
    redundancy: tuple[Redundancy, ...] = ()
    combinations: tuple[Combination, ...] = ()
    raised: tuple[Raised, ...] = ()
    order: tuple[str, ...] = CHANNELS
    order_by: str = "message"
    fallback: str = "refused"
    roles: tuple[tuple[str, frozenset[str]], ...] = ()
    tone: Tone = field(default_factory=Tone)
    smart: Smart = field(default_factory=Smart)
    unasked: str = "refuse"
    unknown_zone: str = "every"
    default_zone: str = "UTC"
    jitter: timedelta = timedelta()
    patience: timedelta = PATIENCE
    number: int | None = field(default=None, compare=False)

    @property
    def reach(self) -> timedelta:
        """How far back the policy must know what a person received."""
        spans = [cap.reach for cap in self.caps] + [rule.behind for rule in self.redundancy]
        spans += [rule.apart for rule in self.combinations]
        return max([*spans, self.apart, timedelta(days=2 if self.one_a_day else 0)])

    @cached_property
    def clock_alone(self) -> Charter:
        """What is asked again as a message leaves: hours and days. It has its place already."""
        return replace(
            self, caps=(), one_a_day=False, apart=timedelta(), combinations=(), redundancy=(), roles=()
        )

    @cached_property
    def quiet_by_channel(self) -> dict[str, tuple[QuietHours, ...]]:
        return {
            channel: tuple(hours for hours in self.quiet_hours if channel in hours.channels)
            for channel in CHANNELS
        }

    @cached_property
    def laws_by_channel(self) -> dict[str, tuple[LawWindow, ...]]:
        windows = [one for slug, variant in self.laws for one in packs()[slug].variants[variant]]
        return {
            channel: tuple(window for window in windows if channel in window.channels) for channel in CHANNELS
        }

    @cached_property
    def lawful(self) -> tuple[tuple[str, str, str], ...]:
        """Channel and part that templates must have by a law that the charter chose, with its name."""
        chosen = (packs()[slug] for slug, _variant in self.laws)
        return tuple((channel, part, pack.name) for pack in chosen for channel, part in pack.required)

    @cached_property
    def carried(self) -> dict[str, frozenset[str]]:
        """The roles by channel; of a channel named twice, both."""
        found: dict[str, frozenset[str]] = {}
        for channel, purposes in self.roles:
            found[channel] = found.get(channel, ALL) | purposes
        return found

    @cached_property
    def memory(self) -> dict[Any, Any]:
        """Answers that stay the same as long as this charter is used."""
        return {}

    @cached_property
    def segments(self) -> frozenset[str]:
        """The segments that the priorities ask for."""
        return frozenset().union(*(rule.segments for rule in self.raised))
