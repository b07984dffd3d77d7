"""What happened to one person in a replay, line by line. Pure: words are found where it is shown."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from journeys.backtest.lives import Life

#: A person with more lines than this is cut short.
_LONGEST = 60


class Line(NamedTuple):
    """One thing that happened: ``what`` is entered, step, ended, or what the policy said."""

    at: datetime
    what: str
    step: str = ""
    word: str = ""
    more: str = ""


def of(life: Life) -> list[Line]:
    """The story of a person, in the order of time."""
    lines: list[Line] = []
    for trail in life.trails:
        lines.append(Line(trail.walk.entered_at, "entered"))
        lines += [Line(one.at, "step", one.step, one.outcome) for one in trail.path]
        if trail.ended_at is not None:
            lines.append(Line(trail.ended_at, "ended", word=trail.walk.outcome))
    for letter in life.letters:
        lines += [Line(said.at, said.action, letter.step, said.channel, said.reason) for said in letter.said]
    return sorted(lines, key=lambda line: line.at)[:_LONGEST]
