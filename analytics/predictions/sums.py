"""Sums over many people, by group: what everybody is compared with, and drawn to where little is known. Pure.

A group is the people of a country. Sums are plain lists and numbers, so that they can be kept as JSON.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

HOURS, DAYS = 24, 7
#: Everybody together.
ALL = ""
#: So many messages of everybody stand behind a group's own rate.
_GROUP_STRENGTH = 50.0
#: Where nobody has answered yet: the chance, and for how many messages it counts.
_FIRST_CHANCE, _FIRST_STRENGTH = 0.02, 20.0
_WEAKEST, _STRONGEST = 2.0, 50.0


def _zeros(number: int) -> list[float]:
    return [0.0] * number


@dataclass(slots=True)
class Rhythm:
    """Answers and chances to answer, by hour of the day and day of the week; visits, and days known."""

    answers: list[float] = field(default_factory=lambda: _zeros(HOURS))
    exposure: list[float] = field(default_factory=lambda: _zeros(HOURS))
    day_answers: list[float] = field(default_factory=lambda: _zeros(DAYS))
    day_exposure: list[float] = field(default_factory=lambda: _zeros(DAYS))
    visits: list[float] = field(default_factory=lambda: _zeros(HOURS))
    day_visits: list[float] = field(default_factory=lambda: _zeros(DAYS))
    days: float = 0.0

    def add(self, other: Rhythm) -> None:
        for name in ("answers", "exposure", "day_answers", "day_exposure", "visits", "day_visits"):
            own, more = getattr(self, name), getattr(other, name)
            for place, value in enumerate(more):
                own[place] += value
        self.days += other.days


@dataclass(slots=True)
class Tried:
    """Messages and answers of many people on a channel, with what tells how much people differ."""

    sent: float = 0.0
    answered: float = 0.0
    #: Sums of n(n-1) and x(x-1) over people: pairs of messages, and pairs of answers.
    pairs: float = 0.0
    answered_pairs: float = 0.0

    def add(self, sent: int, answered: int) -> None:
        self.sent += sent
        self.answered += answered
        self.pairs += sent * (sent - 1)
        self.answered_pairs += answered * (answered - 1)


@dataclass(frozen=True, slots=True)
class Usual:
    """The chance that somebody of a group answers on a channel, and for how many messages it counts."""

    chance: float
    strength: float

    def of(self, sent: int, answered: int) -> float:
        """The chance of one person, drawn to the usual one."""
        return (answered + self.strength * self.chance) / (sent + self.strength)


@dataclass(slots=True)
class Sums:
    """Everything summed in one walk over all people."""

    rhythms: dict[str, Rhythm] = field(default_factory=dict)
    #: Group, then channel.
    tried: dict[str, dict[str, Tried]] = field(default_factory=dict)

    def add(self, group: str, rhythm: Rhythm, counts: dict[str, tuple[int, int]]) -> None:
        """Add one person. ``counts`` has (sent, answered) by channel."""
        for name in {group, ALL}:
            self.rhythms.setdefault(name, Rhythm()).add(rhythm)
            for channel, (sent, answered) in counts.items():
                self.tried.setdefault(name, {}).setdefault(channel, Tried()).add(sent, answered)

    def usual(self, group: str, channel: str) -> Usual:
        """What holds for a group on a channel: its own rate drawn to everybody's."""
        everybody = self.tried.get(ALL, {}).get(channel, Tried())
        chance = (everybody.answered + _FIRST_STRENGTH * _FIRST_CHANCE) / (everybody.sent + _FIRST_STRENGTH)
        own = self.tried.get(group, {}).get(channel, Tried())
        near = (own.answered + _GROUP_STRENGTH * chance) / (own.sent + _GROUP_STRENGTH)
        return Usual(near, _strength(everybody))

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def _strength(tried: Tried) -> float:
    """For how many messages the usual chance counts: the more, the more alike people are (by moments)."""
    if tried.pairs <= 0 or not 0 < tried.answered < tried.sent:
        return _FIRST_STRENGTH
    mean = tried.answered / tried.sent
    spread = tried.answered_pairs / tried.pairs - mean * mean
    if spread <= 0:
        return _STRONGEST
    return min(max(mean * (1 - mean) / spread - 1, _WEAKEST), _STRONGEST)


def sums_from(value: dict[str, Any]) -> Sums:
    """What ``plain`` gave."""
    return Sums(
        {group: Rhythm(**own) for group, own in value.get("rhythms", {}).items()},
        {
            group: {channel: Tried(**one) for channel, one in own.items()}
            for group, own in value.get("tried", {}).items()
        },
    )
