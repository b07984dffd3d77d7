"""How a journey begins and what it is for: its trigger, its entry rule and its goal. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from contacts import rules
from journeys import local_time
from journeys.fields import CheckedRule, Fields, checked

SEGMENT_EVENTS = {"entered": "Segment Entered", "left": "Segment Left"}
MODES = ("once", "window", "always")
GOAL_WINDOW = timedelta(days=14)
FRESH = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts a run: an event in the log (also a change of segment), or days without a sign of life.

    An event older than ``fresh`` starts nothing: what was imported late is history, not news.
    """

    event: str = ""
    where: tuple[Mapping[str, Any], ...] = ()
    segment: str = ""
    inactive_days: int = 0
    inactive_days_most: int | None = None
    fresh: timedelta = FRESH

    def words(self) -> str:
        if self.segment:
            verb = "enters" if self.event == SEGMENT_EVENTS["entered"] else "leaves"
            return f"When somebody {verb} segment “{self.segment}”"
        if self.inactive_days:
            most = f" (but at most {self.inactive_days_most})" if self.inactive_days_most else ""
            return f"When nothing was heard of somebody for {self.inactive_days} days{most}"
        if not self.where:
            return f"When “{self.event}” happens"
        rule = rules.parse({"event": self.event, "where": list(self.where)})
        return f"When this happens: {rules.explain(rule)}"


@dataclass(frozen=True, slots=True)
class EntryRule:
    """How often one contact may enter. With ``key``, each value of that property is counted by itself."""

    mode: str = "once"
    window: timedelta | None = None
    key: str = ""

    def words(self) -> str:
        per = f" per {self.key}" if self.key else ""
        if self.mode == "once":
            return f"Each person once{per}"
        if self.window:
            return f"Each person once in {local_time.span_words(self.window)}{per}"
        return f"Each person again and again{per}, one run at a time"


@dataclass(frozen=True, slots=True)
class Goal:
    """What the journey is for. When ``rule`` holds the run ends; within ``window`` of entry it converted.

    ``event`` and ``value`` name the event that was hoped for and its property that holds the value.
    """

    rule: CheckedRule
    event: str
    where: tuple[Mapping[str, Any], ...]
    value: str
    window: timedelta

    def words(self) -> str:
        worth = f", worth its “{self.value}”" if self.value else ""
        return f"{rules.explain(self.rule.rule)}, within {local_time.span_words(self.window)} of entry{worth}"


def read_trigger(fields: Fields) -> Trigger:
    if not fields.has("trigger"):
        fields.raw("trigger")
        fields.problem("trigger", "is missing: say what starts the journey")
        return Trigger()
    inner = fields.inner("trigger")
    given = [name for name in ("event", "segment", "inactive_days") if inner.has(name)]
    if len(given) != 1:
        inner.problem("", 'give one of "event", "segment" or "inactive_days"')
    event, segment = inner.text("event"), inner.text("segment", most=60)
    if segment:
        event = SEGMENT_EVENTS[inner.choice("on", tuple(SEGMENT_EVENTS), "entered")]
    days = inner.whole("inactive_days", 0, least=1, most=3650)
    most = inner.whole("inactive_days_most", 0, least=1, most=3650) or None
    if most and most <= days:
        inner.problem("inactive_days_most", "must be more than inactive_days")
    trigger = Trigger(
        event=event,
        where=() if segment else read_where(inner, event),
        segment=segment,
        inactive_days=days,
        inactive_days_most=most,
        fresh=inner.parsed("fresh", local_time.span, FRESH),
    )
    inner.done()
    return trigger


def read_where(fields: Fields, event: str) -> tuple[Mapping[str, Any], ...]:
    """Property filters, checked by the rule language itself."""
    where = fields.raw("where")
    if where is None:
        return ()
    if checked({"event": event or "?", "where": where}, fields.path, fields.problems) is None:
        return ()
    return tuple(where) if isinstance(where, Sequence) else ()


def read_entry(fields: Fields) -> EntryRule:
    if not fields.has("entry"):
        fields.raw("entry")
        return EntryRule()
    inner = fields.inner("entry")
    mode = inner.choice("mode", MODES, "once")
    window = inner.parsed("window", local_time.span, None, required=mode == "window")
    if window and mode != "window":
        inner.problem("window", 'goes with mode "window"')
    rule = EntryRule(mode, window, inner.text("key", most=60))
    inner.done()
    return rule


def read_goal(fields: Fields) -> Goal | None:
    if not fields.has("goal"):
        fields.raw("goal")
        return None
    inner = fields.inner("goal")
    event = inner.text("event")
    where = read_where(inner, event)
    rule = inner.rule("rule")
    if not event and not inner.has("rule"):
        inner.problem("", 'give "event" or "rule"')
    if rule is None and event:
        wanted: dict[str, Any] = {"event": event, "count": {"gte": 1}, "within": "since_entry"}
        rule = checked(wanted | ({"where": list(where)} if where else {}), inner.path, inner.problems)
    value = inner.text("value", most=60)
    if value and not event:
        inner.problem("value", "is a property of an event: name the event too")
    window = inner.parsed("window", local_time.span, GOAL_WINDOW)
    inner.done()
    return Goal(rule, event, where, value, window) if rule else None
