from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from channels.models import Audience, AudienceMember, Message
from contacts.models import Contact, Event, Purpose
from journeys import engine, publishing, runs, versions
from journeys.models import Journey, JourneyVersion, Run, StepEntry
from journeys.runs import Entry
from tests.factories import NOON, log_event, make_contact, make_version
from tests.statements import statements

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SEND = {"type": "send", "channels": ["email"], "content": {"email": "hello"}, "purpose": "offers"}
PAUSE = {"type": "wait", "for": "2 days"}


def begin(steps: dict[str, Any], *contacts: Contact, **top: Any) -> JourneyVersion:
    """A live journey of ``steps`` with a run of each contact, entered at noon."""
    graph = {"trigger": {"event": "Start"}, "start": next(iter(steps)), "steps": steps, **top}
    version = make_version(graph)
    enter(version, *contacts)
    return version


def enter(version: JourneyVersion, *contacts: Contact, at: datetime = NOON, **properties: Any) -> int:
    entries = [Entry(contact.id, at, properties) for contact in contacts]
    return runs.enter(versions.load([version.id])[version.id], entries, at)


def the_run() -> Run:
    return Run.objects.get()


def path() -> list[tuple[str, str]]:
    return list(StepEntry.objects.order_by("visit", "id").values_list("step", "outcome"))


def events(name: str) -> list[dict[str, Any]]:
    return list(Event.objects.filter(name=name).values_list("properties", flat=True))


def test_a_run_takes_all_the_steps_it_can_and_then_waits() -> None:
    begin(
        {"mail": {**SEND, "next": "pause"}, "pause": {**PAUSE, "next": "mail2"}, "mail2": SEND},
        make_contact(),
    )
    assert engine.advance(NOON) == 1
    run = the_run()
    assert (run.state, run.step, run.due_at) == (Run.State.LIVE, "pause", NOON + 2 * DAY)
    assert path() == [("mail", "intended")]


def test_a_waiting_run_goes_on_when_its_time_has_come_and_not_before() -> None:
    begin({"pause": {**PAUSE, "next": "mail"}, "mail": SEND}, make_contact())
    engine.advance(NOON)
    assert engine.advance(NOON + 2 * DAY - HOUR) == 0
    assert engine.advance(NOON + 2 * DAY) == 1
    run = the_run()
    assert (run.state, run.outcome, run.due_at) == (Run.State.COMPLETED, "completed", None)
    assert path() == [("pause", "waited"), ("mail", "intended")]


def test_a_wait_on_the_clock_uses_the_persons_own_zone() -> None:
    steps = {"pause": {"type": "wait", "days": 1, "at": "09:00"}}
    begin(steps, make_contact(timezone="America/New_York"), timezone="Europe/Paris")
    engine.advance(NOON)
    assert the_run().due_at == datetime(2026, 3, 11, 13, tzinfo=UTC)


def test_a_wait_on_the_clock_falls_back_to_the_inferred_zone_and_then_to_the_journeys() -> None:
    steps = {"pause": {"type": "wait", "days": 1, "at": "09:00"}}
    guessed, unknown = make_contact(inferred={"timezone": "Asia/Tokyo"}), make_contact()
    begin(steps, guessed, unknown, timezone="Europe/Paris")
    engine.advance(NOON)
    due = dict(Run.objects.values_list("contact_id", "due_at"))
    assert due == {
        guessed.id: datetime(2026, 3, 11, 0, tzinfo=UTC),
        unknown.id: datetime(2026, 3, 11, 8, tzinfo=UTC),
    }


def test_a_message_carries_who_wants_it_and_what_must_still_hold() -> None:
    Purpose.objects.update_or_create(slug="offers", defaults={"name": "Offers", "transactional": False})
    contact = make_contact()
    version = begin(
        {"mail": {**SEND, "deadline": "2 days", "conditions": {"attribute": "country", "value": "FR"}}},
        contact,
        goal={"event": "Order Completed"},
        exit={"segment": "staff"},
    )
    engine.advance(NOON)
    message = Message.objects.get()
    assert (message.contact_id, message.origin_id, message.origin_run) == (
        contact.id,
        version.journey_id,
        the_run().id,
    )
    assert message.deadline_at == NOON + 2 * DAY
    assert message.conditions == {
        "all": [
            {"not": {"event": "Order Completed", "count": {"gte": 1}, "within": "since_entry"}},
            {"not": {"segment": "staff"}},
            {"attribute": "country", "value": "FR"},
        ]
    }


def test_a_branch_is_taken_by_the_first_rule_that_holds() -> None:
    french, other = make_contact(country="FR"), make_contact(country="DE")
    begin(
        {
            "where": {
                "type": "branch",
                "branches": [
                    {"name": "French", "if": {"attribute": "country", "value": "FR"}, "next": "bye"}
                ],
                "else": None,
            },
            "bye": {"type": "exit", "reason": "french"},
        },
        french,
        other,
    )
    engine.advance(NOON)
    outcomes = dict(Run.objects.values_list("contact_id", "outcome"))
    assert outcomes == {french.id: "french", other.id: "completed"}


