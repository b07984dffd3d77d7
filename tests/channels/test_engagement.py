"""What comes back about messages: classed, counted once, in any order."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from channels import actors, engagement, hits
from channels.hits import NewHit
from channels.models import Attempt, EngagementTotal, Hit, LastOpen, Message, Receipt, TrackedLink
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Event, Suppression
from tests.factories import NOON, make_contact, make_queued
from tests.statements import statements

pytestmark = pytest.mark.django_db
State = Message.State

LATER = NOON + timedelta(hours=1)
#: When fetches of LATER have waited for their company.
SOON = LATER + actors.SETTLED
BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_1) AppleWebKit/605.1.15 Safari/605.1.15"


def _sent(**values: Any) -> Message:
    return make_queued(
        values.pop("contact", None) or make_contact(),
        **{"state": State.ACCEPTED, "due_at": None, "accepted_at": NOON, **values},
    )


def _fetch(message: Message, kind: str = "open", **values: Any) -> NewHit:
    data = {"method": "GET", "agent": BROWSER, "purpose": "", "network": "", **values.pop("data", {})}
    return NewHit(values.pop("received_at", LATER), kind, message.id, message.created_at, data=data, **values)


def _callback(message: Message, kind: str, **values: Any) -> NewHit:
    return NewHit(
        **{
            "received_at": LATER,
            "kind": kind,
            "message_id": message.id,
            "message_created_at": message.created_at,
            "provider_id": 1,
            "receipt_key": f"{kind}-{message.id}",
            **values,
        }
    )


def _absorb(*found: NewHit) -> int:
    hits.write(found)
    return engagement.absorb(SOON, 1000)


def _names() -> list[str]:
    return list(Event.objects.order_by("name").values_list("name", flat=True))


def test_a_persons_open_and_click_are_kept_on_the_message_and_enter_the_log() -> None:
    message = _sent()
    link = TrackedLink.objects.create(digest=b"1" * 32, url="https://shop.example/a")
    assert _absorb(_fetch(message), _fetch(message, "click", link_id=link.id)) == 2
    message.refresh_from_db()
    assert message.opened_at == message.clicked_at == LATER
    assert _names() == ["Message Clicked", "Message Opened"]
    assert Event.objects.get(name="Message Clicked").properties["url"] == "https://shop.example/a"
    assert not Hit.objects.exists()


MACHINES = {
    "head": ({"method": "HEAD"}, "scanner"),
    "gmail": ({"agent": "Mozilla/5.0 (via ggpht.com GoogleImageProxy)"}, "proxy"),
    "apple": ({"agent": "Mozilla/5.0"}, "proxy"),
    "yahoo": ({"agent": "YahooMailProxy; https://help.yahoo.com"}, "proxy"),
    "crawler": (
        {"agent": "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"},
        "scanner",
    ),
    "library": ({"agent": "python-requests/2.32"}, "scanner"),
    "prefetch": ({"purpose": "prefetch"}, "prefetch"),
    "preview": ({"purpose": "preview"}, "prefetch"),
}


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_is_kept_with_its_class_and_counts_for_nobody(name: str) -> None:
    data, actor = MACHINES[name]
    message = _sent()
    _absorb(_fetch(message, data=data))
    message.refresh_from_db()
    assert message.opened_at is None
    assert Receipt.objects.get().actor == actor
    assert _names() == []


def test_a_click_within_two_seconds_is_no_persons() -> None:
    message = _sent()
    _absorb(_fetch(message, "click", received_at=NOON + timedelta(seconds=1)))
    assert Receipt.objects.get().actor == "scanner"


def test_who_refused_to_be_measured_is_not() -> None:
    contact = make_contact()
    consent.record([NewConsent(contact.id, "email", "tracking", False, "test")], NOON)
    message = _sent(contact=contact)
    _absorb(_fetch(message))
    message.refresh_from_db()
    assert message.opened_at is None
    assert not Receipt.objects.exists()
    total = EngagementTotal.objects.get()
    assert (total.kind, total.actor, total.template, total.hits) == ("opened", "human", "hello", 1)
    assert LastOpen.objects.get().day == LATER.date()


def test_the_same_callback_46_times_counts_once() -> None:
    message = _sent()
    hits.write([_callback(message, "delivered")] * 46)
    for _ in range(5):
        engagement.absorb(SOON, 10)
    assert Receipt.objects.count() == 1
    assert _names() == ["Message Delivered"]


def test_callbacks_in_any_order_come_to_the_same() -> None:
    kinds = ["delivered", "opened", "clicked", "bounced", "unsubscribed"]
    orders = {_sent(): order for order in permutations(range(5))}
    for step in range(5):
        _absorb(
            *(
                _callback(
                    message,
                    kinds[order[step]],
                    received_at=NOON + timedelta(minutes=order[step] + 1),
                    data={"agent": BROWSER},
                )
                for message, order in orders.items()
            )
        )
    ends = set()
    for message in orders:
        message.refresh_from_db()
        events = Event.objects.filter(contact_id=message.contact_id)
        ends.add(
            (
                message.delivered_at, message.opened_at, message.clicked_at, message.bounced_at,
                message.state,
                tuple(events.order_by("name").values_list("name", flat=True)),
                consent.suppressed({("email", message.address)}) != set(),
            )
        )  # fmt: skip
    assert len(orders) == 120
    assert len(ends) == 1


def test_a_receipt_settles_an_uncertain_message() -> None:
    arrived, bounced = _sent(state=State.UNCERTAIN), _sent(state=State.UNCERTAIN)
    _absorb(_callback(arrived, "delivered"), _callback(bounced, "bounced"))
    arrived.refresh_from_db()
    bounced.refresh_from_db()
    assert (arrived.state, bounced.state) == (State.ACCEPTED, State.REJECTED)


def test_what_a_receipt_settles_left_when_it_was_handed_over() -> None:
    message = _sent(state=State.UNCERTAIN, accepted_at=None)
    Attempt.objects.create(
        started_at=NOON - timedelta(days=3), slot=message.slot, message_id=message.id, number=1,
        message_created_at=message.created_at, provider_id=1, outcome="uncertain",
    )  # fmt: skip
    _absorb(_callback(message, "clicked"))
    message.refresh_from_db()
    assert (message.state, message.accepted_at) == (State.ACCEPTED, NOON - timedelta(days=3))


def test_what_a_receipt_settles_enters_the_log_as_sent_or_failed() -> None:
    arrived, bounced = _sent(state=State.UNCERTAIN), _sent(state=State.UNCERTAIN)
    _absorb(_callback(arrived, "delivered"), _callback(arrived, "opened"), _callback(bounced, "bounced"))
    told = {(one.name, one.properties["message"]) for one in Event.objects.all()}
    assert {("Message Sent", arrived.id), ("Message Failed", bounced.id)} <= told
    assert ("Message Sent", bounced.id) not in told


def test_a_hard_bounce_and_a_complaint_end_the_address_and_a_full_mailbox_does_not() -> None:
    hard, soft, angry = _sent(), _sent(), _sent()
    _absorb(
        _callback(hard, "bounced"),
        _callback(soft, "bounced", data={"soft": True}),
        _callback(angry, "complained"),
    )
    assert set(Suppression.objects.values_list("address", "reason")) == {
        (hard.address, "hard_bounce"),
        (angry.address, "complaint"),
    }
    assert consent.states([angry.contact_id])[angry.contact_id][("email", "*")] is False


def test_a_receipt_that_comes_before_its_message_is_known_waits() -> None:
    message = _sent()
    early = NewHit(LATER, "delivered", provider_id=1, receipt_key="a", data={"provider_message_id": "abc"})
    assert _absorb(early) == 0
    Message.objects.filter(id=message.id).update(provider_message_id="abc")
    assert engagement.absorb(SOON, 10) == 1
    message.refresh_from_db()
    assert message.delivered_at == LATER


def test_a_receipt_of_nobodys_message_is_given_up_in_the_end() -> None:
    _absorb(NewHit(LATER, "delivered", provider_id=1, receipt_key="a", data={"provider_message_id": "x"}))
    assert Hit.objects.count() == 1
    engagement.absorb(LATER + timedelta(minutes=11), 10)
    assert Hit.objects.count() == 0


def test_an_id_that_two_providers_gave_means_the_message_of_the_one_who_reports() -> None:
    own, other = (_sent(provider_id=account, provider_message_id="17") for account in (1, 2))
    _absorb(NewHit(LATER, "delivered", provider_id=2, receipt_key="a", data={"provider_message_id": "17"}))
    own.refresh_from_db()
    other.refresh_from_db()
    assert (own.delivered_at, other.delivered_at) == (None, LATER)


def test_reports_about_mails_of_others_hold_up_nobody() -> None:
    foreign = [
        NewHit(LATER, "delivered", provider_id=1, receipt_key=str(i), data={"provider_message_id": f"x{i}"})
        for i in range(5)
    ]
    message = _sent()
    hits.write([*foreign, _fetch(message)])
    assert engagement.absorb(SOON, 3) == 1
    message.refresh_from_db()
    assert message.opened_at == LATER
    assert Hit.objects.count() == len(foreign)


def test_a_batch_of_any_size_takes_the_same_number_of_statements() -> None:
    counts = []
    for size in (10, 300):
        hits.write(_fetch(_sent()) for _ in range(size))
        with statements() as count:
            assert engagement.absorb(SOON, 1000) == size
        counts.append(count.total)
    assert counts[0] == counts[1]
