"""Counts what a replay came to, as plain JSON that adds up: of people, of groups, of slots. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from channels.deciding_past import Received
from journeys.backtest.lives import Letter, Life, Trail
from journeys.backtest.question import WEEK, Question
from journeys.walking import End

Tally = dict[str, Any]

#: Of each way a run ended, so many people are told as examples.
EXAMPLES = 3
#: Two messages of two journeys within this time of each other meet.
MEETING = timedelta(hours=24)
_ENDS = {End.LIVE: "inside", End.CONVERTED: "goal", End.COMPLETED: "completed", End.FAILED: "failed"}
_MOST = 10


def empty() -> Tally:
    """Nothing yet. Every value is a number, or a table of numbers, or a list of examples."""
    return {
        "people": 0, "entries": 0, "ends": {}, "value": 0.0, "converted": {}, "steps": {}, "messages": {},
        "by_step": {}, "days": {}, "per_person": {}, "held": {}, "dropped": {}, "cancelled": {},
        "rerouted": {}, "waiting": 0, "met": {}, "met_people": 0, "pressed": {}, "examples": [],
    }  # fmt: skip


def add(into: Tally, other: Tally) -> Tally:
    """``into`` and ``other`` together; ``into`` is changed."""
    for key, value in other.items():
        if key == "examples":
            into[key] = _few(into[key] + value)
        elif isinstance(value, Mapping):
            into[key] = add(into.get(key, {}), dict(value))
        else:
            into[key] = into.get(key, 0) + value
    return into


def of(question: Question, people: Sequence[Life], received: Mapping[int, Sequence[Received]]) -> Tally:
    """What became of these people. ``received`` is what others really sent to them."""
    found = empty()
    for life in people:
        theirs = received.get(life.contact_id, ())
        if life.trails:
            found["people"] += 1
        for trail in life.trails:
            _run(found, life, trail)
        for letter in life.letters:
            _letter(found, letter)
        sent = [letter for letter in life.letters if letter.sent_at is not None]
        if life.trails:
            _bump(found["per_person"], str(min(len(sent), _MOST)))
        _meetings(found, sent, theirs)
        _pressure(found, question, life, sent, theirs)
        if life.trails:
            lines = sum(len(trail.path) for trail in life.trails) + sum(len(one.said) for one in life.letters)
            end = end_of(life.trails[-1])
            found["examples"].append({"contact": life.contact_id, "end": end, "lines": lines})
    found["examples"] = _few(found["examples"])
    return found


def end_of(trail: Trail) -> str:
    """How a run ended, in the word that reports count."""
    walk = trail.walk
    return _ENDS.get(walk.end) or walk.outcome


def _run(found: Tally, life: Life, trail: Trail) -> None:
    found["entries"] += 1
    _bump(found["ends"], end_of(trail))
    for taken in trail.path:
        step = found["steps"].setdefault(taken.step, {"reached": 0, "outcomes": {}})
        step["reached"] += 1
        _bump(step["outcomes"], taken.outcome)
    if trail.live:
        step = found["steps"].setdefault(trail.walk.step, {"reached": 0, "outcomes": {}})
        step["reached"] += 1
        _bump(step["outcomes"], "waiting")
    if trail.walk.end is End.CONVERTED:
        found["value"] += trail.walk.value or 0.0
        after = any(
            letter.run_id == trail.walk.run_id and letter.sent_at is not None for letter in life.letters
        )
        _bump(found["converted"], "after_message" if after else "without_message")


def _letter(found: Tally, letter: Letter) -> None:
    holds = [said for said in letter.said if said.action == "hold"]
    if holds:
        _bump(found["held"], holds[0].reason)
    at = letter.sent_at
    if at is not None:
        _bump(found["messages"], letter.channel)
        _bump(found["by_step"].setdefault(letter.step, {}), letter.channel)
        _bump(found["days"].setdefault(f"{at:%Y-%m-%d}", {}), letter.channel)
        if letter.wanted and letter.channel != letter.wanted[0]:
            _bump(found["rerouted"], f"{letter.wanted[0]} → {letter.channel}")
    elif letter.fate in ("drop", "expire"):
        _bump(found["dropped"], letter.said[-1].reason)
    elif letter.fate == "cancel":
        _bump(found["cancelled"], letter.said[-1].reason)
    else:
        found["waiting"] += 1


def _meetings(found: Tally, sent: Sequence[Letter], theirs: Sequence[Received]) -> None:
    """Messages that met one of another journey, within a day on either side."""
    met = False
    for letter in sent:
        at = letter.sent_at
        origins = {
            one.origin for one in theirs if at and not one.transactional and abs(one.at - at) < MEETING
        }
        for origin in origins:
            _bump(found["met"], origin)
        met = met or bool(origins)
    found["met_people"] += met


def _pressure(
    found: Tally, question: Question, life: Life, sent: Sequence[Letter], theirs: Sequence[Received]
) -> None:
    others = [
        one.at for one in theirs if not one.transactional and question.start - WEEK < one.at < question.end
    ]
    own = [letter.sent_at for letter in sent if letter.sent_at is not None and not letter.transactional]
    before, after = most_in_a_week(others), most_in_a_week(others + own)
    if not life.trails:
        return
    if before > question.line:
        _bump(found["pressed"], "before")
    if after > question.line:
        _bump(found["pressed"], "after")
    _bump(found["pressed"].setdefault("weekly", {}), str(min(after, 2 * _MOST)))


def most_in_a_week(times: Sequence[datetime]) -> int:
    """The most messages that fall into any seven days."""
    ordered, first, most = sorted(times), 0, 0
    for last, at in enumerate(ordered):
        while ordered[first] <= at - WEEK:
            first += 1
        most = max(most, last - first + 1)
    return most


def _few(examples: Sequence[Tally]) -> list[Tally]:
    """Some people of each end, those with most to tell before others."""
    kept: Counter[str] = Counter()
    found = []
    for one in sorted(examples, key=lambda each: (-each["lines"], each["contact"])):
        if kept[one["end"]] < EXAMPLES:
            kept[one["end"]] += 1
            found.append(one)
    return found


def _bump(table: dict[str, Any], key: str) -> None:
    table[key] = table.get(key, 0) + 1
