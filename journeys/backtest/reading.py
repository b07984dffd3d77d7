"""A backtest's answer as rows to be shown and compared: shares, sums, costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from contacts import slots
from journeys import graph
from journeys.backtest import tally
from journeys.graph import Graph
from journeys.models import BacktestRun
from journeys.steps import Step


class Bar(NamedTuple):
    """One line of a table with its bar; ``share`` is of the longest one, 0 to 100."""

    label: str
    number: float
    share: float

    @property
    def height(self) -> float:
        """In a drawing that is 20 high."""
        return round(self.share / 5, 2)


class StepRow(NamedTuple):
    step: str
    words: str
    reached: int
    share: float
    outcomes: list[tuple[str, int]]
    messages: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page says of a backtest. Counts are of the people who were played."""

    people: int
    entries: int
    messages: int
    per_person: float
    conversions: int
    conversion_rate: float
    after_message: int
    value: float
    cost: float
    held: int
    dropped: int
    cancelled: int
    over: int
    over_share: float
    over_before: int
    met_people: int
    waiting: int
    factor: int
    channels: list[Bar]
    steps: list[StepRow]
    days: list[Bar]
    spread: list[Bar]
    weeks: list[Bar]
    ends: list[Bar]
    why_held: list[Bar]
    why_dropped: list[Bar]
    why_cancelled: list[Bar]
    rerouted: list[Bar]
    met: list[Bar]
    examples: list[dict[str, Any]]

    @property
    def newly_over(self) -> int:
        """People who are over the line only because of this journey."""
        return max(self.over - self.over_before, 0)


def read(run: BacktestRun, result: tally.Tally) -> Answer:
    """The figures of ``result``, all of it or what is there so far."""
    sent = sum(result["messages"].values())
    people, pressed = result["people"], result["pressed"]
    conversions = sum(result["converted"].values())
    return Answer(
        people=people,
        entries=result["entries"],
        messages=sent,
        per_person=sent / people if people else 0.0,
        conversions=conversions,
        conversion_rate=100 * conversions / result["entries"] if result["entries"] else 0.0,
        after_message=result["converted"].get("after_message", 0),
        value=result["value"],
        cost=sum(count * float(run.prices.get(name, 0)) for name, count in result["messages"].items()),
        held=sum(result["held"].values()),
        dropped=sum(result["dropped"].values()),
        cancelled=sum(result["cancelled"].values()),
        over=pressed.get("after", 0),
        over_share=100 * pressed.get("after", 0) / people if people else 0.0,
        over_before=pressed.get("before", 0),
        met_people=result["met_people"],
        waiting=result["waiting"],
        factor=slots.SLOTS // run.lots,
        channels=bars(result["messages"]),
        steps=_steps(run, result),
        days=_days(run, result["days"]),
        spread=_numbered(result["per_person"]),
        weeks=_numbered(pressed.get("weekly", {})),
        ends=bars(result["ends"]),
        why_held=bars(result["held"]),
        why_dropped=bars(result["dropped"]),
        why_cancelled=bars(result["cancelled"]),
        rerouted=bars(result["rerouted"]),
        met=bars(result["met"]),
        examples=result["examples"],
    )


def bars(counts: Mapping[str, float]) -> list[Bar]:
    """The largest first."""
    most = max(counts.values(), default=0) or 1
    found = [Bar(label, count, 100 * count / most) for label, count in counts.items()]
    return sorted(found, key=lambda bar: (-bar.number, bar.label))


def _numbered(counts: Mapping[str, int]) -> list[Bar]:
    """By the number that is the label, none left out."""
    if not counts:
        return []
    most = max(counts.values()) or 1
    last = max(int(label) for label in counts)
    found = [(str(number), counts.get(str(number), 0)) for number in range(last + 1)]
    return [Bar(label, count, 100 * count / most) for label, count in found]


def _days(run: BacktestRun, days: Mapping[str, Mapping[str, int]]) -> list[Bar]:
    """Messages of each day of the time, UTC, also of those without."""
    sums = {day: sum(channels.values()) for day, channels in days.items()}
    most = max(sums.values(), default=0) or 1
    first, last = run.start.date(), (run.end - timedelta(microseconds=1)).date()
    found: list[date] = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [
        Bar(f"{day:%Y-%m-%d}", count, 100 * count / most)
        for day in found
        for count in [sums.get(f"{day:%Y-%m-%d}", 0)]
    ]


def _steps(run: BacktestRun, result: tally.Tally) -> list[StepRow]:
    """The steps in the order in which they are come to, also those that nobody reached."""
    found, _problems = graph.check(run.graph)
    most = max((each["reached"] for each in result["steps"].values()), default=0) or 1
    rows = []
    for step in _in_order(found) if found else ():
        counted = result["steps"].get(step.id, {"reached": 0, "outcomes": {}})
        rows.append(
            StepRow(
                step.id,
                step.words(),
                counted["reached"],
                100 * counted["reached"] / most,
                sorted(counted["outcomes"].items(), key=lambda one: -one[1]),
                sorted(result["by_step"].get(step.id, {}).items(), key=lambda one: -one[1]),
            )
        )
    return rows


def _in_order(found: Graph) -> list[Step]:
    """The steps from the start on, the nearest first."""
    names = [found.start]
    for name in names:
        names += [target for _path, target in found.steps[name].edges() if target and target not in names]
    return [found.steps[name] for name in names]
