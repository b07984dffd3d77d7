"""Messages whose channel and hour are chosen, through the tables: wish, prediction, decision, words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from channels import charter, deciding, explaining, outbox, replaying, smart
from channels.models import Decision, Message
from contacts import consent, predictions
from contacts.consent import NewConsent
from contacts.models import Contact, Prediction
from contacts.permission import OBJECTION
from contacts.predictions import Learned
from journeys import graph
from tests.factories import NOON, make_contact, make_intent, make_provider
from tests.statements import statements

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PARIS = ZoneInfo("Europe/Paris")
SCORES = {
    "email": {"chance": 0.02, "sent": 20, "answered": 0},
    "sms": {"chance": 0.4, "sent": 13, "answered": 6},
}
EVENINGS = {
    "hours": [0.3 if hour in (18, 19) else 0.02 for hour in range(24)],
    "days": [1.0] * 7,
    "answers": [{18: 4, 19: 3, 8: 2}.get(hour, 0) for hour in range(24)],
}


@pytest.fixture
def ann() -> Contact:
    """Somebody who answers texts, in the evening. Nothing is left to chance."""
    for channel in ("email", "sms"):
        make_provider(channel)
    charter.publish(charter.draft({"smart": {"explore": 0, "control": 0}}), NOON - 30 * DAY)
    ann = make_contact(email="ann@example.com", phone="+33612345678", timezone="Europe/Paris")
    consent.record([NewConsent(ann.id, one, "*", True, "test") for one in ("email", "sms")], NOON - DAY)
    learned(ann)
    return ann


def learned(contact: Contact) -> None:
    rows = [
        Learned(contact.id, smart.CHANNELS, 0.4, SCORES, ""),
        Learned(contact.id, smart.HOURS, 18, EVENINGS, ""),
    ]
    predictions.write(rows, (smart.CHANNELS, smart.HOURS), [contact.id], NOON)


def decided(contact: Contact, **values: Any) -> Decision:
    wish = {"wanted": ("email", "sms"), "content": {"email": "x", "sms": "x"}, **values}
    outbox.intend([make_intent(contact, **wish)], NOON)
    deciding.decide_batch(NOON)
    return Decision.objects.latest("id")


def test_the_channel_and_hour_that_were_learned_are_used_and_told(ann: Contact) -> None:
    line = decided(ann, smart_channel=True, best_within=DAY)
    message = Message.objects.get()
    assert (message.state, message.channel, message.reason) == (Message.State.HELD, "sms", "best_hour")
    assert message.due_at
    assert message.due_at.astimezone(PARIS).hour == 18
    told = explaining.explain(line)
    assert told.startswith(
        "Held: it waits for their best hour (Tuesday, 18 h: clicked or came by 7 of 9 times, 18–20 h);"
        " will try Tuesday 10 Mar, 18:"
    )
    words = [step.words for step in explaining.steps(line)]
    assert "SMS first: answered SMS 6 of 13, email 0 of 20" in words
    assert replaying.replay(line).status == replaying.SAME
    deciding.decide_batch(message.due_at)
    message.refresh_from_db()
    assert (message.state, message.channel) == (Message.State.QUEUED, "sms")
    assert replaying.replay(Decision.objects.latest("id")).status == replaying.SAME


def test_without_the_wish_nothing_is_chosen_nor_read(ann: Contact) -> None:
    with statements() as plain:
        assert decided(ann).channel == "email"
    with statements() as chosen:
        decided(ann, smart_channel=True)
    assert chosen.total == plain.total + 1


def test_the_charter_switches_choosing_on_for_every_message_and_off(ann: Contact) -> None:
    always = {"smart": {"channel": "always", "time": "always", "explore": 0, "control": 0}}
    charter.publish(charter.draft(always), NOON - 20 * DAY)
    assert (decided(ann).channel, Message.objects.get().reason) == ("sms", "best_hour")
    never = {"smart": {"channel": "never", "time": "never"}}
    charter.publish(charter.draft(never), NOON - 10 * DAY)
    line = decided(ann, smart_channel=True, best_within=DAY)
    assert (line.channel, line.reason) == ("email", "allowed")


def test_a_message_that_is_to_leave_later_looks_for_the_hour_from_then_on(ann: Contact) -> None:
    later = NOON + 3 * DAY
    outbox.intend([make_intent(ann, due_at=later, best_within=DAY)], NOON)
    assert Message.objects.get().best_by == later + DAY


def test_a_step_of_a_journey_asks_for_both() -> None:
    step = {
        "type": "send",
        "channels": ["email", "sms"],
        "content": {"email": "a", "sms": "b"},
        "purpose": "offers",
        "smart_channel": True,
        "best_time_within": "36 hours",
    }
    found = graph.parse({"trigger": {"event": "Cart"}, "start": "mail", "steps": {"mail": step}}).steps[
        "mail"
    ]
    wanted = found.wanted  # type: ignore[attr-defined]
    assert (wanted.smart_channel, wanted.best_within) == (True, 36 * HOUR)
    assert "their own channel first, at their best time within 36 hours" in found.words()
    for bent, field in (
        ({"channels": ["email"]}, "smart_channel"),
        ({"best_time_within": "9 days"}, "best_time"),
    ):
        with pytest.raises(graph.GraphError, match=field):
            graph.parse({"trigger": {"event": "Cart"}, "start": "mail", "steps": {"mail": {**step, **bent}}})


def test_of_somebody_who_objects_nothing_is_kept_whatever_was_learned(ann: Contact) -> None:
    Contact.objects.filter(pk=ann.pk).update(attributes={OBJECTION: NOON.isoformat()})
    Prediction.objects.all().delete()
    learned(ann)
    assert not Prediction.objects.exists()


def test_writing_again_changes_what_stands_and_takes_away_what_is_no_longer_learned(ann: Contact) -> None:
    rows = [Learned(ann.id, smart.CHANNELS, 0.1, {}, "less")]
    assert predictions.write(rows, (smart.CHANNELS, smart.HOURS), [ann.id], NOON + DAY) == 1
    assert [(one.name, one.number, one.reason) for one in Prediction.objects.all()] == [
        (smart.CHANNELS, 0.1, "less")
    ]