def test_reaching_the_goal_ends_the_run_at_once_and_calls_off_its_messages() -> None:
    Audience.objects.create(name="Abandoners", slug="abandoners")
    contact = make_contact()
    begin(
        {
            "list": {"type": "audience", "audience": "abandoners", "next": "mail"},
            "mail": {**SEND, "next": "pause"},
            "pause": PAUSE,
        },
        contact,
        goal={"event": "Order Completed", "value": "total"},
        on_goal=[{"audience": "abandoners", "action": "remove"}],
    )
    engine.advance(NOON)
    assert AudienceMember.objects.get().state == "adding"
    log_event(contact, "Order Completed", NOON + HOUR, total=42.5)
    Run.objects.update(due_at=NOON + HOUR)
    engine.advance(NOON + HOUR)
    run = the_run()
    assert (run.state, run.outcome, run.ended_at) == (Run.State.CONVERTED, "goal", NOON + HOUR)
    assert Message.objects.get().state == Message.State.CANCELLED
    assert AudienceMember.objects.get().state == "removing"
    assert events("Journey Converted") == [{"journey": "trial", "version": 1, "value": 42.5}]
    assert events("Journey Ended") == [{"journey": "trial", "version": 1, "outcome": "goal"}]


def test_a_goal_reached_after_its_window_ends_the_run_and_does_not_count() -> None:
    contact = make_contact()
    begin(
        {"pause": {"type": "wait", "for": "30 days"}},
        contact,
        goal={"event": "Order Completed", "window": "1 day"},
    )
    log_event(contact, "Order Completed", NOON + 2 * DAY)
    engine.advance(NOON + 2 * DAY + HOUR)
    assert (the_run().state, the_run().outcome) == (Run.State.EXITED, "goal_late")
    assert events("Journey Converted") == []


def test_an_order_from_before_the_entry_is_no_conversion() -> None:
    contact = make_contact()
    log_event(contact, "Order Completed", NOON - HOUR)
    begin({"pause": PAUSE}, contact, goal={"event": "Order Completed"})
    engine.advance(NOON)
    assert the_run().state == Run.State.LIVE


def test_the_exit_rule_ends_the_run_without_a_conversion() -> None:
    begin({"mail": SEND}, make_contact(country="FR"), exit={"attribute": "country", "value": "FR"})
    engine.advance(NOON)
    assert (the_run().state, the_run().outcome) == (Run.State.EXITED, "exit rule")
    assert not Message.objects.exists()


def test_waiting_for_an_event_takes_the_one_way_or_after_the_timeout_the_other() -> None:
    quick, slow = make_contact(), make_contact()
    begin(
        {
            "wait": {
                "type": "wait_for",
                "event": "Clicked",
                "timeout": "2 days",
                "next": "yes",
                "on_timeout": "no",
            },
            "yes": {"type": "exit", "reason": "clicked"},
            "no": {"type": "exit", "reason": "silent"},
        },
        quick,
        slow,
    )
    engine.advance(NOON)
    assert set(Run.objects.values_list("due_at", flat=True)) == {NOON + 2 * DAY}
    assert Run.objects.first().watching == ["Clicked"]  # type: ignore[union-attr]
    log_event(quick, "Clicked", NOON + HOUR)
    engine.advance(NOON + 2 * DAY)
    outcomes = dict(Run.objects.values_list("contact_id", "outcome"))
    assert outcomes == {quick.id: "clicked", slow.id: "silent"}


def test_attributes_set_by_a_step_are_seen_by_the_rules_after_it() -> None:
    contact = make_contact(attributes={"stage": "new", "old": 1})
    version = make_version(
        {
            "trigger": {"event": "Start"},
            "start": "set",
            "steps": {
                "set": {
                    "type": "update",
                    "set": {"stage": "cart", "old": None, "cart": {"entry": "cart_id"}},
                    "next": "look",
                },
                "look": {
                    "type": "branch",
                    "branches": [{"if": {"attribute": "stage", "value": "cart"}, "next": "bye"}],
                },
                "bye": {"type": "exit", "reason": "seen"},
            },
        }
    )
    enter(version, contact, cart_id="c9")
    while engine.advance(NOON):
        pass
    contact.refresh_from_db()
    assert contact.attributes == {"stage": "cart", "cart": "c9"}
    assert the_run().outcome == "seen"


def test_a_step_that_fails_sets_its_run_aside_with_the_cause_and_leaves_neighbours_alone() -> None:
    good, bad = make_contact(), make_contact()
    version = begin({"mail": {**SEND, "next": "pause"}, "pause": PAUSE}, good, bad)
    # A far future beyond what a date can hold: the step raises for this run alone.
    Run.objects.filter(contact=bad).update(step="pause", since=datetime(9999, 12, 31, tzinfo=UTC))
    engine.advance(NOON)
    states = dict(Run.objects.values_list("contact_id", "state"))
    assert states == {good.id: Run.State.LIVE, bad.id: Run.State.FAILED}
    entry = StepEntry.objects.get(outcome="failed")
    assert entry.detail is not None
    assert "OverflowError" in entry.detail["cause"]
    assert entry.version_id == version.id


