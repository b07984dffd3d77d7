"""What the policy rests on and what it answers: values only. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any

from channels.charter_parts import Charter
from channels.policy_places import Place
from channels.smart import Learned
from contacts import permission

SEND, HOLD, DROP, CANCEL, EXPIRE = "send", "hold", "drop", "cancel", "expire"
PASS, REFUSE, WAIT = "pass", "refuse", "wait"

#: Where somebody is of whom nothing is known.
NOWHERE = Place()
#: Of whom nothing was learned.
NOTHING = Learned()
#: Held for one of these, a message competes for the next place whenever its person is decided about.
COMPETING = (
    *("cap", "own_cap", "spacing", "combination", "pause", "quiet_hours", "own_quiet_hours"),
    *("law", "blackout", "holiday"),
)
#: How soon a message that waits for a paused provider is looked at again.
PAUSE_RECHECK = timedelta(minutes=15)

Trace = list[list[Any]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message to be decided. ``conditions`` is whether its rule still holds; None when it has none.

    An ``answer`` is the one message that may go to a number which has just asked for no more. ``on_hold``
    says what becomes of it when it may not leave now: it waits, tries its other channels first (reroute), or
    is dropped. ``tags`` are those of its template on each channel; ``held_since`` is set once it was held.
    With ``smart_channel`` the person's own channel comes first; their best hour is waited for until
    ``best_by``. ``wanted_at`` is when the message was asked for.
    """

    id: int
    purpose: str
    wanted: tuple[str, ...]
    due_at: datetime
    transactional: bool = False
    priority: int = 50
    value: float = 0.0
    on_hold: str = "wait"
    deadline_at: datetime | None = None
    conditions: bool | None = None
    answer: bool = False
    tags: Mapping[str, frozenset[str]] = field(default_factory=dict)
    held_since: datetime | None = None
    smart_channel: bool = False
    best_by: datetime | None = None
    wanted_at: datetime | None = None

    @property
    def seed(self) -> str:
        """What chance goes by: the same whenever this message is asked about, or played again."""
        return str(self.id) if self.wanted_at is None else text(self.wanted_at)

    def tags_on(self, channel: str) -> frozenset[str]:
        return self.tags.get(channel, frozenset())


@dataclass(frozen=True, slots=True)
class Person:
    """Who would receive it. ``zones`` has one name when their zone is known, else every candidate.

    ``paused_until`` is how long they asked to hear nothing, ``weekly`` how many messages in seven days they
    want at most, ``quiet`` when their own quiet hours begin and end. ``why`` tells of consents that ended by
    themselves or wait to be confirmed. ``band`` is their engagement band, ``segments`` those of the charter's
    segments that they are in. ``learned`` is when and on which channel they answer.
    """

    contact_id: int
    zones: tuple[str, ...]
    consents: permission.Consents
    addresses: Mapping[str, str]
    suppressed: frozenset[str] = frozenset()
    paused_until: datetime | None = None
    weekly: int | None = None
    quiet: tuple[time, time] | None = None
    why: Mapping[tuple[str, str], str] = field(default_factory=dict)
    place: Place = NOWHERE
    band: str = ""
    segments: frozenset[str] = frozenset()
    learned: Learned = NOTHING


@dataclass(frozen=True, slots=True)
class Touch:
    """A message that takes a place: accepted at ``at``, or on its way (``at`` is then the instant asked)."""

    channel: str
    purpose: str
    at: datetime
    transactional: bool = False
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Planned:
    """Another message of this person that is not decided yet, and when it will be looked at."""

    message_id: int
    channel: str
    at: datetime
    transactional: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one decision rests on. ``providers`` maps a channel to whether its provider is paused."""

    now: datetime
    candidate: Candidate
    person: Person
    charter: Charter
    providers: Mapping[str, bool]
    touches: Sequence[Touch] = ()
    planned: Sequence[Planned] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a message. ``until`` is set for a hold; ``reason`` is the code of what decided.

    ``facts`` are what it rests on, where it is kept for the ledger.
    """

    action: str
    reason: str
    channel: str = ""
    until: datetime | None = None
    trace: Trace | None = None
    facts: Facts | None = field(default=None, compare=False, repr=False)


def text(at: datetime) -> str:
    """An instant as the ledger keeps it."""
    return at.isoformat(timespec="seconds")


@lru_cache(maxsize=4_096)
def tags_from(kept: str) -> frozenset[str]:
    """Tags as a message keeps them, separated by commas."""
    return frozenset(kept.split(",")) if kept else frozenset()
