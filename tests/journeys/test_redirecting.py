from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from channels.models import Message, Template
from contacts.models import Event, Purpose
from journeys import engine, publishing, redirecting, runs, versions
from journeys.models import Journey, JourneyVersion, Redirect, Run, StepEntry
from journeys.publishing import NotAllowedError
from journeys.redirecting import Choice
from journeys.runs import Entry
from tests.factories import NOON, make_contact, make_version
from tests.journeys.test_faults import nothing_is_doubled_or_stuck, work_elsewhere
from tests.together import together

pytestmark = pytest.mark.django_db(transaction=True)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SEND = {"type": "send", "channels": ["email"], "content": {"email": "hello"}, "purpose": "offers"}
OLD: dict[str, Any] = {
    "trigger": {"event": "Cart"},
    "start": "mail",
    "steps": {
        "mail": {**SEND, "next": "pause"},
        "pause": {"type": "wait", "for": "5 days", "next": "last"},
        "last": SEND,
    },
}
NEW: dict[str, Any] = {
    "trigger": {"event": "Cart"},
    "start": "pause",
    "steps": {
        "pause": {"type": "wait", "for": "2 days", "next": "bye"},
        "bye": {"type": "exit", "reason": "done"},
    },
}


def furnish() -> None:
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    Template.objects.get_or_create(slug="hello", defaults={"name": "Hello", "channel": "email"})


def inside(people: int, draft: dict[str, Any] = NEW) -> Journey:
    """A live journey in whose first version so many people wait, with another draft."""
    furnish()
    version = make_version(OLD)
    entries = [Entry(make_contact().id, NOON) for _ in range(people)]
    runs.enter(versions.load([version.id])[version.id], entries, NOON)
    while engine.advance(NOON):
        pass
    Journey.objects.update(draft=draft)
    return Journey.objects.get()


def finish(now: Any = NOON, limit: int = 2000) -> None:
    while redirecting.redirect(now, limit) or engine.advance(now):
        pass


def test_the_impact_names_each_step_on_which_people_stand_and_what_becomes_of_it() -> None:
    journey = inside(3)
    assert redirecting.impact(journey) == [(1, "pause", 3, "changed")]
    journey.draft = {**NEW, "steps": {"bye": NEW["steps"]["bye"]}}
    assert [row.fate for row in redirecting.impact(journey)] == ["removed"]
    journey.draft = OLD
    assert [row.fate for row in redirecting.impact(journey)] == ["same"]


def test_without_a_choice_everybody_stays_on_the_version_they_entered() -> None:
    journey = inside(3)
    publishing.publish(journey, None, NOON + DAY)
    finish(NOON + DAY)
    assert set(Run.objects.values_list("version__number", "step")) == {(1, "pause")}


def test_who_moves_to_the_step_of_the_same_name_goes_on_waiting_from_when_they_came() -> None:
    journey = inside(5)
    publishing.publish(journey, None, NOON + DAY, [Choice(1, "pause", "move", "pause")])
    finish(NOON + DAY, limit=2)
    assert set(Run.objects.values_list("version__number", "step", "due_at")) == {(2, "pause", NOON + 2 * DAY)}
    finish(NOON + 2 * DAY)
    assert set(Run.objects.values_list("state", "outcome")) == {(Run.State.EXITED, "done")}
    assert Redirect.objects.get().handled == 5
    nothing_is_doubled_or_stuck()


def test_who_moves_elsewhere_takes_that_step_now() -> None:
    journey = inside(3)
    publishing.publish(journey, None, NOON + DAY, [Choice(1, "pause", "move", "bye")])
    finish(NOON + DAY)
    assert set(Run.objects.values_list("state", "outcome")) == {(Run.State.EXITED, "done")}
    moved = StepEntry.objects.filter(outcome="moved").values_list("step", "detail")
    assert list(moved) == [("pause", {"step": "bye", "version": 2})] * 3


def test_who_leaves_is_out_with_an_event_and_their_waiting_messages_are_called_off() -> None:
    journey = inside(3)
    publishing.publish(journey, None, NOON + DAY, [Choice(1, "pause", "leave")])
    finish(NOON + DAY)
    assert set(Run.objects.values_list("state", "outcome")) == {(Run.State.EXITED, redirecting.LEFT)}
    assert set(Message.objects.values_list("state", flat=True)) == {Message.State.CANCELLED}
    assert Event.objects.filter(name="Journey Ended").count() == 3


def test_who_came_to_the_step_after_publishing_stays() -> None:
    journey = inside(2)
    late = Run.objects.order_by("id")[1]
    publishing.publish(journey, None, NOON + HOUR, [Choice(1, "pause", "leave")])
    Run.objects.filter(pk=late.pk).update(since=NOON + DAY)
    finish(NOON + DAY)
    assert list(Run.objects.filter(state=Run.State.LIVE).values_list("id", flat=True)) == [late.pk]


@pytest.mark.parametrize(
    "choice", [Choice(7, "pause", "leave"), Choice(1, "pause", "move", "nowhere")], ids=["version", "step"]
)
def test_what_cannot_be_is_refused_and_nothing_is_published(choice: Choice) -> None:
    journey = inside(1)
    with pytest.raises(NotAllowedError):
        publishing.publish(journey, None, NOON, [choice])
    assert JourneyVersion.objects.count() == 1


def test_nobody_publishes_while_people_are_still_being_moved() -> None:
    journey = inside(1)
    publishing.publish(journey, None, NOON, [Choice(1, "pause", "leave")])
    with pytest.raises(NotAllowedError, match="still being moved"):
        publishing.publish(journey, None, NOON)
    finish()
    publishing.publish(journey, None, NOON)


def test_engine_and_redirects_at_once_move_everybody_once() -> None:
    journey = inside(60)
    publishing.publish(journey, None, NOON + HOUR, [Choice(1, "pause", "move", "pause")])
    Run.objects.update(due_at=NOON + 5 * DAY)
    later = NOON + 6 * DAY

    def over_and_over(act: Callable[[], object]) -> Callable[[], object]:
        return lambda: [act() for _round in range(30)]

    together(
        over_and_over(lambda: engine.advance(later, limit=7)),
        over_and_over(lambda: redirecting.redirect(later, limit=7)),
        over_and_over(lambda: redirecting.redirect(later, limit=5)),
    )
    finish(later)
    assert not Run.objects.filter(state=Run.State.LIVE).exists()
    for run in Run.objects.all():
        sent = Message.objects.filter(origin_run=run.id).count()
        assert sent == (1 if run.version_id == journey.live_version_id else 2)
    nothing_is_doubled_or_stuck()


@pytest.mark.parametrize("point", ["redirect.written:2", "redirect.committed:1"])
def test_a_worker_killed_while_it_moves_people_is_made_good_by_the_next(point: str) -> None:
    journey = inside(7)
    publishing.publish(journey, None, NOON + HOUR, [Choice(1, "pause", "move", "pause")])
    script = "while redirecting.redirect(now, 3): pass"
    assert work_elsewhere(NOON + DAY, point, script) == 137
    finish(NOON + DAY, limit=3)
    assert set(Run.objects.values_list("version__number", "visit")) == {(2, 2)}
    assert Redirect.objects.get().handled == 7
    nothing_is_doubled_or_stuck()
