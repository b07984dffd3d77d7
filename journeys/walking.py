"""One run on its way through one batch: takes steps until it must wait or ends. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

import msgspec

from journeys.graph import Graph
from journeys.outcomes import Advance, Call, Exit, Facts, Listing, Move, WaitFor, WaitUntil, Wanted

Instants = datetime | Mapping[int, datetime]
"The instant at which all runs of a batch are moved, or, in a replay, each run's own by its id."

BUDGET = 100
"Steps one run may take at one instant. More means a loop that validation could not see."


class End(IntEnum):
    """How a run stands after a batch; the values are those of the table."""

    LIVE = 1
    COMPLETED = 2
    CONVERTED = 3
    EXITED = 4
    FAILED = 5


@dataclass(frozen=True, slots=True)
class Taken:
    """One step taken, for the step log."""

    step: str
    visit: int
    outcome: str
    detail: dict[str, Any] | None = None


@dataclass(slots=True)
class Walk:
    """A run being advanced. Starts as its row says; collects what must be written when it comes to rest."""

    run_id: int
    slot: int
    contact_id: int
    journey_id: int
    version_id: int
    step: str
    visit: int
    since: datetime
    entered_at: datetime
    #: Properties of the event that started the run, as JSON: few steps look at them.
    entry_json: str
    graph: Graph
    moving: bool = True
    end: End = End.LIVE
    outcome: str = ""
    due_at: datetime | None = None
    value: float | None = None
    #: What it wished for and has not left yet is not wanted any more.
    called_off: bool = False
    taken: list[Taken] = field(default_factory=list)
    wanted: tuple[tuple[str, int, Wanted], ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    moves: tuple[Move, ...] = ()
    listings: tuple[Listing, ...] = ()
    #: In a replay, which has no step log: step -> how often the run went round from there.
    rounds: Mapping[str, int] | None = None
    #: A call of an endpoint that it waits for.
    call: Call | None = None
    #: What endpoints told this run, by step. A replay, which calls nobody, has none.
    answers: Mapping[str, Mapping[str, Any]] | None = None

    @property
    def entry(self) -> dict[str, Any]:
        """Properties of the event that started the run."""
        found: dict[str, Any] = msgspec.json.decode(self.entry_json)
        return found

    def advance(self, facts: Facts, now: datetime) -> None:
        """Take the step the run stands on."""
        if len(self.taken) >= BUDGET:
            self.fail(f"took {BUDGET} steps at one instant", now)
            return
        match self.graph.steps[self.step].decide(self, facts, now):
            case Advance() as on:
                self._log(on.outcome, None if on.detail is None else dict(on.detail))
                if on.wanted:
                    self.wanted += tuple((self.step, self.visit, wanted) for wanted in on.wanted)
                if on.moves:
                    self.moves += on.moves
                self.listings += on.listings
                self._go_on(on.next, now)
                self.changes = {**self.changes, **on.changes}
                if (on.changes or on.listings) and self.moving:
                    # Rules of later steps must see the change, so they wait for it to be written.
                    self.rest(now)
            case WaitUntil(at):
                self.rest(at)
            case WaitFor(timeout_at, call, wanted):
                self.rest(timeout_at)
                self.call = call
                self.wanted += tuple((self.step, self.visit, each) for each in wanted)
            case Exit(reason):
                self._log("exited", {"reason": reason})
                self.finish(End.EXITED, reason)

    def _go_on(self, step: str | None, now: datetime) -> None:
        self.visit += 1
        if step is None:
            self.finish(End.COMPLETED, "completed")
        else:
            self.step, self.since = step, now

    def rest(self, due_at: datetime) -> None:
        """Stay at this step until ``due_at``."""
        self.moving, self.due_at = False, due_at

    def finish(self, end: End, outcome: str) -> None:
        """End the run; ``outcome`` is what reports count."""
        self.moving, self.due_at, self.end, self.outcome = False, None, end, outcome[:60]

    def leave(self, end: End, outcome: str, detail: dict[str, Any] | None = None) -> None:
        """End the run from outside its steps: goal, exit rule, a journey that was stopped."""
        self._log(outcome, detail)
        self.finish(end, outcome)
        self.called_off = True

    def fail(self, cause: str, now: datetime) -> None:
        """Set the run aside at its step with a cause. What it did in this batch is not done."""
        if self.taken:
            first = self.taken[0]
            self.step, self.visit, self.since = first.step, first.visit, now
        self.taken, self.wanted, self.moves, self.listings, self.changes = [], (), (), (), {}
        self._log("failed", {"cause": cause[:2000]})
        self.finish(End.FAILED, cause)

    def _log(self, outcome: str, detail: dict[str, Any] | None = None) -> None:
        self.taken.append(Taken(self.step, self.visit, outcome, detail))


def instant_of(walk: Walk, now: Instants) -> datetime:
    """The instant at which ``walk`` is moved."""
    return now if isinstance(now, datetime) else now[walk.run_id]
