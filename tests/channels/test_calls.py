"""The call centre's list: asked for once, taken by one agent, ended with an event."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from channels import audience_sync, audiences, call_outcomes, calls
from channels.models import Audience, CallTask
from config import roles
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Event, Purpose
from contacts.privacy import erasing
from tests.config.backoffice import make_person, signed_in
from tests.factories import NOON, make_contact, make_provider

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def listed() -> Audience:
    account = make_provider("audience", kind="call_list", settings={"most_tries": "2"})
    purpose = Purpose.objects.create(slug="phone-calls", name="Phone calls")
    return Audience.objects.create(name="Win back", slug="win-back", provider=account, purpose=purpose)


def _asked(audience: Audience, email: str = "ann@example.com") -> CallTask:
    contact = make_contact(phone="+33612345678", email=email)
    consent.record([NewConsent(contact.pk, "sms", "phone-calls", True, "test")], NOON)
    audiences.add([contact.pk], audience.slug, "journey", NOON)
    audience_sync.sync(NOON)
    return CallTask.objects.get(contact=contact)


def _agent(name: str) -> User:
    return make_person(name, role=roles.STAFF)


def _outcome(task: CallTask, name: str) -> call_outcomes.Outcome:
    return next(one for one in calls.rules_of(task).outcomes if one.name == name)


def test_a_person_is_asked_for_once_and_withdrawn_with_the_consent(listed: Audience) -> None:
    task = _asked(listed)
    audience_sync.sync(NOON + HOUR)
    assert CallTask.objects.count() == 1
    consent.record([NewConsent(task.contact_id, "sms", "phone-calls", False, "test")], NOON + HOUR)
    audience_sync.sync(NOON + 2 * HOUR)
    task.refresh_from_db()
    assert task.state == CallTask.State.WITHDRAWN


def test_one_agent_has_a_call_in_hand_until_they_forget_it(listed: Audience) -> None:
    task, ann, bob = _asked(listed), _agent("ann"), _agent("bob")
    calls.take(task.pk, ann.pk, NOON)
    with pytest.raises(calls.NotOpenError):
        calls.take(task.pk, bob.pk, NOON + calls.HOLD / 2)
    calls.take(task.pk, bob.pk, NOON + calls.HOLD)
    task.refresh_from_db()
    assert task.agent_id == bob.pk


def test_how_it_ended_is_an_event_and_a_form_sent_twice_ends_one_call(listed: Audience) -> None:
    task, ann = _asked(listed), _agent("ann")
    calls.take(task.pk, ann.pk, NOON)
    calls.end(task, _outcome(task, "reached"), "very kind", ann.pk, NOON + HOUR / 4)
    with pytest.raises(calls.NotOpenError):
        calls.end(task, _outcome(task, "reached"), "", ann.pk, NOON + HOUR / 4)
    event = Event.objects.get(contact_id=task.contact_id, name="Call Ended")
    assert event.properties == {"outcome": "reached", "list": "win-back", "try": 1, "again": False}


def test_who_was_not_reached_is_called_again_but_not_for_ever(listed: Audience) -> None:
    task, ann = _asked(listed), _agent("ann")
    calls.end(task, _outcome(task, "not reached"), "", ann.pk, NOON)
    task.refresh_from_db()
    assert (task.state, task.due_at, task.tries) == (CallTask.State.OPEN, NOON + 4 * HOUR, 1)
    calls.end(task, _outcome(task, "not reached"), "", ann.pk, NOON + 4 * HOUR)
    task.refresh_from_db()
    assert (task.state, task.tries) == (CallTask.State.DONE, 2)


def test_who_wants_no_calls_is_asked_no_more(listed: Audience) -> None:
    task, ann = _asked(listed), _agent("ann")
    calls.end(task, _outcome(task, "do not call"), "", ann.pk, NOON)
    states = consent.states([task.contact_id])[task.contact_id]
    assert states["sms", "phone-calls"] is False


def test_the_erased_are_called_no_more(listed: Audience) -> None:
    task = _asked(listed)
    other = _asked(listed, email="other@example.com")
    erasing.erase_unasked([task.contact_id], NOON)
    audience_sync.sync(NOON)
    assert list(CallTask.objects.values_list("pk", "state")) == [(other.pk, "open")]


def test_an_agent_calls_from_the_page(listed: Audience) -> None:
    task = _asked(listed)
    client = signed_in(_agent("clara"))
    assert "Win back" in client.get(reverse("admin:channels_calltask_changelist")).content.decode()
    page = reverse("admin:channels_calltask_change", args=[task.pk])
    assert "+33612345678" in client.get(page).content.decode()
    client.post(page, {"take": "1"})
    assert "How did it end?" in client.get(page).content.decode()
    assert "required" in client.post(page, {"end": "1", "tries": "0"}).content.decode()
    client.post(page, {"end": "1", "outcome": "reached", "note": "x", "tries": "0"})
    task.refresh_from_db()
    assert (task.state, task.outcome, task.note) == (CallTask.State.DONE, "reached", "x")
    assert Event.objects.filter(name="Call Ended").count() == 1


def test_who_may_only_look_cannot_call(listed: Audience) -> None:
    task = _asked(listed)
    client: Client = signed_in(make_person("ana", role=roles.ANALYST))
    page = reverse("admin:channels_calltask_change", args=[task.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"take": "1"}).status_code == 403


@pytest.mark.parametrize("text", ["x = again", "x = perhaps", "= never", "x = again 9999 hours", "y" * 61])
def test_what_is_no_outcome_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="is no outcome"):
        call_outcomes.read(text)


def test_outcomes_are_read_from_lines() -> None:
    found = call_outcomes.read("sold\nlater = again 2 days\nnever more = never")
    assert [(one.name, one.follows, one.hours) for one in found] == [
        ("sold", "end", 0), ("later", "again", 48), ("never more", "never", 0),
    ]  # fmt: skip
