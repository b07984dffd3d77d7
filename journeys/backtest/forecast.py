"""What a journey will send in the coming days: it is played, and what it sends is told one message at a time.

The last two weeks are played as if they were the next two: whoever came then comes again, people inside now
stand where they stand, and everybody reacts as they did. What the clock begins is known exactly: those
occasions are the ones to come, and the audience is that of now. Reads alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from journeys.backtest import inside, replaying
from journeys.backtest.arriving import crowds
from journeys.backtest.lives import PRESSURE, Letter, Life
from journeys.backtest.question import Question
from journeys.graph import Graph

#: How far ahead is looked, and how far back is played: whole weeks, so that weekdays meet.
AHEAD = timedelta(days=14)
_CROWD = 2000

GoOn = Callable[[], bool]


class Foreseen(NamedTuple):
    """One message to be expected. ``leaves`` is whether the policy would let it; ``pressed`` whether a rule
    of pressure stood in its way."""

    contact_id: int
    at: datetime
    channel: str
    purpose: str
    transactional: bool
    leaves: bool
    pressed: bool


def of_those_to_come(
    graph: Graph, journey_id: int, now: datetime, lots: Sequence[int], go_on: GoOn = lambda: True
) -> Iterator[Foreseen]:
    """Messages to people of these lots who will enter in the ``AHEAD`` from ``now``."""
    by_clock = bool(graph.trigger.schedule or graph.trigger.date)
    question = Question(graph, journey_id, now - AHEAD, now, lots, ahead=AHEAD if by_clock else timedelta())
    for people in crowds(question, lots, _CROWD):
        if not go_on():
            return
        yield from _played(question, people, go_on)


def of_those_inside(
    journey_id: int, now: datetime, lots: Sequence[int], go_on: GoOn = lambda: True
) -> Iterator[Foreseen]:
    """Messages to people of these lots who are inside ``now``, each on the version they entered."""
    for question, people in inside.crowds(journey_id, now, AHEAD, lots, _CROWD):
        if not go_on():
            return
        yield from _played(question, people, go_on)


def _played(question: Question, people: list[Life], go_on: GoOn) -> Iterator[Foreseen]:
    replaying.play(question, people, go_on)
    for life in people:
        for letter in life.letters:
            found = _foreseen(letter)
            if found is not None:
                yield found
    people.clear()


def _foreseen(letter: Letter) -> Foreseen | None:
    pressed = any(said.reason in PRESSURE for said in letter.said)
    at = letter.sent_at
    if at is None and not pressed:
        return None
    channel = letter.channel or (letter.wanted[0] if letter.wanted else "")
    return Foreseen(
        letter.contact_id,
        (at or letter.created_at) + AHEAD,
        channel,
        letter.purpose,
        letter.transactional,
        at is not None,
        pressed,
    )
