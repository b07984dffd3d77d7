from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import InternalError

from channels.models import Message
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Contact, Event, OnceKey
from journeys.backtest import arriving, playing, replaying, running
from journeys.backtest.running import CannotAskError
from journeys.models import BacktestPart, BacktestRun, Journey, Run, StepEntry
from tests.factories import NOON, log_event, make_contact, make_provider
from tests.statements import statements

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START, NOW = NOON - 10 * DAY, NOON
MAIL = {"type": "send", "channels": ["email"], "content": {"email": "hello"}, "purpose": "offers"}
GRAPH: dict[str, Any] = {
    "trigger": {"event": "Cart"},
    "goal": {"event": "Order Completed", "value": "total"},
    "start": "mail",
    "steps": {
        "mail": {**MAIL, "next": "pause"},
        "pause": {"type": "wait", "for": "1 day", "next": "again"},
        "again": {**MAIL},
    },
}


def subscriber(**values: Any) -> Contact:
    contact = make_contact(now=START - 30 * DAY, timezone="Europe/Paris", **values)
    consent.record([NewConsent(contact.id, "email", "offers", True, "test")], START - DAY)
    return contact


def drafted(graph: dict[str, Any] = GRAPH) -> Journey:
    make_provider("email")
    return Journey.objects.create(name="Carts", slug="carts", draft=graph)


def ask(journey: Journey, **more: Any) -> BacktestRun:
    return running.ask(journey, None, START, NOW, NOW, **more)


def played(journey: Journey, **more: Any) -> BacktestRun:
    run = ask(journey, **more)
    while playing.work(lambda: NOW, seconds=20):
        pass
    run.refresh_from_db()
    assert run.error == ""
    return run


def accepted(contact: Contact, at: Any, **more: Any) -> Message:
    values = {"origin_kind": "journey", "origin_slug": "other", "channel": "email", "purpose": "offers"}
    return Message.objects.create(
        created_at=at, accepted_at=at, slot=contact.slot, contact=contact, state=6, key=uuid.uuid4(),
        **{**values, **more},
    )  # fmt: skip


def test_a_draft_tells_entries_steps_messages_and_conversions() -> None:
    buyer, other = subscriber(), subscriber()
    for person in (buyer, other):
        log_event(person, "Cart", START + DAY)
    log_event(buyer, "Order Completed", START + DAY + 2 * HOUR, total=42.5)
    run = played(drafted())
    assert run.state == BacktestRun.State.DONE
    result = run.result or {}
    assert (result["people"], result["entries"]) == (2, 2)
    assert result["ends"] == {"goal": 1, "completed": 1}
    assert (result["converted"], result["value"]) == ({"after_message": 1}, 42.5)
    assert result["messages"] == {"email": 3}
    assert result["per_person"] == {"1": 1, "2": 1}
    assert result["steps"]["pause"] == {"reached": 2, "outcomes": {"waited": 1, "goal": 1}}


def test_it_writes_nothing_but_its_own_result() -> None:
    log_event(subscriber(), "Cart", START + DAY)
    before = Event.objects.count()
    played(drafted())
    assert Event.objects.count() == before
    for table in (Run, StepEntry, Message, OnceKey):
        assert not table.objects.exists()


def test_while_a_lot_is_played_the_database_takes_no_writing() -> None:
    playing.only_read()
    with pytest.raises(InternalError, match="read-only"):
        Run.objects.all().delete()


def test_messages_of_other_journeys_count_as_pressure() -> None:
    contact = subscriber()
    log_event(contact, "Cart", START + DAY)
    for hours in (1, 2, 3):
        accepted(contact, START + DAY - hours * HOUR)
    result = played(drafted(), line=3).result or {}
    assert result["met"] == {"other": 1}
    assert result["met_people"] == 1
    assert "before" not in result["pressed"]
    assert result["pressed"]["after"] == 1


def test_what_the_same_journey_really_sent_is_not_counted_twice() -> None:
    contact = subscriber()
    journey = drafted()
    log_event(contact, "Cart", START + DAY)
    accepted(contact, START + DAY, origin_id=journey.pk, origin_slug="carts", entered_at=START + DAY)
    result = played(journey).result or {}
    assert result["met"] == {}
    assert result["pressed"]["weekly"] == {"2": 1}


