"""The definition of a journey: parsed, checked as a whole, and explained. Pure: knows no table and no clock.

A definition is JSON (see docs/how-to/journeys.md). ``check`` returns every problem with its path, so that a
person can mend them all at once; ``parse`` is for definitions that were checked before they were published.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from contacts import rules
from journeys import local_time
from journeys.entering import EntryRule, Goal, Trigger, read_entry, read_goal, read_trigger
from journeys.fields import CheckedRule, Fields, Problem
from journeys.outcomes import Move, Wanted
from journeys.paths import check_paths
from journeys.steps import KINDS, Step
from journeys.steps.audience import ChangeAudience, read_move
from journeys.steps.listing import ChangeList
from journeys.steps.survey import AskSurvey
from journeys.steps.update import Update
from journeys.steps.webhook import Webhook

LARGEST = 256 * 1024
MOST_STEPS = 500


class GraphError(ValueError):
    """A definition that cannot be used; ``problems`` says where and why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Graph:
    """A journey as the engine walks it."""

    name: str
    zone: str
    trigger: Trigger
    audience: CheckedRule | None
    entry: EntryRule
    goal: Goal | None
    exit: CheckedRule | None
    on_goal: tuple[Move, ...]
    start: str
    steps: Mapping[str, Step]
    notes: Mapping[str, Mapping[str, str]]
    #: Step -> JSON list of the events that must wake a run standing there.
    watching: Mapping[str, str] = field(default_factory=dict)
    #: Step that sends -> what must hold when its message leaves.
    conditions: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    #: Steps that want to know more than verdicts of rules.
    asking: frozenset[str] = frozenset()
    #: Steps that call endpoints. What they were told is there for every message.
    calling: frozenset[str] = frozenset()
    #: Some step looks at the person's clock.
    on_clock: bool = False

    def guards(self) -> tuple[rules.Rule, ...]:
        """The rules that may end a run at any step: goal, then exit rule, of those that there are."""
        return tuple(each.rule for each in (self.goal and self.goal.rule, self.exit) if each)

    def guarded(self, holds: tuple[bool, ...]) -> Literal["goal", "exit", ""]:
        """What the verdicts of ``guards()`` mean. Without verdicts, nothing."""
        if self.goal and holds[:1] == (True,):
            return "goal"
        return "exit" if self.exit and holds[-1:] == (True,) else ""

    def always_watched(self) -> frozenset[str]:
        """Names of events that may end a run wherever it stands: those of goal and exit rule."""
        found = [rule for rule in (self.goal and self.goal.rule, self.exit) if rule]
        return frozenset[str]().union(*(rules.event_names(rule.rule) for rule in found))

    def watched(self) -> frozenset[str]:
        """Names of every event that may wake a run of this journey."""
        return self.always_watched().union(*(step.wakes_on() for step in self.steps.values()))

    def templates(self) -> dict[str, tuple[str, str]]:
        """Path of each named template -> (channel, template's slug)."""
        return {
            f"steps.{step.id}.content.{channel}": (channel, slug)
            for step in self.steps.values()
            if (wanted := step.sends())
            for channel, slug in wanted.content.items()
        }

    def audiences(self) -> dict[str, str]:
        """Path of each named audience -> its slug."""
        named = {f"on_goal[{index}].audience": move.audience for index, move in enumerate(self.on_goal)}
        for step in self.steps.values():
            if isinstance(step, ChangeAudience):
                named[f"steps.{step.id}.audience"] = step.move.audience
        return named

    def lists(self) -> dict[str, str]:
        """Path of each list kept by hand that a step changes -> its slug."""
        return {
            f"steps.{step.id}.list": step.listing.list
            for step in self.steps.values()
            if isinstance(step, ChangeList)
        }

    def endpoints(self) -> dict[str, str]:
        """Path of each endpoint that a step calls -> its slug."""
        return {
            f"steps.{step.id}.endpoint": step.endpoint
            for step in self.steps.values()
            if isinstance(step, Webhook)
        }

    def trigger_segment(self) -> dict[str, str]:
        """Path of the trigger's segment -> its slug, where there is one."""
        return {"trigger.segment": self.trigger.segment} if self.trigger.segment else {}

    def purposes(self) -> dict[str, str]:
        """Path of each named purpose -> its slug."""
        return {
            f"steps.{step.id}.purpose": wanted.purpose
            for step in self.steps.values()
            if (wanted := step.sends())
        }

    def surveys(self) -> dict[str, str]:
        """Path of each survey that a step asks -> its slug."""
        return {
            f"steps.{step.id}.survey": step.survey
            for step in self.steps.values()
            if isinstance(step, AskSurvey)
        }


def parse(data: Any) -> Graph:
    """The graph of ``data``. Raises GraphError with every problem."""
    graph, problems = check(data)
    if graph is None:
        raise GraphError(problems)
    return graph


