"""How many may be inside, whatever comes at once; and what a conversion does to a message that waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from channels import deciding
from channels.models import Message
from contacts import merging_by_hand
from contacts.models import ConsentState, Purpose, Segment
from journeys import clockwork, engine, graph, references, runs, triggers, versions
from journeys.models import Run
from journeys.runs import Entry
from tests import elsewhere
from tests.factories import NOON, log_event, make_contact, make_provider, make_template, make_version
from tests.together import together

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STAY = {"stay": {"type": "wait", "for": "9 days"}}


def live(entry: dict[str, Any], **top: Any) -> versions.Version:
    data = {"trigger": {"event": "Cart"}, "entry": entry, "start": "stay", "steps": STAY, **top}
    made = make_version(data)
    return versions.load([made.id])[made.id]


@pytest.mark.django_db
def test_one_person_has_no_more_live_runs_than_the_limit_over_all_keys() -> None:
    version = live({"mode": "always", "key": "cart", "most_each": 2})
    one, other = make_contact(), make_contact()
    carts = [Entry(one.id, NOON + timedelta(minutes=number), {}, str(number)) for number in range(4)]
    assert runs.enter(version, [*carts, Entry(other.id, NOON, {}, "x")], NOON + HOUR) == 3
    assert sorted(Run.objects.filter(contact=one).values_list("key", flat=True)) == ["0", "1"]
    Run.objects.filter(key="0").update(state=4, due_at=None)
    assert runs.enter(version, carts[2:], NOON + HOUR) == 1


@pytest.mark.django_db(transaction=True)
def test_a_journey_is_never_fuller_than_its_limit_however_many_come_at_once() -> None:
    version = live({"mode": "always", "most_live": 5})
    people = [make_contact() for _ in range(12)]
    lots = [[Entry(person.id, NOON) for person in people[start::3]] for start in range(3)]
    together(*(lambda lot=lot: runs.enter(version, lot, NOON) for lot in lots))
    assert Run.objects.filter(state=1).count() == 5


@pytest.mark.django_db
def test_a_person_who_goes_round_and_round_is_stopped_by_the_days_budget() -> None:
    version = live({"mode": "always"})
    one = make_contact()
    for number in range(runs.ENTRIES_A_DAY + 20):
        runs.enter(version, [Entry(one.id, NOON + timedelta(minutes=number))], NOON + DAY / 2)
        Run.objects.filter(state=1).update(state=4, due_at=None)
    assert Run.objects.count() == runs.ENTRIES_A_DAY
    assert runs.enter(version, [Entry(one.id, NOON + 2 * DAY)], NOON + 2 * DAY) == 1


@pytest.mark.django_db
def test_what_a_rule_names_must_exist() -> None:
    Segment.objects.create(name="Vip", slug="vip", kind="static")
    data = {
        "trigger": {"event": "Cart"},
        "exit": {"segment": "gone"},
        "start": "ask",
        "steps": {
            "ask": {
                "type": "branch",
                "branches": [
                    {"if": {"consent": {"channel": "email", "purpose": "nope"}, "state": "allowed"}}
                ],
                "else": "list",
            },
            "list": {"type": "list", "list": "vip", "next": "hook"},
            "hook": {"type": "webhook", "endpoint": "nowhere"},
        },
    }
    found = [str(problem) for problem in references.missing(graph.parse(data))]
    assert sorted(found) == [
        "exit: no segment is named “gone”",
        "steps.ask: no purpose is named “nope”",
        "steps.hook.endpoint: no endpoint is named “nowhere”",
    ]


@pytest.mark.django_db
def test_increments_of_two_journeys_at_once_both_count() -> None:
    step = {"type": "update", "set": {"points": {"increment": 2}, "tags": {"append": "a"}}}
    one = make_contact(attributes={"points": 1, "tags": ["a"]})
    for slug in ("first", "second"):
        made = make_version({"trigger": {"event": "Cart"}, "start": "up", "steps": {"up": step}}, slug=slug)
        runs.enter(versions.load([made.id])[made.id], [Entry(one.id, NOON)], NOON)
    engine.advance(NOON)
    one.refresh_from_db()
    assert one.attributes == {"points": 5, "tags": ["a"]}


@pytest.mark.django_db
def test_a_repeat_goes_round_so_often_and_then_on() -> None:
    steps = {
        "loop": {"type": "repeat", "most": 3, "again": "pause", "next": "bye"},
        "pause": {"type": "wait", "for": "1 day", "next": "loop"},
        "bye": {"type": "exit", "reason": "enough"},
    }
    one = make_contact()
    version = live({"mode": "once"}, start="loop", steps=steps)
    runs.enter(version, [Entry(one.id, NOON)], NOON)
    for day in range(6):
        engine.advance(NOON + day * DAY)
    run = Run.objects.get()
    assert (run.outcome, run.ended_at) == ("enough", NOON + 3 * DAY)


WORK = """
from journeys import clockwork
while clockwork.tick(now, 2): pass
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["clockwork.written", "clockwork.committed"])
def test_a_clock_killed_at_any_point_is_made_good_and_nobody_enters_twice(point: str) -> None:
    live({"mode": "always"}, trigger={"every": "day", "at": "09:00", "clock": "journey"}, audience={})
    people = [make_contact() for _ in range(5)]
    clockwork.tick(NOON)
    now = NOON + DAY
    assert elsewhere.run(WORK, now=now, crashpoint=f"{point}:2") == 137
    while clockwork.tick(now, 2):
        pass
    assert sorted(Run.objects.values_list("contact_id", flat=True)) == sorted(each.id for each in people)


@pytest.mark.django_db(transaction=True)
def test_a_conversion_while_a_message_is_held_calls_it_off_by_the_policy_alone() -> None:
    Purpose.objects.update_or_create(slug="offers", defaults={"name": "Offers", "transactional": False})
    make_provider("email")
    make_template("hello")
    one = make_contact()
    ConsentState.objects.create(
        contact=one, slot=one.slot, channel="email", purpose="offers", allowed=True, entry_id=0, since=NOON
    )
    send = {"type": "send", "channels": ["email"], "content": {"email": "hello"}, "purpose": "offers"}
    steps = {"mail": {**send, "next": "stay"}, **STAY}
    version = live({"mode": "once"}, start="mail", steps=steps, goal={"event": "Order Completed"})
    runs.enter(version, [Entry(one.id, NOON)], NOON)
    engine.advance(NOON)
    # Held, as by quiet hours; the order comes meanwhile and no engine has looked yet.
    Message.objects.update(state=Message.State.HELD, due_at=NOON + 8 * HOUR)
    log_event(one, "Order Completed", NOON + HOUR)
    deciding.decide_batch(NOON + 8 * HOUR)
    assert Message.objects.get().state == Message.State.CANCELLED
    triggers.follow(NOON + 8 * HOUR)
    engine.advance(NOON + 8 * HOUR)
    assert Run.objects.get().state == Run.State.CONVERTED


@pytest.mark.django_db
def test_of_two_live_runs_of_one_person_the_older_goes_on_after_a_merge() -> None:
    version = live({"mode": "once"})
    one, other = make_contact(), make_contact()
    runs.enter(version, [Entry(one.id, NOON)], NOON)
    runs.enter(version, [Entry(other.id, NOON + HOUR)], NOON + HOUR)
    merging_by_hand.merge_two(one.id, other.id, NOON + DAY, by="test")
    kept = Run.objects.get(state=1)
    assert (kept.entered_at, Run.objects.exclude(state=1).get().outcome) == (NOON, "merged")
