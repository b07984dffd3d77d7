"""Surveys: asked like any message, answered once by a person, on the profile and in the log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import translation

from channels import charter, deciding, delivery, outbox, replying, starter
from channels.inapp import answers as inapp_answers
from channels.models import (
    InAppMessage,
    Message,
    SandboxMessage,
    Survey,
    SurveyAnswer,
    SurveyVersion,
)
from channels.reply_words import Asked
from channels.surveys import answering, asking, replies, results, versions, wording
from channels.surveys.answering import Taken
from channels.surveys.wording import Definition, Words
from contacts import clock, consent
from contacts.consent import NewConsent
from contacts.models import Contact, Event, Identifier
from tests.factories import NOON, make_contact, make_intent

pytestmark = pytest.mark.django_db
NUMBER = "+33612345678"
NPS = Definition("nps", 1, "nps", 30, {"en": Words("Would you?")})


@pytest.fixture(autouse=True)
def _speaks_english_afterwards() -> Iterator[None]:
    yield
    translation.deactivate()


@pytest.fixture
def now() -> datetime:
    return clock.now()


@pytest.fixture
def ada(now: datetime) -> Contact:
    starter.load(now)
    charter.publish(charter.draft({}), now - timedelta(days=1))
    contact = make_contact(phone=NUMBER, first_name="Ada", language="en")
    Identifier.objects.create(
        kind="anonymous", value="a" * 32, contact=contact, slot=contact.slot, created_at=now
    )
    consent.record(
        [NewConsent(contact.id, channel, "*", True, "test") for channel in ("email", "sms")],
        now - timedelta(days=1),
    )
    Contact.objects.filter(pk=contact.pk).update(last_seen_at=now)
    return contact


def ask(contact: Contact, now: datetime, channel: str = "email", **values: Any) -> Message:
    wish = {
        "purpose": "news",
        "wanted": (channel,),
        "content": {channel: f"survey-{channel}"},
        "variables": asking.variables("nps", 1),
        "origin_slug": "after-order",
        "origin_step": "ask",
    }
    outbox.intend([make_intent(contact, **{**wish, **values})], now)
    deciding.decide_batch(now)
    delivery.deliver_batch(lambda: now)
    return Message.objects.latest("id")


def links() -> list[str]:
    html = SandboxMessage.objects.latest("id").html
    return [urlsplit(found).path for found in re.findall(r'href="([^"]*/q/[^"]+)"', html)]


def test_an_email_asks_with_a_link_of_its_own_for_each_answer(ada: Contact, now: datetime) -> None:
    message = ask(ada, now)
    assert (message.state, message.reason) == (Message.State.ACCEPTED, "")
    found = links()
    assert len(set(found)) == 11
    assert [asked.picked.score for path in found if (asked := by(path)) and asked.picked] == list(range(11))


def by(path: str) -> answering.Asked | None:
    return answering.by_token(path.rpartition("/")[2])


def test_what_looks_at_links_answers_nothing_and_a_person_does_so_once(
    ada: Contact, now: datetime, client: Client
) -> None:
    ask(ada, now)
    path = links()[9]
    for _scan in range(2):
        page = client.get(path)
        client.head(path)
    assert 'value="9" required checked' in page.content.decode()
    assert not SurveyAnswer.objects.exists()
    done = client.post(path, {"value": "9", "text": "Quick\x00 delivery"})
    assert "Your answer helps us" in done.content.decode()
    assert "answered this already" in client.post(path, {"value": "1"}).content.decode()
    row = SurveyAnswer.objects.get()
    assert (row.score, row.answer, row.text, row.journey, row.step) == (
        9, "9", "Quick delivery", "after-order", "ask",
    )  # fmt: skip
    event = Event.objects.get(name="Survey Answered")
    said = {
        name: event.properties[name] for name in ("survey", "score", "text", "journey", "step", "channel")
    }
    assert said == {
        "survey": "nps", "score": 9, "text": "Quick delivery", "journey": "after-order", "step": "ask",
        "channel": "email",
    }  # fmt: skip
    ada.refresh_from_db()
    assert ada.attributes["survey_nps"] == 9
    assert ada.attributes["survey_nps_text"] == "Quick delivery"
    assert ada.origins["declared"]["survey_nps"][0] == "person"


def test_the_page_speaks_french_and_says_what_is_missing(ada: Contact, now: datetime, client: Client) -> None:
    Contact.objects.filter(pk=ada.pk).update(language="fr")
    ask(ada, now)
    page = client.post(links()[3], {"value": "", "text": "x"}).content.decode()
    assert "Nous recommanderiez-vous" in page
    assert "Choisissez une réponse" in page
    assert not SurveyAnswer.objects.exists()


def test_a_link_opens_its_own_use_only_and_ends(ada: Contact, now: datetime, client: Client) -> None:
    message = ask(ada, now)
    token = links()[5].rpartition("/")[2]
    assert client.get(f"/t/c/{token}").status_code == 404
    assert client.get(f"/q/{token[:-1]}{'B' if token[-1] == 'A' else 'A'}").status_code == 404
    late = now - timedelta(days=31)
    Message.objects.filter(pk=message.pk).update(accepted_at=late)
    assert client.post(f"/q/{token}", {"value": "5"}).status_code == 410
    assert not SurveyAnswer.objects.exists()


def test_who_was_erased_since_is_not_asked_any_more(ada: Contact, now: datetime, client: Client) -> None:
    message = ask(ada, now)
    path = links()[5]
    Message.objects.filter(pk=message.pk).update(contact_id=0, variables={})
    assert client.get(path).status_code == 404


def test_a_text_is_the_answer_to_what_the_number_was_asked_last(ada: Contact, now: datetime) -> None:
    ask(ada, now, "sms")
    assert "Reply with a number from 0 to 10" in SandboxMessage.objects.latest("id").text
    later = now + timedelta(hours=1)
    late = replying.take(NUMBER, "10 minutes late", later, key="1", proof={})
    taken = replying.take(NUMBER, "9/10, thanks!", later, key="2", proof={})
    again = replying.take(NUMBER, "3", later, key="3", proof={})
    assert (late.survey, taken.survey, again.survey) == ("", "nps", "")
    row = SurveyAnswer.objects.get()
    assert (row.score, row.text, row.channel) == (9, "thanks!", "sms")


def test_stop_stays_stop_after_a_survey(ada: Contact, now: datetime) -> None:
    ask(ada, now, "sms")
    taken = replying.take(NUMBER, "STOP", now, key="1", proof={})
    assert (taken.asked, taken.survey) == (Asked.STOP, "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("9", (9, "")), (" 10 ", (10, "")), ("8/10", (8, "")), ("7 sur 10", (7, "")), ("nine", (9, "")),
        ("Zéro.", (0, "")), ("six: slow", (6, "slow")), ("5 stars", (5, "")),
        ("9 because of Ann", (9, "because of Ann")),
        ("11", None), ("2 of my cups broke", None), ("at 9", None), ("", None), ("thanks", None),
    ],
)  # fmt: skip
def test_numbers_in_replies(text: str, found: tuple[int, str] | None) -> None:
    assert replies.read(text, NPS) == found


def test_replies_to_choices_and_to_open_questions() -> None:
    words = {
        "en": Words("Why?", choices=("Price", "Quality")),
        "fr": Words("?", choices=("Le prix", "Qualité")),
    }
    chosen = Definition("why", 1, "question", 30, words)
    assert replies.read("qualite!", chosen) == (2, "")
    assert replies.read("1", chosen) == (1, "")
    assert replies.read("3", chosen) is None
    picked = chosen.picked(2)
    assert picked is not None
    assert (picked.score, picked.answer, chosen.label(2, "fr")) == (None, "Quality", "Qualité")
    free = Definition("tell", 1, "question", 30, {"en": Words("Tell us")})
    assert replies.read("It was fine", free) == (None, "It was fine")


def test_an_in_app_message_asks_in_the_page_and_is_read_once_answered(ada: Contact, now: datetime) -> None:
    ask(ada, now, "inapp")
    row = InAppMessage.objects.get()
    assert row.survey["choices"][10] == {"value": 10, "label": "10"}
    assert "url" not in row.survey
    stranger = make_contact()
    assert inapp_answers.take(stranger.pk, row.key, 7, "", now) is Taken.NOTHING
    assert inapp_answers.take(ada.pk, row.key, 77, "", now) is Taken.NOTHING
    assert inapp_answers.take(ada.pk, row.key, 7, "", now) is Taken.NOW
    assert inapp_answers.take(ada.pk, row.key, 1, "", now) is Taken.BEFORE
    row.refresh_from_db()
    assert row.read_at == now


def test_a_survey_counts_as_pressure_and_is_held_by_it(ada: Contact, now: datetime) -> None:
    charter.publish(charter.draft({"caps": [{"limit": 1, "rolling": "7 days"}]}), now - timedelta(minutes=1))
    ask(ada, now)
    assert ask(ada, now).state == Message.State.HELD


def test_a_survey_that_nobody_published_fails_its_message_with_a_reason(ada: Contact, now: datetime) -> None:
    message = ask(ada, now, variables=asking.variables("nps", 7))
    assert message.reason == "template"
    assert message.state == Message.State.REJECTED


def test_published_words_never_change_and_faults_keep_a_draft_back(ada: Contact) -> None:
    survey = Survey.objects.create(name="Why", slug="why", kind="question")
    draft = versions.editable(survey)
    draft.words = {
        "en": {"question": "Why?", "choices": ["A", "B"]},
        "fr": {"question": "?", "choices": ["A"]},
    }
    versions.save(draft, None)
    faults = versions.publish(draft, NOON)
    assert {(one.language, one.code) for one in faults} == {("fr", "other_number"), ("fr", "number")}
    draft.words = {"en": {"question": "Why?", "choices": ["A", "B"]}}
    versions.save(draft, None)
    assert versions.publish(draft, NOON) == []
    with pytest.raises(ValueError, match="does not change"):
        versions.save(draft, None)
    assert versions.newest({"why"}) == {"why": 1}
    assert versions.editable(survey).number == 2
    assert wording.faults("nps", {}) == [wording.Fault("en", "question", "missing")]


def test_results_are_right_whatever_came(ada: Contact, now: datetime) -> None:
    survey = Survey.objects.get(slug="nps")
    ask(ada, now)
    for number, score in enumerate([10, 9, 9, 7, 3, 0]):
        person = make_contact()
        SurveyAnswer.objects.create(
            slot=person.slot, contact=person, survey=survey, number=1, key=make_intent(person).key,
            channel="sms" if number else "email", score=score, answer=str(score), answered_at=now,
        )  # fmt: skip
    found = results.of(survey, 30, now + timedelta(seconds=1))
    assert (found.asked, found.answered, found.score) == (1, 6, 16.7)
    assert [bar.count for bar in found.bars] == [1, 0, 0, 1, 0, 0, 0, 1, 0, 2, 1]
    assert sum(week.count for week in found.weeks) == 6
    assert results.of(survey, 30, now + timedelta(seconds=1), "email").score == 100
    assert SurveyVersion.objects.get(survey=survey).number == 1
