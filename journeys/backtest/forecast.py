"""What load a journey will bring, by what it would have brought: before it is published."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from contacts import slots
from journeys.backtest import replaying
from journeys.backtest.arriving import crowds
from journeys.backtest.question import Question
from journeys.graph import Graph

_WEEKS = 2
#: A look at this many of the 64 lots is enough for an estimate, and takes seconds.
LOTS = 4
_CROWD = 2000


class Load(NamedTuple):
    """Messages to be expected on one day, for everybody."""

    day: date
    channel: str
    purpose: str
    messages: float


def forecast(graph: Graph, journey_id: int, now: datetime, *, days: int = 14, lots: int = LOTS) -> list[Load]:
    """The load of the ``days`` from ``now`` on, day by day (UTC), channel by channel.

    The last four weeks are played for a sample. The first two only fill the journey, so that those who are
    on their way count; the last two give each weekday what it will most likely bring. Reads alone. Raises
    ``arriving.CannotReplayError`` where the log has no trace of the trigger.
    """
    step = slots.SLOTS // lots
    chosen = [lot * step for lot in range(lots)]
    length = timedelta(weeks=_WEEKS)
    question = Question(graph, journey_id, now - 2 * length, now, chosen)
    return spread(_sent(question, chosen, now - length), now.date(), days, slots.SLOTS / lots / _WEEKS)


def _sent(question: Question, lots: Sequence[int], since: datetime) -> dict[tuple[int, str, str], int]:
    """(Weekday, channel, purpose) -> messages that would have left after ``since``."""
    found: dict[tuple[int, str, str], int] = defaultdict(int)
    for people in crowds(question, lots, _CROWD):
        replaying.play(question, people)
        for life in people:
            for letter in life.letters:
                at = letter.sent_at
                if at is not None and at >= since:
                    found[at.weekday(), letter.channel, letter.purpose] += 1
        people.clear()
    return found


def spread(sent: dict[tuple[int, str, str], int], first: date, days: int, factor: float) -> list[Load]:
    """What each weekday brought, laid on the days that come. Pure."""
    return [
        Load(day, channel, purpose, count * factor)
        for day in (first + timedelta(days=number) for number in range(days))
        for (weekday, channel, purpose), count in sorted(sent.items())
        if weekday == day.weekday()
    ]
