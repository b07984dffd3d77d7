"""Random journeys, random events, a random clock: what must hold for runs whatever happens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import assume, given
from hypothesis import strategies as st

from channels.models import Message
from journeys import engine, graph, publishing, triggers
from journeys.models import Journey, Run, StepEntry
from tests.examples import examples
from tests.factories import NOON, log_event, make_contact, make_version

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PEOPLE = 3
KINDS = [
    "send",
    "wait",
    "wait_for",
    "branch",
    "split",
    "update",
    "exit",
    "hours",
    "date",
    "repeat",
    "list",
    "smart_split",
    "webhook",
]
EVENTS = ("Cart", "Order Completed", "Clicked")
SEND = {"type": "send", "channels": ["email"], "content": {"email": "hello"}, "purpose": "offers"}
RULE = {"event": "Clicked", "within": "since_entry"}


@st.composite
def step(draw: st.DrawFn, number: int, count: int) -> dict[str, Any]:
    """A step that goes on to later steps, or, from a wait, to any."""
    kind = draw(st.sampled_from(KINDS))
    first = 0 if kind in ("wait", "wait_for") else number + 1
    onward = st.sampled_from([*(f"s{n}" for n in range(first, count)), None])
    match kind:
        case "send":
            return {**SEND, "next": draw(onward)}
        case "wait":
            return {"type": "wait", "for": f"{draw(st.integers(1, 80))} hours", "next": draw(onward)}
        case "wait_for":
            return {
                "type": "wait_for",
                "event": draw(st.sampled_from(EVENTS)),
                "timeout": f"{draw(st.integers(1, 80))} hours",
                "next": draw(onward),
                "on_timeout": draw(onward),
            }
        case "branch":
            return {"type": "branch", "branches": [{"if": RULE, "next": draw(onward)}], "else": draw(onward)}
        case "split":
            shares = [{"name": name, "share": 1, "next": draw(onward)} for name in "ab"]
            return {"type": "split", "shares": shares}
        case "update":
            changed = draw(st.sampled_from([number, {"increment": 1}, {"append": number}, {"clear": True}]))
            return {"type": "update", "set": {"seen": changed}, "next": draw(onward)}
        case "exit":
            return {"type": "exit", "reason": "enough"}
        case _:
            return further(draw, kind, onward, count)


def further(draw: st.DrawFn, kind: str, onward: st.SearchStrategy[str | None], count: int) -> dict[str, Any]:
    match kind:
        case "hours":
            return {"type": "wait", "from": "09:00", "to": "17:00", "next": draw(onward)}
        case "date":
            return {"type": "wait", "date": "born", "yearly": draw(st.booleans()), "next": draw(onward)}
        case "repeat":
            back = st.sampled_from([*(f"s{n}" for n in range(count)), None])
            return {"type": "repeat", "most": 2, "again": draw(back), "next": draw(onward)}
        case "list":
            return {"type": "list", "list": "by-hand", "next": draw(onward)}
        case "smart_split":
            ways = [{"name": name, "next": draw(onward)} for name in "ab"]
            return {"type": "smart_split", "prediction": "risk", "ways": ways}
        case _:
            return {
                "type": "webhook",
                "endpoint": "nobody",
                "timeout": f"{draw(st.integers(1, 40))} hours",
                "next": draw(onward),
            }


@st.composite
def journey(draw: st.DrawFn) -> dict[str, Any]:
    """A definition that is in order: steps nobody reaches are left out."""
    count = draw(st.integers(1, 7))
    steps = {f"s{number}": draw(step(number, count)) for number in range(count)}
    modes = [{"mode": "once"}, {"mode": "always"}, {"mode": "window", "window": "2 days"}]
    data: dict[str, Any] = {
        "trigger": {"event": "Cart"},
        "entry": draw(st.sampled_from(modes)),
        "start": "s0",
        "steps": steps,
    }
    if draw(st.booleans()):
        data["goal"] = {"event": "Order Completed", "window": "5 days"}
    while unreached := {
        problem.path for problem in graph.check(data)[1] if problem.message == "is never reached"
    }:
        data["steps"] = {
            name: each for name, each in data["steps"].items() if f"steps.{name}" not in unreached
        }
    assume(not graph.check(data)[1])
    return data


happenings = st.lists(
    st.one_of(
        st.tuples(st.just("event"), st.integers(0, PEOPLE - 1), st.sampled_from(EVENTS)),
        st.tuples(st.just("hours"), st.integers(1, 60), st.just("")),
        st.tuples(st.sampled_from(["back", "leap"]), st.integers(1, 120), st.just("")),
        st.tuples(st.sampled_from(["engine", "triggers", "pause", "resume"]), st.just(0), st.just("")),
    ),
    max_size=25,
)


def settle(now: datetime) -> None:
    while triggers.follow(now) or engine.advance(now):
        pass


def what_always_holds(data: dict[str, Any]) -> None:
    live = list(Run.objects.filter(state=Run.State.LIVE).values_list("contact_id", flat=True))
    assert len(live) == len(set(live))
    assert not Run.objects.filter(state=Run.State.LIVE, due_at=None).exists()
    assert not Run.objects.filter(state=Run.State.FAILED).exists()
    if data["entry"]["mode"] == "once":
        assert Run.objects.count() == Run.objects.values("contact_id").distinct().count()
    taken = StepEntry.objects.values_list("run_id", "visit")
    assert len(taken) == len(set(taken))
    assert Message.objects.count() == StepEntry.objects.filter(outcome="intended").count()


@examples(15)
@given(journey(), happenings)
def test_no_run_is_lost_doubled_or_stuck(data: dict[str, Any], story: list[tuple[str, int, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE journeys_run, journeys_stepentry, channels_message, contacts_event, contacts_oncekey,"
            " contacts_cursor, contacts_contact, journeys_journeyversion, journeys_journey CASCADE"
        )
    version = make_version(data)
    people = [make_contact(attributes={"born": f"1990-03-1{number}"}) for number in range(PEOPLE)]
    now = NOON
    for what, number, name in story:
        match what:
            case "event":
                log_event(people[number], name, now)
            case "hours":
                now += timedelta(hours=number)
            case "back":
                now -= timedelta(minutes=number)
            case "leap":
                now += timedelta(days=40)
            case "engine":
                engine.advance(now)
            case "triggers":
                triggers.follow(now)
            case "pause" | "resume":
                turn(version.journey, what, now)
        what_always_holds(data)
    turn(version.journey, "resume", now)
    for _hour in range(40):
        settle(now)
        assert not Run.objects.filter(state=Run.State.LIVE, due_at__lte=now).exists()
        now += timedelta(hours=13)
    what_always_holds(data)


def turn(journey: Journey, act: str, now: datetime) -> None:
    status = Journey.objects.get(pk=journey.pk).status
    if act in publishing.acts(status):
        {"pause": publishing.pause, "resume": publishing.resume}[act](journey, now)