def test_who_did_not_consent_then_is_dropped_with_the_reason() -> None:
    contact = make_contact(now=START - 30 * DAY)
    log_event(contact, "Cart", START + DAY)
    consent.record([NewConsent(contact.id, "email", "offers", True, "test")], START + 5 * DAY)
    result = played(drafted()).result or {}
    assert result["messages"] == {}
    assert result["dropped"] == {"not_asked": 2}


def test_somebody_quiet_for_long_enters_when_the_time_is_over() -> None:
    contact = subscriber()
    log_event(contact, "Visit", START - 3 * DAY)
    journey = drafted({**GRAPH, "trigger": {"inactive_days": 5}})
    result = played(journey).result or {}
    assert result["entries"] == 1
    lines = running.story(BacktestRun.objects.get(), contact.id)
    assert (lines[0].what, lines[0].at) == ("entered", START + 2 * DAY)


def test_examples_are_told_day_by_day() -> None:
    contact = subscriber()
    log_event(contact, "Cart", START + DAY)
    run = played(drafted())
    assert [one["contact"] for one in (run.result or {})["examples"]] == [contact.id]
    told = [(line.what, line.step, line.word) for line in running.story(run, contact.id)]
    assert told == [
        ("entered", "", ""),
        ("step", "mail", "intended"),
        ("send", "mail", "email"),
        ("step", "pause", "waited"),
        ("step", "again", "intended"),
        ("ended", "", "completed"),
        ("send", "again", "email"),
    ]


def test_a_cancelled_one_is_let_go_and_stays_cancelled() -> None:
    run = ask(drafted())
    assert running.cancel(run, NOW)
    assert playing.work(lambda: NOW, seconds=20) == 0
    run.refresh_from_db()
    assert (run.state, run.result) == (BacktestRun.State.CANCELLED, None)
    assert not running.cancel(run, NOW)


def test_work_goes_on_where_another_worker_died() -> None:
    log_event(subscriber(), "Cart", START + DAY)
    run = ask(drafted())
    assert playing.work(lambda: NOW, seconds=0.0001) <= 1
    done, every = running.progress(run)
    assert done < every
    while playing.work(lambda: NOW, seconds=20):
        pass
    run.refresh_from_db()
    assert (run.state, (run.result or {})["entries"]) == (BacktestRun.State.DONE, 1)


def test_a_sample_plays_some_lots_alone() -> None:
    run = ask(drafted(), lots=4)
    assert list(run.parts.order_by("slot").values_list("slot", flat=True)) == [0, 16, 32, 48]


@pytest.mark.parametrize(
    ("start", "end"),
    [(NOW, START), (START, NOW + DAY), (NOW - 200 * DAY, NOW)],
    ids=["order", "future", "long"],
)
def test_a_time_that_cannot_be_played_is_refused(start: Any, end: Any) -> None:
    with pytest.raises(CannotAskError):
        running.ask(drafted(), None, start, end, NOW)


def test_answers_are_forgotten_in_time() -> None:
    run = played(drafted())
    assert running.expire(run.expires_at - HOUR) == 0
    assert running.expire(run.expires_at) > 0
    assert not BacktestPart.objects.exists()


def test_the_number_of_statements_does_not_grow_with_people() -> None:
    for _person in range(12):
        log_event(subscriber(), "Cart", START + DAY)
    run = ask(drafted())
    asked = running.question(run)
    few, many = arriving.lives(asked, range(64))[:2], arriving.lives(asked, range(64))
    with statements() as for_few:
        replaying.play(asked, few)
    with statements() as for_many:
        replaying.play(asked, many)
    assert for_many.total == for_few.total


def test_an_endpoint_is_not_called_and_taken_to_answer_at_once() -> None:
    log_event(subscriber(), "Cart", START + DAY)
    steps = {"call": {"type": "webhook", "endpoint": "crm", "next": "mail"}, "mail": MAIL}
    result = played(drafted({**GRAPH, "start": "call", "steps": steps})).result or {}
    assert result["steps"]["call"]["outcomes"] == {"answered": 1}
    assert result["messages"] == {"email": 1}


def test_a_run_goes_round_as_often_as_it_may() -> None:
    log_event(subscriber(), "Cart", START + DAY)
    steps = {
        "mail": {**MAIL, "next": "pause"},
        "pause": {"type": "wait", "for": "1 day", "next": "round"},
        "round": {"type": "repeat", "most": 2, "again": "mail"},
    }
    result = played(drafted({**GRAPH, "start": "mail", "steps": steps})).result or {}
    assert result["messages"] == {"email": 3}
    assert result["steps"]["round"]["outcomes"] == {"again": 2, "limit": 1}
