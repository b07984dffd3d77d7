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
    def visit(self) -> int: ...
    @property
    def since(self) -> datetime: ...
    @property
    def entered_at(self) -> datetime: ...
    @property
    def entry(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Predicted:
    """One prediction of one person: a number, or a value with more in it."""

    number: float | None
    value: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a step asked for: the verdicts of its rules in the order of its ``needs()``, the rest by name."""

    zone: ZoneInfo
    holds: tuple[bool, ...] = ()
    #: Attributes named by ``reads()``, declared before inferred. What is not known is missing.
    known: Mapping[str, Any] = field(default_factory=dict)
    #: Predictions named by ``predicts()``.
    predicted: Mapping[str, Predicted] = field(default_factory=dict)
    #: How often this run already went round from here, for a step that ``counts``.
    times: int = 0
    #: The latest answer for this run at each step named by ``answers()``: {"status", "body", "visit", …}.
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


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
    #: Survey that it asks.
    survey: str = ""
    smart_channel: bool = False
    best_within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Into or out of a retargeting audience."""

    audience: str
    action: Literal["add", "remove"]


@dataclass(frozen=True, slots=True)
class Listing:
    """Onto or off a list that is kept by hand."""

    list: str
    action: Literal["add", "remove"]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an attribute that depends on what it was when it is written."""

    act: Literal["increment", "append", "remove"]
    by: Any


@dataclass(frozen=True, slots=True)
class Advance:
    """Go on to ``next`` at once; None is the end of the path. ``outcome`` is what the step log keeps."""

    next: str | None
    outcome: str = "advanced"
    wanted: tuple[Wanted, ...] = ()
    #: Attribute -> its new value (None clears it), or a ``Change`` of the one it has.
    changes: Mapping[str, Any] = field(default_factory=dict)
    moves: tuple[Move, ...] = ()
    listings: tuple[Listing, ...] = ()
    #: Why, for the step log.
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an endpoint that a step wants made, with what it has to tell."""

    endpoint: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Stay here until ``at``."""

    at: datetime


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Stay here until what the step waits for happens, or until ``timeout_at``."""

    timeout_at: datetime
    #: Asked for once a visit; whoever gets the answer wakes the run.
    call: Call | None = None
    #: Messages to be sent meanwhile; wished for again at the same visit, they are the same messages.
    wanted: tuple[Wanted, ...] = ()


@dataclass(frozen=True, slots=True)
class Exit:
    """Leave the journey here, for ``reason``."""

    reason: str


Outcome = Advance | WaitUntil | WaitFor | Exit
