"""What a step is told and what it answers: plain values. Only the engine acts on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo


class Standing(Protocol):
    """Where one run stands. ``since`` is when it reached this step, ``entry`` what started it."""

    @property
    def contact_id(self) -> int: ...
    @property
    def journey_id(self) -> int: ...
    @property
    def since(self) -> datetime: ...
    @property
    def entered_at(self) -> datetime: ...
    @property
    def entry(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Facts:
    """The verdicts of a step's rules, in the order of its ``needs()``, and the person's zone."""

    zone: ZoneInfo
    holds: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message a step wants. The engine adds whose it is, its key and the journey's own conditions."""

    purpose: str
    channels: tuple[str, ...]
    content: Mapping[str, str]
    priority: int = 50
    value: float = 0.0
    on_hold: str = "wait"
    deadline: timedelta | None = None
    conditions: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Into or out of a retargeting audience."""

    audience: str
    action: Literal["add", "remove"]


@dataclass(frozen=True, slots=True)
class Advance:
    """Go on to ``next`` at once; None is the end of the path. ``outcome`` is what the step log keeps."""

    next: str | None
    outcome: str = "advanced"
    wanted: tuple[Wanted, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Stay here until ``at``."""

    at: datetime


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Stay here until what the step waits for happens, or until ``timeout_at``."""

    timeout_at: datetime


@dataclass(frozen=True, slots=True)
class Exit:
    """Leave the journey here, for ``reason``."""

    reason: str


Outcome = Advance | WaitUntil | WaitFor | Exit
