"""The step that asks a survey: one message a visit, and the way by the answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from channels import starter
from channels.models import Message
from contacts import event_log
from contacts.event_log import NewEvent
from contacts.models import Contact
from journeys import engine, publishing, triggers
from journeys.models import Run, StepEntry
from tests.factories import NOON, make_contact
from tests.journeys.test_engine import begin

pytestmark = pytest.mark.django_db

ASK: dict[str, Any] = {
    "type": "survey",
    "survey": "nps",
    "channels": ["email"],
    "content": {"email": "survey-email"},
    "purpose": "news",
    "timeout": "3 days",
    "ways": [{"name": "promoter", "least": 9, "next": "thank"}, {"name": "word", "answer": "7"}],
    "next": "call",
    "on_timeout": "silent",
}
STEPS = {
    "ask": ASK,
    "thank": {"type": "exit", "reason": "happy"},
    "call": {"type": "exit", "reason": "unhappy"},
    "silent": {"type": "exit", "reason": "silent"},
}


@pytest.fixture
def ada() -> Contact:
    starter.load(NOON)
    contact = make_contact()
    begin(STEPS, contact)
    engine.advance(NOON)
    return contact


def answer(contact: Contact, score: int, hours: int = 1, survey: str = "nps") -> None:
    at = NOON + timedelta(hours=hours)
    said = {"survey": survey, "score": score, "answer": str(score)}
    event_log.append([NewEvent(contact.pk, "Survey Answered", at, at, properties=said)])
    Run.objects.update(due_at=at)
    engine.advance(at + timedelta(seconds=1))


def left_by() -> list[str]:
    return list(StepEntry.objects.filter(step="ask").values_list("outcome", flat=True))


def test_it_asks_once_however_often_it_is_looked_at_and_pins_the_version(ada: Contact) -> None:
    for hours in (1, 2):
        Run.objects.update(due_at=NOON)
        engine.advance(NOON + timedelta(hours=hours))
    message = Message.objects.get()
    assert message.variables["survey"] == {"slug": "nps", "version": 1}
    run = Run.objects.get()
    assert (run.step, run.due_at) == ("ask", NOON + timedelta(days=3))
    assert "Survey Answered" in run.watching


@pytest.mark.parametrize(("score", "way", "reason"), [(9, "promoter", "happy"), (2, "answered", "unhappy")])
def test_the_answer_chooses_the_way(ada: Contact, score: int, way: str, reason: str) -> None:
    answer(ada, score)
    assert left_by() == [way]
    assert Run.objects.get().outcome == reason


def test_a_way_may_be_the_very_words(ada: Contact) -> None:
    answer(ada, 7)
    assert left_by() == ["word"]


def test_another_survey_or_silence_is_no_answer(ada: Contact) -> None:
    answer(ada, 9, survey="csat")
    assert left_by() == []
    engine.advance(NOON + timedelta(days=3))
    assert left_by() == ["timed_out"]


def test_a_survey_that_is_not_published_cannot_be_asked(ada: Contact) -> None:
    graph = {
        "trigger": {"event": "Order Completed"},
        "start": "ask",
        "steps": {**STEPS, "ask": {**ASK, "survey": "nowhere"}},
    }
    _graph, problems = publishing.check(graph)
    assert ("steps.ask.survey", "no published survey is named “nowhere”") in [
        (one.path, one.message) for one in problems
    ]


def test_ways_say_what_is_wrong_with_them() -> None:
    ways = [{"name": "a", "least": 1, "answer": "x"}, {"name": "answered", "least": 2}]
    graph = {"trigger": {"event": "X"}, "start": "ask", "steps": {**STEPS, "ask": {**ASK, "ways": ways}}}
    _graph, problems = publishing.check(graph)
    assert {one.path for one in problems} == {"steps.ask.ways[0]", "steps.ask.ways[1].name"}


@pytest.mark.django_db(transaction=True)
def test_an_answer_wakes_the_run(ada: Contact) -> None:
    at = NOON + timedelta(hours=1)
    said = {"survey": "nps", "score": 10, "answer": "10"}
    event_log.append([NewEvent(ada.pk, "Survey Answered", at, at, properties=said)])
    triggers.follow(at)
    assert Run.objects.get().due_at == at
