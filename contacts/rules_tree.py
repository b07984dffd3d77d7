"""What a rule is made of: frozen values, free of any framework, equal when they mean the same words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from contacts.rules_length import Length, multiple
from contacts.rules_vocabulary import MESSAGE_EVENTS, TIME_OPS


class RuleError(ValueError):
    """A rule that cannot be used. ``path`` leads to the place in its JSON, such as ``all[1].where[0].op``."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message


Scalar: TypeAlias = str | bool | Decimal
Value: TypeAlias = Scalar | datetime | Length | int | tuple[Scalar, ...] | tuple[datetime, ...] | None


@dataclass(frozen=True, slots=True)
class Check:
    """A comparison. A length with a test of time means that long before the instant of asking."""

    op: str
    value: Value = None


def is_time(check: Check) -> bool:
    """Whether the value is compared as a date."""
    if check.op == "between":
        return isinstance(check.value, tuple) and isinstance(check.value[0], datetime)
    return check.op in TIME_OPS


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
    origin: str = "either"


@dataclass(frozen=True, slots=True)
class Where:
    """A test of one property of an event; ``path`` is one key, or several to reach inside."""

    path: tuple[str, ...]
    test: Check


@dataclass(frozen=True, slots=True)
class WhereAll:
    parts: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class WhereAny:
    parts: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class WhereNot:
    part: Test


Test: TypeAlias = Where | WhereAll | WhereAny | WhereNot


@dataclass(frozen=True, slots=True)
class Window:
    """Which events count, by when they occurred; never after the instant of asking.

    ``within`` is a length back from that instant, or ``since_entry`` / ``since_step`` of a journey.
    ``after`` and ``before`` are instants; ``before`` may be a length back as well.
    """

    within: Length | str | None = None
    after: datetime | None = None
    before: datetime | Length | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """From ``least`` to ``most``, both included; ``None`` is no bound."""

    least: Decimal | None = None
    most: Decimal | None = None

    @property
    def bounded(self) -> bool:
        return (self.least or 0) > 0 or self.most is not None

    @property
    def holds_zero(self) -> bool:
        return (self.least is None or self.least <= 0) and (self.most is None or self.most >= 0)


AT_LEAST_ONCE = Range(least=Decimal(1))


@dataclass(frozen=True, slots=True)
class Follow:
    """What must come after an event, or, where not ``wanted``, must not; within a time of it if one is given.

    ``same`` names properties in which both agree. What is not wanted is known when its time is over.
    """

    name: str
    wanted: bool = True
    within: timedelta | None = None
    where: tuple[Test, ...] = ()
    same: tuple[tuple[str, ...], ...] = ()
    then: Follow | None = None
    own: bool = False


@dataclass(frozen=True, slots=True)
class Periods:
    """The amount is asked for each of the ``last`` periods, back from the instant, and holds in ``least``."""

    length: Length
    last: int
    least: int

    def bounds(self, as_of: datetime) -> list[datetime]:
        """The ends of the periods and the beginning of the earliest, the earliest first."""
        return [as_of - multiple(self.length, number) for number in range(self.last, -1, -1)]


@dataclass(frozen=True, slots=True)
class Happened:
    """How often an event occurred, or, with ``total``, what a property of it comes to (``measure``).

    ``pick`` takes the first or the last of those that pass ``among``, ever, and asks the rest of it alone.
    ``own`` asks for events that Segue itself wrote: whoever has a key may send one of the same name.
    """

    name: str
    amount: Range = AT_LEAST_ONCE
    total: tuple[str, ...] | None = None
    window: Window = Window()
    where: tuple[Test, ...] = ()
    own: bool = False
    measure: str = "sum"
    pick: str | None = None
    among: tuple[Test, ...] = ()
    then: Follow | None = None
    periods: Periods | None = None

    @property
    def follows(self) -> list[Follow]:
        """What is asked to come after, in order."""
        found, follow = [], self.then
        while follow:
            found.append(follow)
            follow = follow.then
        return found

    @property
    def names(self) -> list[str]:
        """The names of all events that have a part in the answer."""
        return [self.name, *(follow.name for follow in self.follows)]

    @property
    def tests(self) -> list[Test]:
        return [*self.where, *self.among]


@dataclass(frozen=True, slots=True)
class Messaged:
    """How often something happened to messages sent to the contact."""

    state: str
    filters: tuple[tuple[str, str], ...] = ()
    amount: Range = AT_LEAST_ONCE
    window: Window = field(default_factory=Window)
    then: Follow | None = None
    periods: Periods | None = None

    def as_event(self) -> Happened:
        return Happened(
            MESSAGE_EVENTS[self.state],
            self.amount,
            None,
            self.window,
            filters_as_tests(self.filters),
            own=True,
            then=self.then,
            periods=self.periods,
        )


def filters_as_tests(filters: tuple[tuple[str, str], ...]) -> tuple[Where, ...]:
    """What is asked of a message, as tests of the properties of its events."""
    return tuple(Where((key,), Check("is", value)) for key, value in filters)


@dataclass(frozen=True, slots=True)
class Consented:
    channel: str
    purpose: str
    state: str
    expires_within: Length | None = None


@dataclass(frozen=True, slots=True)
class InSegment:
    """Whether in a segment; ``window`` bounds when the contact entered it."""

    slug: str
    member: bool
    window: Window = Window()


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


def wheres(tests: tuple[Test, ...] | list[Test]) -> list[Where]:
    """Every single property test of ``tests``, whatever joins them."""
    found: list[Where] = []
    for test in tests:
        match test:
            case Where():
                found.append(test)
            case WhereNot(part):
                found += wheres([part])
            case WhereAll(parts) | WhereAny(parts):
                found += wheres(parts)
    return found


def happenings(rule: Rule) -> list[Happened]:
    """Every condition of ``rule`` that is answered from the log."""
    return [
        leaf.as_event() if isinstance(leaf, Messaged) else leaf
        for leaf in leaves(rule)
        if isinstance(leaf, Happened | Messaged)
    ]
