"""What a rule is made of: frozen values, free of any framework, equal when they mean the same words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

MOST_CONDITIONS = 200
MOST_DEPTH = 20

TEXT_COLUMNS = frozenset(
    {"email", "phone", "first_name", "last_name", "language", "timezone", "country"},
)
TIME_COLUMNS = frozenset({"first_seen_at", "last_seen_at"})
FLAG_COLUMNS = frozenset({"known"})

#: Operators by what they compare with. ``exists`` and ``missing`` take no value.
SAMENESS = ("is", "is_not", "in")
TEXT_OPS = ("contains", "starts_with")
NUMBER_OPS = ("gt", "gte", "lt", "lte")
TIME_OPS = ("before", "after", "within_days")
PRESENCE = ("exists", "missing")
OPERATORS = (*SAMENESS, *TEXT_OPS, *NUMBER_OPS, *TIME_OPS, *PRESENCE)

#: What can be asked of a message, and the event of the log that says so.
MESSAGE_EVENTS = {
    "sent": "Message Sent",
    "delivered": "Message Delivered",
    "opened": "Message Opened",
    "clicked": "Message Clicked",
    "bounced": "Message Bounced",
    "complained": "Message Complained",
    "unsubscribed": "Message Unsubscribed",
    "dropped": "Message Dropped",
    "held": "Message Held",
    "failed": "Message Failed",
}
MESSAGE_FILTERS = ("channel", "journey", "step", "template", "purpose")
CONSENT_STATES = ("allowed", "refused", "unknown")
#: Windows that a journey gives; outside a journey they reach back to the beginning.
SINCE_ENTRY, SINCE_STEP = "since_entry", "since_step"


class RuleError(ValueError):
    """A rule that cannot be used. ``path`` leads to the place in its JSON, such as ``all[1].where[0].op``."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message


Scalar: TypeAlias = str | bool | Decimal
Value: TypeAlias = Scalar | datetime | timedelta | int | tuple[Scalar, ...] | None


@dataclass(frozen=True, slots=True)
class Check:
    """A comparison. A ``timedelta`` with before/after means that long before the instant of asking."""

    op: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class Everyone:
    """Holds for every contact."""


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Rule


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    test: Check


@dataclass(frozen=True, slots=True)
class Where:
    """A test of one property of an event; ``path`` is one key, or several to reach inside."""

    path: tuple[str, ...]
    test: Check


@dataclass(frozen=True, slots=True)
class Window:
    """Which events count, by when they occurred; never after the instant of asking.

    ``within`` is a length back from that instant, or ``since_entry`` / ``since_step`` of a journey.
    ``after`` and ``before`` are instants; ``before`` may be a length back as well.
    """

    within: timedelta | str | None = None
    after: datetime | None = None
    before: datetime | timedelta | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """From ``least`` to ``most``, both included; ``None`` is no bound."""

    least: Decimal | None = None
    most: Decimal | None = None

    @property
    def holds_zero(self) -> bool:
        return (self.least is None or self.least <= 0) and (self.most is None or self.most >= 0)


AT_LEAST_ONCE = Range(least=Decimal(1))


@dataclass(frozen=True, slots=True)
class Happened:
    """How often an event occurred, or, with ``total``, what a property of it adds up to.

    ``own`` asks for events that Segue itself wrote: whoever has a key may send one of the same name.
    """

    name: str
    amount: Range = AT_LEAST_ONCE
    total: tuple[str, ...] | None = None
    window: Window = Window()
    where: tuple[Where, ...] = ()
    own: bool = False


@dataclass(frozen=True, slots=True)
class Messaged:
    """How often something happened to messages sent to the contact."""

    state: str
    filters: tuple[tuple[str, str], ...] = ()
    amount: Range = AT_LEAST_ONCE
    window: Window = field(default_factory=Window)

    def as_event(self) -> Happened:
        where = tuple(Where((key,), Check("is", value)) for key, value in self.filters)
        return Happened(MESSAGE_EVENTS[self.state], self.amount, None, self.window, where, own=True)


@dataclass(frozen=True, slots=True)
class Consented:
    channel: str
    purpose: str
    state: str


@dataclass(frozen=True, slots=True)
class InSegment:
    slug: str
    member: bool


@dataclass(frozen=True, slots=True)
class Predicted:
    name: str
    test: Check


@dataclass(frozen=True, slots=True)
class Reachable:
    channel: str
    reachable: bool


Leaf: TypeAlias = Attribute | Happened | Messaged | Consented | InSegment | Predicted | Reachable
Rule: TypeAlias = Everyone | AllOf | AnyOf | Not | Leaf


def leaves(rule: Rule) -> list[Leaf]:
    """Every condition of ``rule``, in the order in which it was written."""
    if isinstance(rule, Everyone):
        return []
    if isinstance(rule, Not):
        return leaves(rule.part)
    if isinstance(rule, AllOf | AnyOf):
        return [leaf for part in rule.parts for leaf in leaves(part)]
    return [rule]
