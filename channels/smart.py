"""What choosing a channel or an hour for a person rests on: the charter's settings, what was learned. Pure.

Learned values are predictions of the contact, in a fixed form: ``CHANNELS`` and ``HOURS`` are their names.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

#: The predictions that hold how somebody answers, by channel and by hour.
CHANNELS, HOURS = "channel_scores", "best_hours"

#: When a message's channel or hour is chosen for its person: where the message asks for it, for every
#: message, or for none.
ASKED, ALWAYS, NEVER = "asked", "always", "never"
WHEN = (ASKED, ALWAYS, NEVER)

#: How the choice came about: the best one, one by chance so that we go on learning, none so that there is
#: something to compare with, or none because too little is known.
BEST, EXPLORE, CONTROL, UNKNOWN = "best", "explore", "control", "unknown"


@dataclass(frozen=True, slots=True)
class Smart:
    """The charter's word on choosing: ``explore`` is per cent of messages, ``control`` of people."""

    channel: str = ASKED
    hour: str = ASKED
    within: timedelta = timedelta(hours=24)
    explore: int = 5
    control: int = 10


@dataclass(frozen=True, slots=True)
class Score:
    """How somebody answers on a channel: the chance, as learned, and what it was learned from."""

    chance: float
    sent: int = 0
    answered: int = 0


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody answers: a weight for each hour of the day and each day of the week (Monday first).

    ``answers`` are their own answers by hour of the day, on their clock.
    """

    hours: tuple[float, ...]
    days: tuple[float, ...]
    answers: tuple[int, ...] = ()

    def weight(self, day: int, hour: int) -> float:
        return self.hours[hour] * self.days[day]


class Arm(NamedTuple):
    """How a choice is to come about, and the chances of each way."""

    name: str
    explore: float
    control: float

    def chance(self, chosen: object, best: object, usual: object, number: int) -> float:
        """The propensity: how likely ``chosen`` of ``number`` was to be chosen, whatever the way."""
        sure = 1 - self.explore - self.control
        found = sure * (chosen == best) + self.control * (chosen == usual) + self.explore / number
        return round(found, 4)


def arm(smart: Smart, contact_id: int, seed: str, what: str) -> Arm:
    """The same for a message whenever it is asked: some people are left alone, some messages explore."""
    explore, control = smart.explore / 100, smart.control / 100
    if share(f"control {what} {contact_id}") < control:
        name = CONTROL
    # Of all messages, not of those that are left: so the shares add up as they are written.
    elif share(f"explore {what} {contact_id} {seed}") < explore / max(1 - control, 0.01):
        name = EXPLORE
    else:
        name = BEST
    return Arm(name, explore, control)


def share(text: str) -> float:
    """A number from 0 to 1 that is always the same for a text, and evenly spread over texts."""
    return zlib.crc32(text.encode()) / 2**32


def scores_from(value: Mapping[str, Any]) -> dict[str, Score]:
    """Scores by channel from a prediction; what is bent counts as nothing."""
    found = {}
    for channel, own in value.items():
        try:
            found[channel] = Score(float(own["chance"]), int(own["sent"]), int(own["answered"]))
        except (KeyError, TypeError, ValueError):
            continue
    return found


def hours_from(value: Mapping[str, Any]) -> Hours | None:
    """Hours from a prediction; None where it is bent."""
    try:
        hours = tuple(float(one) for one in value["hours"])
        days = tuple(float(one) for one in value["days"])
        answers = tuple(int(one) for one in value.get("answers", ()))
    except (KeyError, TypeError, ValueError):
        return None
    whole = len(hours) == 24 and len(days) == 7 and len(answers) in (0, 24)
    return Hours(hours, days, answers) if whole else None


@dataclass(frozen=True, slots=True)
class Learned:
    """Everything that was learned about one person that channels make use of."""

    scores: Mapping[str, Score] = field(default_factory=dict)
    hours: Hours | None = None