def test_a_run_that_spoils_the_whole_batch_is_found_and_set_aside() -> None:
    people = [make_contact() for _ in range(9)]
    begin({"mail": {**SEND, "next": "pause"}, "pause": PAUSE}, *people)
    # A step that no version knows fails before anything is written.
    Run.objects.filter(contact=people[4]).update(step="vanished")
    assert engine.advance(NOON) == 9
    failed = Run.objects.filter(state=Run.State.FAILED)
    assert [run.contact_id for run in failed] == [people[4].id]
    assert Run.objects.filter(state=Run.State.LIVE, step="pause").count() == 8
    assert Message.objects.count() == 8


def test_a_failed_run_can_be_tried_again_or_skipped() -> None:
    first, second = make_contact(), make_contact()
    begin({"mail": {**SEND, "next": "pause"}, "pause": PAUSE}, first, second)
    Run.objects.update(state=Run.State.FAILED, due_at=None, ended_at=NOON, outcome="broken")
    by_contact = dict(Run.objects.values_list("contact_id", "id"))
    assert runs.retry([by_contact[first.id]], NOON) == 1
    assert runs.skip([by_contact[second.id]], {by_contact[second.id]: "pause"}, NOON) == 1
    engine.advance(NOON)
    assert set(Run.objects.values_list("state", "step")) == {(Run.State.LIVE, "pause")}
    assert [message.contact_id for message in Message.objects.all()] == [first.id]


def test_a_paused_journey_moves_nobody_and_goes_on_when_resumed() -> None:
    version = begin({"pause": {**PAUSE, "next": "mail"}, "mail": SEND}, make_contact())
    engine.advance(NOON)
    publishing.pause(version.journey, NOON)
    engine.advance(NOON + 3 * DAY)
    assert the_run().step == "pause"
    assert the_run().due_at == NOON + 3 * DAY + engine.PARKED
    publishing.resume(version.journey, NOON + 3 * DAY + timedelta(minutes=1))
    engine.advance(NOON + 3 * DAY + timedelta(minutes=1))
    assert the_run().state == Run.State.COMPLETED


def test_a_stopped_journey_lets_everybody_out_and_calls_off_messages() -> None:
    version = begin({"mail": {**SEND, "next": "pause"}, "pause": PAUSE}, make_contact())
    engine.advance(NOON)
    publishing.stop(version.journey, NOON + HOUR)
    engine.advance(NOON + HOUR)
    assert (the_run().state, the_run().outcome) == (Run.State.EXITED, "stopped")
    assert Message.objects.get().state == Message.State.CANCELLED


def test_every_live_run_has_a_wakeup_after_whatever_step() -> None:
    begin(
        {
            "deal": {
                "type": "split",
                "shares": [
                    {"name": "a", "share": 1, "next": "pause"},
                    {"name": "b", "share": 1, "next": "wait"},
                ],
            },
            "pause": PAUSE,
            "wait": {"type": "wait_for", "event": "X", "timeout": "1 day"},
        },
        *[make_contact() for _ in range(20)],
    )
    engine.advance(NOON)
    assert set(Run.objects.values_list("step", flat=True)) == {"pause", "wait"}
    assert not Run.objects.filter(state=Run.State.LIVE, due_at__isnull=True).exists()


def test_the_number_of_statements_does_not_depend_on_the_number_of_people() -> None:
    Audience.objects.create(name="List", slug="list")
    steps = {
        "look": {
            "type": "branch",
            "branches": [{"if": {"event": "Order Completed", "within": "30 days"}, "next": "list"}],
            "else": "mail",
        },
        "list": {"type": "audience", "audience": "list", "next": "mail"},
        "mail": {**SEND, "next": "pause"},
        "pause": {"type": "wait", "days": 2, "at": "09:00"},
    }
    counts = []
    version = begin(steps, goal={"event": "Bought"}, exit={"attribute": "country", "value": "XX"})
    for people in (1, 10, 1000):  # the first warms what is kept
        contacts = Contact.objects.bulk_create(
            Contact(
                slot=0,
                first_seen_at=NOON,
                last_seen_at=NOON,
                updated_at=NOON,
                email=f"{people}-{number}@example.com",
            )
            for number in range(people)
        )
        with connection.cursor() as cursor:
            cursor.execute("UPDATE contacts_contact SET slot = id %% 64", [])
        for contact in contacts[::2]:
            log_event(contact, "Order Completed", NOON - HOUR)
        enter(version, *contacts)
        with statements() as count:
            assert engine.advance(NOON, limit=64 * 1000) >= people // 3
        counts.append(count.total)
        Run.objects.all().delete()
    assert counts[1] == counts[2]


def test_a_second_worker_takes_other_slots_or_nothing() -> None:
    begin({"pause": PAUSE}, make_contact())
    assert Journey.objects.get().status == "live"
    assert engine.advance(NOON) == 1
    assert engine.advance(NOON) == 0
