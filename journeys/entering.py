"""How a journey begins and what it is for: its trigger, its entry rule and its goal. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from contacts import rules, rules_vocabulary
from journeys import local_time
from journeys.fields import CheckedRule, Fields, checked
from journeys.occasions import (
    MISFIRE,
    Anniversary,
    Schedule,
    read_anniversary,
    read_misfire,
    read_schedule,
)

SEGMENT_EVENTS = {"entered": "Segment Entered", "left": "Segment Left"}
MODES = ("once", "window", "always")
GOAL_WINDOW = timedelta(days=14)
FRESH = timedelta(days=2)
TRIGGERS = ("event", "segment", "message", "inactive_days", "date", "every", "on_request")


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts a run: an event in the log (also a change of segment, or what people did with a message),
    days without a sign of life, a date, a schedule, or somebody who asks for it.

    An event older than ``fresh`` starts nothing: what was imported late is history, not news.
    """

    event: str = ""
    where: tuple[Mapping[str, Any], ...] = ()
    segment: str = ""
    inactive_days: int = 0
    inactive_days_most: int | None = None
    #: What was done with a message, such as ``clicked``.
    message: str = ""
    schedule: Schedule | None = None
    date: Anniversary | None = None
    #: Started from outside: by the API, or from a contact's page.
    on_request: bool = False
    fresh: timedelta = FRESH
    #: An occasion that nobody looked after for so long is not made up for.
    misfire: timedelta = MISFIRE

    @property
    def own_event(self) -> bool:
        """The event is one that Segue writes; who has a key may send another of the same name."""
        return bool(self.segment or self.message)

    @property
    def recurs(self) -> bool:
        """It comes back by itself, so people may enter again unless something else is said."""
        return bool((self.schedule and self.schedule.every != "once") or (self.date and self.date.yearly))

    def words(self) -> str:
        if self.schedule:
            return self.schedule.words()
        if self.date:
            return self.date.words()
        if self.on_request:
            return "When somebody asks for it: by the API, or from the contact's page"
        if self.message:
            only = ", ".join(f"{test['property']} “{test['value']}”" for test in self.where)
            return f"When a message was {self.message}{f' ({only})' if only else ''}"
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
    #: Live runs that one person may have at once over all keys, and the journey over all people.
    most_each: int | None = None
    most_live: int | None = None

    def words(self) -> str:
        limits = [
            f", at most {self.most_each} runs of a person at once" if self.most_each else "",
            f", at most {self.most_live} runs at once" if self.most_live else "",
        ]
        return self._often() + "".join(limits)

    def _often(self) -> str:
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
    if sum(inner.has(name) for name in TRIGGERS) != 1:
        inner.problem("", f"give one of {', '.join(TRIGGERS)}")
    event, segment = inner.text("event"), inner.text("segment", most=60)
    message, filters = _read_message(inner)
    if message:
        event = rules_vocabulary.MESSAGE_EVENTS[message]
    if segment:
        event = SEGMENT_EVENTS[inner.choice("on", tuple(SEGMENT_EVENTS), "entered")]
    days = inner.whole("inactive_days", 0, least=1, most=3650)
    most = inner.whole("inactive_days_most", 0, least=1, most=3650) or None
    if most and most <= days:
        inner.problem("inactive_days_most", "must be more than inactive_days")
    trigger = Trigger(
        event=event,
        where=() if segment else filters if message else read_where(inner, event),
        segment=segment,
        inactive_days=days,
        inactive_days_most=most,
        message=message,
        schedule=read_schedule(inner) if inner.has("every") else None,
        date=read_anniversary(inner) if inner.has("date") else None,
        on_request=inner.flag("on_request"),
        misfire=read_misfire(inner),
        fresh=inner.parsed("fresh", local_time.span, FRESH),
    )
    inner.done()
    return trigger


def _read_message(fields: Fields) -> tuple[str, tuple[Mapping[str, Any], ...]]:
    """What was done with a message, and which messages count, as property filters of its event."""
    if not fields.has("message"):
        fields.raw("message")
        return "", ()
    done = fields.choice("message", tuple(rules_vocabulary.MESSAGE_EVENTS))
    named = {name: fields.text(name, most=60) for name in rules_vocabulary.MESSAGE_FILTERS}
    return done, tuple(
        {"property": name, "op": "is", "value": value} for name, value in named.items() if value
    )


def read_where(fields: Fields, event: str) -> tuple[Mapping[str, Any], ...]:
    """Property filters, checked by the rule language itself."""
    where = fields.raw("where")
    if where is None:
        return ()
    if checked({"event": event or "?", "where": where}, fields.path, fields.problems) is None:
        return ()
    return tuple(where) if isinstance(where, Sequence) else ()


def read_entry(fields: Fields, *, recurs: bool) -> EntryRule:
    """The entry rule; where the trigger ``recurs`` and nothing is said, people may enter again."""
    usual = "always" if recurs else "once"
    if not fields.has("entry"):
        fields.raw("entry")
        return EntryRule(usual)
    inner = fields.inner("entry")
    mode = inner.choice("mode", MODES, usual)
    if recurs and mode == "once":
        inner.problem("mode", "the trigger comes back, but nobody may enter again: choose window or always")
    window = inner.parsed("window", local_time.span, None, required=mode == "window")
    if window and mode != "window":
        inner.problem("window", 'goes with mode "window"')
    rule = EntryRule(
        mode,
        window,
        inner.text("key", most=60),
        inner.whole("most_each", 0, least=1, most=1000) or None,
        inner.whole("most_live", 0, least=1, most=100_000_000) or None,
    )
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
