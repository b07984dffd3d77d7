"""Messages that are expected, and whose they are. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any, NamedTuple

JOURNEY, CAMPAIGN, RECURRING, OTHER = "journey", "campaign", "recurring", "other"
KINDS = (CAMPAIGN, RECURRING, JOURNEY, OTHER)
#: Reasons of the policy that close whole days.
CLOSED_DAYS = frozenset({"blackout", "holiday"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Who wants messages: a journey, a campaign, or (``number`` None) a program."""

    kind: str
    name: str
    number: int | None = None
    slug: str = ""

    def told(self) -> dict[str, Any]:
        return {"kind": self.kind, "name": self.name, "number": self.number, "slug": self.slug}


class Expected(NamedTuple):
    """One message to one person. ``origin`` is a place among origins, ``pressed`` as the replay saw it."""

    contact_id: int
    at: datetime
    channel: str
    purpose: str
    transactional: bool
    origin: int
    leaves: bool = True
    pressed: bool = False
    #: On whose clock its day and hour are. ``at`` itself stays in UTC: rules of pressure count with it.
    zone: tzinfo = UTC

    @property
    def day(self) -> date:
        return self.at.astimezone(self.zone).date()

    @property
    def hour(self) -> int:
        return self.at.astimezone(self.zone).hour


@dataclass(slots=True)
class Gathered:
    """What is expected of some lots of people. ``unplayed`` are names for which the time was not enough.

    ``zone`` is the one on whose clock days are counted.
    """

    origins: list[Origin] = field(default_factory=list)
    messages: list[Expected] = field(default_factory=list)
    unplayed: list[str] = field(default_factory=list)
    zone: tzinfo = UTC


class Stopped(NamedTuple):
    """A message that a rule would hold: why, and what the charter calls the rule where it has a name."""

    message: Expected
    reason: str
    rule: str


class Mark(NamedTuple):
    """One occurrence on its local day. ``size`` is its audience where it has begun."""

    day: date
    at: time | None
    kind: str
    number: int
    name: str
    state: str
    channels: tuple[str, ...]
    purposes: tuple[str, ...]
    #: Slugs of segments it goes to; none is everybody, or those of a rule.
    segments: tuple[str, ...] = ()
    size: int | None = None