def check(data: Any) -> tuple[Graph | None, list[Problem]]:
    """The graph of ``data`` or None, and everything that is wrong with it."""
    problems: list[Problem] = []
    if (size := _size(data)) is None or size > LARGEST:
        return None, [Problem("", f"must be plain JSON of at most {LARGEST // 1024} KB")]
    fields = Fields(data, "", problems)
    steps, notes = _read_steps(fields)
    trigger = read_trigger(fields)
    graph = Graph(
        name=fields.text("name", "", most=120),
        zone=_zone(fields),
        trigger=trigger,
        audience=fields.rule("audience"),
        entry=read_entry(fields, recurs=trigger.recurs),
        goal=read_goal(fields),
        exit=fields.rule("exit"),
        on_goal=_read_moves(fields),
        start=fields.text("start", required=True, most=60),
        steps=steps,
        notes=notes,
    )
    fields.raw("description")
    fields.done()
    check_paths(graph.start, steps, problems)
    problems += [
        Problem(f"steps.{step.id}", f"no step that calls an endpoint is named “{name}”")
        for step in steps.values()
        for name in sorted(step.answers())
        if not isinstance(steps.get(name), Webhook)
    ]
    _check_own_events(graph, problems)
    if trigger.schedule and graph.audience is None and not problems:
        problems.append(Problem("audience", "is missing: say who is meant by the schedule ({} is everybody)"))
    return (None if problems else _prepared(graph)), problems


def _prepared(graph: Graph) -> Graph:
    """With what the engine asks of every run worked out once."""
    always = graph.always_watched()
    calling = frozenset(step.id for step in graph.steps.values() if isinstance(step, Webhook))
    return replace(
        graph,
        watching={name: json.dumps(sorted(always | step.wakes_on())) for name, step in graph.steps.items()},
        conditions={
            step.id: _conditions(graph, wanted) for step in graph.steps.values() if (wanted := step.sends())
        },
        asking=frozenset(
            name
            for name, step in graph.steps.items()
            if step.reads() or step.predicts() or step.counts or step.answers() or (calling and step.sends())
        ),
        calling=calling,
        on_clock=any(step.on_clock() for step in graph.steps.values()),
    )


def _conditions(graph: Graph, wanted: Wanted) -> dict[str, Any] | None:
    """What must hold when a message leaves: neither goal nor exit rule, and the step's own conditions."""
    ends = [each for each in (graph.goal and graph.goal.rule, graph.exit) if each]
    parts: list[Any] = [{"not": dict(each.data)} for each in ends]
    if wanted.conditions:
        parts.append(dict(wanted.conditions))
    return {"all": parts} if parts else None


def _size(data: Any) -> int | None:
    try:
        return len(json.dumps(data, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return None


def _zone(fields: Fields) -> str:
    name = fields.text("timezone", "UTC", most=64)
    if not local_time.is_zone(name):
        fields.problem("timezone", "is not an IANA time zone such as Europe/Paris")
    return name


def _read_steps(fields: Fields) -> tuple[dict[str, Step], dict[str, Mapping[str, str]]]:
    raw = fields.raw("steps")
    steps: dict[str, Step] = {}
    notes: dict[str, Mapping[str, str]] = {}
    if not isinstance(raw, Mapping) or not 1 <= len(raw) <= MOST_STEPS:
        fields.problem("steps", f"must name 1 to {MOST_STEPS} steps")
        return steps, notes
    for name, definition in raw.items():
        step_id = str(name)
        inner = Fields(definition, f"steps.{step_id[:60]}", fields.problems)
        if not 0 < len(step_id) <= 60:
            inner.problem("", "must have a name of at most 60 characters")
        if not isinstance(definition, Mapping):
            continue
        kind = KINDS.get(inner.text("type", required=True))
        if kind is None:
            inner.problem("type", f"must be one of {', '.join(KINDS)}")
            continue
        notes[step_id] = _read_note(inner)
        steps[step_id] = kind.read(step_id, inner)
        inner.done()
    return steps, notes


def _read_note(fields: Fields) -> dict[str, str]:
    """Where the step stands in the customer's own journey: for the reader, never for the engine."""
    if not fields.has("note"):
        fields.raw("note")
        return {}
    inner = fields.inner("note")
    note = {name: inner.text(name, most=300) for name in ("stage", "touchpoint", "intention")}
    inner.done()
    return {name: text for name, text in note.items() if text}


def _read_moves(fields: Fields) -> tuple[Move, ...]:
    if not fields.has("on_goal"):
        fields.raw("on_goal")
        return ()
    moves = []
    for entry in fields.items("on_goal", least=1, most=20):
        moves.append(read_move(entry))
        entry.done()
    return tuple(moves)


#: Events that follow from what journeys do. A journey that starts on one of them may start itself.
_OWN = ("Journey ", "Message ")


def _check_own_events(graph: Graph, problems: list[Problem]) -> None:
    name = graph.trigger.event
    own = name.startswith(_OWN) or (
        name == "Identified" and any(isinstance(step, Update) for step in graph.steps.values())
    )
    # What was done with a message is looked at when it is published, with the journeys that send them.
    if graph.entry.mode == "always" and own and not graph.trigger.message:
        problems.append(
            Problem("entry.mode", f"“{name}” follows from journeys themselves: enter once, or once a window")
        )
