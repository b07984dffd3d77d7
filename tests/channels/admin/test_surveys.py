"""The back office's and the API's view of surveys."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from channels import starter
from channels.models import Survey, SurveyAnswer, SurveyVersion
from config import roles
from contacts import clock
from tests.config.backoffice import make_person, signed_in
from tests.contacts.api.caller import Caller
from tests.factories import make_contact, make_intent

pytestmark = pytest.mark.django_db


@pytest.fixture
def survey() -> Survey:
    starter.load(clock.now())
    return Survey.objects.get(slug="nps")


@pytest.fixture
def marketer() -> Client:
    return signed_in(make_person("mia", role=roles.MARKETER))


def answer(survey: Survey, text: str = "=1+1") -> None:
    person = make_contact(first_name="Ada")
    SurveyAnswer.objects.create(
        slot=person.slot, contact=person, survey=survey, number=1, key=make_intent(person).key,
        channel="email", score=9, answer="9", text=text, answered_at=clock.now(),
    )  # fmt: skip


def page(name: str, survey: Survey) -> str:
    return reverse(f"admin:channels_survey_{name}", args=[survey.pk])


def test_a_marketer_writes_words_and_somebody_else_publishes_them(survey: Survey, marketer: Client) -> None:
    words = {"question": "Would you?", "low": "No", "high": "Yes", "comment": "", "thanks": "", "days": "20"}
    assert marketer.post(page("change", survey), {**words, "save": ""}).status_code == 302
    draft = SurveyVersion.objects.get(published_at=None)
    assert (draft.number, draft.days, draft.words["en"]["question"]) == (2, 20, "Would you?")
    assert draft.words["fr"]["question"] == "Nous recommanderiez-vous à un ami ?"
    assert marketer.get(page("publish", survey)).status_code == 403
    approver = signed_in(make_person("ann", role=roles.APPROVER))
    assert "Would you?" in approver.get(page("publish", survey)).content.decode()
    approver.post(page("publish", survey))
    draft.refresh_from_db()
    assert draft.published_at is not None


def test_results_show_score_bars_and_comments_and_the_file_is_safe(survey: Survey, marketer: Client) -> None:
    answer(survey)
    shown = marketer.get(page("results", survey) + "?days=90&channel=email").content.decode()
    assert "100" in shown
    assert "=1+1" in shown
    file = marketer.get(page("answers", survey)).getvalue().decode()
    assert "'=1+1" in file
    assert file.count("\n") == 2


def test_who_may_not_read_answers_gets_none(survey: Survey) -> None:
    integrator = signed_in(make_person("ian", role=roles.INTEGRATOR))
    assert integrator.get(page("results", survey)).status_code == 403
    assert integrator.get(page("answers", survey)).status_code == 403


def test_surveys_by_program(survey: Survey) -> None:
    answer(survey, "Fine")
    caller = Caller("surveys:read", "surveys:write", "surveys:publish")
    made = caller.post("surveys", {"slug": "why", "name": "Why", "kind": "question"})
    assert (made.status_code, made.json()["version"]) == (201, None)
    assert caller.post("surveys", {"slug": "why", "name": "W", "kind": "nps"}).status_code == 409
    bad = {"words": {"en": {"question": "Why?", "choices": ["One"]}}}
    caller.send("PUT", "surveys/why", bad)
    refused = caller.post("surveys/why/publish", {})
    assert (refused.status_code, refused.json()["field"]) == (400, "words.en.choices")
    caller.send("PUT", "surveys/why", {"words": {"en": {"question": "Why?", "choices": ["A", "B"]}}})
    assert caller.post("surveys/why/publish", {}).json()["version"] == 1
    assert {one["slug"] for one in caller.get("surveys").json()["items"]} == {"nps", "csat", "why"}
    found = caller.get("surveys/nps/results", days="30").json()
    assert (found["answered"], found["score"]) == (1, 100.0)
    (row,) = caller.get("surveys/nps/answers").json()["items"]
    assert (row["score"], row["text"]) == (9, "Fine")
    assert caller.get("surveys/nowhere").status_code == 404
