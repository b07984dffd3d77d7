"""Places that become free go to the best message; the losers do what they say."""

from datetime import timedelta
from typing import Any

import pytest

from channels import charter, deciding, outbox
from channels.lifecycle import State
from channels.models import Decision, Message, Template
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Contact, Prediction, Segment, SegmentMembership
from tests.factories import NOON, make_contact, make_intent, make_provider

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ONE = {"caps": [{"limit": 1, "rolling": "1 day"}], "time": {"jitter": "15 minutes"}}


@pytest.fixture(autouse=True)
def _carriers() -> None:
    for channel in ("email", "sms"):
        make_provider(channel)


def subscriber(**values: Any) -> Contact:
    contact = make_contact(**{"timezone": "Europe/Paris", "phone": "+33612345678", **values})
    consent.record([NewConsent(contact.id, one, "*", True, "test") for one in ("email", "sms")], NOON - DAY)
    return contact


def rule_by(rules: dict[str, Any]) -> None:
    charter.publish(charter.draft(rules), NOON - 30 * DAY)


def want(contact: Contact, at: Any = NOON, **values: Any) -> Message:
    outbox.intend([make_intent(contact, **values)], at)
    deciding.decide_batch(at, most_slots=64)
    return Message.objects.latest("id")


def states() -> list[State]:
    return [State(state) for state in Message.objects.order_by("id").values_list("state", flat=True)]


def arrived(message: Message, at: Any) -> None:
    Message.objects.filter(pk=message.pk).update(state=State.ACCEPTED, accepted_at=at, due_at=None)


def test_a_newcomer_does_not_take_the_place_of_a_better_message_that_waits() -> None:
    """The place is free again, the better one waits a few minutes more for its spread: it goes first."""
    rule_by(ONE)
    contact = subscriber()
    arrived(want(contact), NOON)
    better = want(contact, NOON + HOUR, priority=90)
    assert better.state == State.HELD
    assert better.due_at is not None
    free = NOON + DAY
    assert better.due_at > free, "this person's spread must not be nothing"
    want(contact, free, priority=10)
    assert states() == [State.ACCEPTED, State.QUEUED, State.HELD]


def test_a_held_message_that_wins_nothing_stays_as_it_is() -> None:
    rule_by(ONE)
    contact = subscriber()
    arrived(want(contact), NOON)
    held = want(contact, NOON + HOUR)
    lines = Decision.objects.filter(message_id=held.pk).count()
    want(contact, NOON + 2 * HOUR)
    again = Message.objects.get(pk=held.pk)
    assert (again.due_at, again.held_since) == (held.due_at, NOON + HOUR)
    assert Decision.objects.filter(message_id=held.pk).count() == lines


def test_the_losers_wait_reroute_or_drop_by_their_own_rule() -> None:
    rule_by({"caps": [{"limit": 1, "rolling": "1 day", "channels": ["email"]}]})
    contact = subscriber()
    for on_hold, wanted in (
        ("wait", ("email", "sms")),
        ("reroute", ("email", "sms")),
        ("drop", ("email", "sms")),
    ):
        content = dict.fromkeys(wanted, "spring")
        outbox.intend(
            [make_intent(contact, on_hold=on_hold, wanted=wanted, content=content, priority=10)], NOON
        )
    outbox.intend([make_intent(contact, priority=90)], NOON)
    deciding.decide_batch(NOON, most_slots=64)
    found = Message.objects.order_by("id").values_list("state", "channel")
    assert list(found) == [
        (State.HELD, "email"),
        (State.QUEUED, "sms"),
        (State.DROPPED, "email"),
        (State.QUEUED, "email"),
    ]


def test_the_ledger_says_who_came_before() -> None:
    rule_by(ONE)
    contact = subscriber()
    outbox.intend([make_intent(contact, priority=10), make_intent(contact, priority=90)], NOON)
    deciding.decide_batch(NOON, most_slots=64)
    first, second = Message.objects.order_by("-priority")
    name, verdict, inputs = Decision.objects.get(message_id=second.pk).trace[0]
    assert (name, verdict) == ("arbitration", "pass")
    assert inputs == {"place": 2, "of": 2, "priority": 10, "after": first.pk}


def test_messages_keep_the_tags_with_which_they_left() -> None:
    rule_by({"caps": [{"limit": 1, "rolling": "7 days", "tags": ["promo"]}]})
    Template.objects.create(name="Spring", slug="spring", channel="email", tags="promo,summer")
    contact = subscriber()
    sent = want(contact)
    assert (sent.state, sent.tags) == (State.QUEUED, "promo,summer")
    arrived(sent, NOON)
    Template.objects.update(tags="summer")  # what counts is what it was when it left
    other = want(contact, NOON + HOUR)
    assert (other.state, other.tags) == (State.QUEUED, "summer")
    Template.objects.update(tags="promo")
    assert want(contact, NOON + 2 * HOUR).state == State.HELD


@pytest.mark.parametrize(
    ("predicted", "declared", "state"),
    [
        ("low", None, State.HELD),
        ("high", "low", State.QUEUED),
        (None, "LOW", State.HELD),
        ("nonsense", None, State.QUEUED),
        (None, None, State.QUEUED),
    ],
)
def test_engagement_source_bands_and_unknown(
    predicted: str | None, declared: str | None, state: State
) -> None:
    """The prediction of that name says the band, else the attribute, else the charter."""
    engagement = {"source": "keenness", "bands": ["low", "high"], "unknown": "high"}
    rule_by({"engagement": engagement, "caps": [{"limit": 1, "rolling": "1 day", "bands": ["low"]}]})
    contact = subscriber(attributes={"keenness": declared} if declared else {})
    if predicted:
        Prediction.objects.create(
            contact=contact, slot=contact.slot, name="keenness", value={"label": predicted}, computed_at=NOON
        )
    arrived(want(contact), NOON)
    assert want(contact, NOON + HOUR).state == state


def test_people_of_a_segment_are_known_to_the_priorities() -> None:
    rule_by({**ONE, "priorities": [{"add": 50, "purposes": ["news"], "segments": ["regulars"]}]})
    segment = Segment.objects.create(name="Regulars", slug="regulars")
    for member, state in ((True, State.QUEUED), (False, State.HELD)):
        contact = subscriber()
        if member:
            SegmentMembership.objects.create(
                segment=segment, contact=contact, slot=contact.slot, entered_at=NOON
            )
        outbox.intend([make_intent(contact), make_intent(contact, purpose="news")], NOON)
        deciding.decide_batch(NOON, most_slots=64)
        assert Message.objects.get(contact=contact, purpose="news").state == state
