from datetime import timedelta
from typing import Any

import pytest

from channels import charter_impact, charter_rules, deciding, outbox, smart
from channels.models import Template
from contacts import consent, predictions
from contacts.consent import NewConsent
from contacts.models import Contact
from contacts.predictions import Learned
from tests.factories import NOON, make_contact, make_intent, make_provider, make_template
from tests.statements import statements

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FREE = charter_rules.parse({})


@pytest.fixture(autouse=True)
def _carriers() -> None:
    for channel in ("email", "sms"):
        make_provider(channel)


def subscriber(**values: Any) -> Contact:
    contact = make_contact(timezone="Europe/Paris", phone="+33612345678", **values)
    consent.record(
        [NewConsent(contact.id, one, "*", True, "test") for one in ("email", "sms")], NOON - 60 * DAY
    )
    return contact


def wanted(contact: Contact, *days_ago: float, **values: Any) -> None:
    for days in days_ago:
        outbox.intend([make_intent(contact, **values)], NOON - days * DAY)


def look(rules: dict[str, Any], **values: Any) -> charter_impact.Impact:
    return charter_impact.look(FREE, charter_rules.parse(rules), NOON, **values)


def test_nothing_wanted_is_nothing_changed() -> None:
    wanted(subscriber(), 20)
    found = look({"caps": [{"limit": 1, "rolling": "7 days"}]})
    assert (found.messages, found.played, found.outcomes) == (0, 0, [])


def test_a_tighter_cap_would_have_held_some_and_kept_some_from_leaving() -> None:
    wanted(subscriber(), 10, 9, 1)
    found = look({"caps": [{"limit": 1, "rolling": "7 days"}]})
    figures = {row.name: (row.before, row.after) for row in found.outcomes}
    assert figures == {"at_once": (3, 1), "held": (0, 1), "waits": (0, 1)}
    assert (found.lost, found.gained, found.later, found.later_by) == (1, 0, 1, 6 * DAY)
    assert [(row.name, row.difference) for row in found.by_channel] == [("email", -1)]
    assert not found.sampled


def test_reasons_channels_and_purposes_are_told() -> None:
    wanted(subscriber(), 5, wanted=("email", "sms"))
    wanted(subscriber(), 4)
    found = look({"channels": {"roles": [{"channel": "email", "purposes": ["news"]}]}})
    assert [(row.name, row.before, row.after) for row in found.reasons] == [("role", 0, 1)]
    assert {row.name: row.difference for row in found.by_channel} == {"email": -2, "sms": 1}
    assert [(row.name, row.difference) for row in found.by_purpose] == [("offers", -1)]
    assert (found.lost, found.elsewhere) == (1, 1)


def test_messages_from_before_take_their_places() -> None:
    contact = subscriber()
    wanted(contact, 16)
    deciding.decide_batch(NOON - 16 * DAY)
    contact.messages.update(state=6, accepted_at=NOON - 16 * DAY, due_at=None)
    wanted(contact, 13)
    found = look({"caps": [{"limit": 1, "rolling": "7 days"}]})
    assert (found.later, found.later_by) == (1, 4 * DAY)


def test_messages_from_before_count_with_the_tags_that_they_left_with() -> None:
    contact = subscriber()
    wanted(contact, 16)
    contact.messages.update(
        state=6, channel="email", accepted_at=NOON - 16 * DAY, due_at=None, tags="sale,spring"
    )
    make_template("spring")
    Template.objects.update(tags="sale")
    wanted(contact, 13)
    for tag, later in (("sale", 1), ("news", 0)):
        assert look({"caps": [{"limit": 1, "rolling": "7 days", "tags": [tag]}]}).later == later


def test_waiting_for_the_best_hour_is_played_too() -> None:
    contact = subscriber()
    evenings = {"hours": [0.3 if hour == 18 else 0.02 for hour in range(24)], "days": [1.0] * 7}
    learned = Learned(contact.id, smart.HOURS, None, evenings, "")
    predictions.write([learned], [smart.HOURS], [contact.id], NOON)
    wanted(contact, 5)
    ways = {"explore": 0, "control": 0}
    assert look({"smart": {"time": "always", **ways}}).later == 1
    assert look({"smart": {"time": "asked", **ways}}).later == 0
    other = subscriber()
    predictions.write([Learned(other.id, smart.HOURS, None, evenings, "")], [smart.HOURS], [other.id], NOON)
    wanted(other, 3, best_within=DAY)
    # Under the charter in force it waits for its hour already, since it asks for that.
    assert look({"smart": {"time": "never", **ways}}).outcomes != look({"smart": ways}).outcomes


def test_of_many_people_some_are_drawn_and_that_is_said() -> None:
    for _one in range(6):
        wanted(subscriber(), 3, 2)
    found = look({}, most=6)
    assert (found.messages, found.people, found.played) == (12, 6, 6)
    assert found.sampled
    assert look({}, most=6).outcomes == found.outcomes


def test_it_takes_the_same_statements_for_two_and_for_twenty() -> None:
    rules = {
        "caps": [{"limit": 1, "rolling": "7 days"}],
        "priorities": [{"add": 1, "segments": ["regulars"]}],
    }
    wanted(subscriber(), 3, 2)
    with statements() as few:
        look(rules)
    for _one in range(10):
        wanted(subscriber(), 3, 2)
    with statements() as many:
        look(rules)
    assert many.total == few.total
