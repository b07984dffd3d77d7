"""What happened to one person in a replay, line by line. Pure: words are found where it is shown."""

from __future__ import annotations

from typing import Any

from journeys.backtest.lives import Life

#: A person with more lines than this is cut short.
_LONGEST = 60


def of(life: Life, end: str) -> dict[str, Any]:
    """The story of a person: lines of [instant, what, step, one word more, another]."""
    lines: list[tuple[str, str, str, str, str]] = []
    for trail in life.trails:
        lines.append((_text(trail.walk.entered_at), "entered", "", "", ""))
        lines += [(_text(one.at), "step", one.step, one.outcome, "") for one in trail.path]
        if trail.ended_at is not None:
            lines.append((_text(trail.ended_at), "ended", "", trail.walk.outcome, ""))
    for letter in life.letters:
        lines += [(_text(said.at), said.action, letter.step, said.channel, said.reason) for said in letter.said]
    return {
        "contact": life.contact_id,
        "end": end,
        "story": [list(line) for line in sorted(lines, key=lambda line: line[0])[:_LONGEST]],
    }


def _text(at: Any) -> str:
    return str(at.isoformat(timespec="seconds"))
