"""People as a replay moves them: what is to come in their log, their runs and their messages. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from channels.policy_facts import COMPETING
from journeys.walking import Walk

#: Reasons of the policy that speak of pressure.
PRESSURE = frozenset({"cap", "own_cap", "spacing"})


class Arrival(NamedTuple):
    """Something in the log that may start a run: when it was known, when it happened, and with what."""

    known_at: datetime
    occurred_at: datetime
    contact_id: int
    entry_json: str
    key: str


class Earlier(NamedTuple):
    """A run of the same journey that began before the time that is played; it goes on as it really did."""

    key: str
    entered_at: datetime
    ended_at: datetime | None

    def inside(self, at: datetime) -> bool:
        return self.ended_at is None or self.ended_at > at


class Heard(NamedTuple):
    """An event that may wake a run."""

    at: datetime
    name: str


class Said(NamedTuple):
    """What the policy said about a message at an instant."""

    at: datetime
    action: str
    reason: str
    channel: str
    until: datetime | None


@dataclass(slots=True)
class Letter:
    """A message that a replayed run wants. ``due_at`` is None once its fate is known."""

    id: int
    contact_id: int
    slot: int
    run_id: int
    step: str
    created_at: datetime
    entered_at: datetime
    due_at: datetime | None
    purpose: str
    wanted: tuple[str, ...]
    transactional: bool
    priority: int
    value: float
    on_hold: str
    deadline_at: datetime | None
    conditions: Mapping[str, Any] | None
    smart_channel: bool = False
    best_by: datetime | None = None
    channel: str = ""
    tags: Mapping[str, frozenset[str]] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)

    @property
    def held_since(self) -> datetime | None:
        return next((one.at for one in self.said if one.action == "hold"), None)

    @property
    def competes(self) -> bool:
        """Whether it is held for a place, and takes one that becomes free before its time."""
        return self.fate == "hold" and self.said[-1].reason in COMPETING

    @property
    def fate(self) -> str:
        """``send``, ``drop``, ``cancel`` or ``expire``; ``hold`` while it waits, empty until it was asked."""
        return self.said[-1].action if self.said else ""

    @property
    def sent_at(self) -> datetime | None:
        return self.said[-1].at if self.fate == "send" else None


class Stepped(NamedTuple):
    """A step that a replayed run took."""

    at: datetime
    step: str
    visit: int
    outcome: str


@dataclass(slots=True)
class Trail:
    """One replayed run: where it stands, when it is due, and the way it took."""

    walk: Walk
    key: str
    due_at: datetime | None
    watching: frozenset[str] = frozenset()
    ended_at: datetime | None = None
    path: list[Stepped] = field(default_factory=list)
    #: Visits of which the message was wished for before the replay began.
    asked: frozenset[int] = frozenset()
    #: What endpoints are taken to have answered, by step.
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        return self.due_at is not None


@dataclass(slots=True)
class Life:
    """One person of a replay. ``arrivals`` and ``heard`` are in the order of time."""

    contact_id: int
    slot: int
    arrivals: Sequence[Arrival]
    heard: Sequence[Heard] = ()
    earlier: Sequence[Earlier] = ()
    trails: list[Trail] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    #: How many arrivals and heard events are past.
    arrived: int = 0
    listened: int = 0

    def next_at(self) -> datetime | None:
        """The next instant at which something may happen to this person."""
        live = [trail for trail in self.trails if trail.due_at is not None]
        times = [trail.due_at for trail in live if trail.due_at is not None]
        times += [letter.due_at for letter in self.letters if letter.due_at is not None]
        if self.arrived < len(self.arrivals):
            times.append(self.arrivals[self.arrived].known_at)
        first = min(times, default=None)
        while first is not None and self.listened < len(self.heard):
            event = self.heard[self.listened]
            if event.at > first:
                break
            if any(event.name in trail.watching for trail in live):
                return event.at
            self.listened += 1
        return first

    def waken(self, now: datetime) -> None:
        """Make runs due that watch for what happened by ``now``."""
        while self.listened < len(self.heard) and self.heard[self.listened].at <= now:
            name = self.heard[self.listened].name
            for trail in self.trails:
                if trail.live and name in trail.watching:
                    trail.due_at = now
            self.listened += 1
