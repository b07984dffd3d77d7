"""In-app messages: decided like all others, kept once, shown to the right person while they should be."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from channels import deciding, delivery, engagement, outbox
from channels.inapp import receipts, showing, withdrawing
from channels.models import Decision, InAppMessage, Message, ProviderAccount, Receipt
from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Contact, Event, Identifier, Purpose
from tests.factories import NOON, log_event, make_contact, make_intent, make_provider, make_template

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(minutes=30)
BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_1) AppleWebKit/605.1.15 Safari/605.1.15"
NOT_BOUGHT = {"event": "Order Completed", "count": {"lte": 0}, "within": "30 days"}


@pytest.fixture(autouse=True)
def account() -> ProviderAccount:
    Purpose.objects.create(slug="offers", name="Offers")
    return make_provider("inapp", kind="inapp")


def visitor(**values: Any) -> Contact:
    contact = make_contact(**values)
    Identifier.objects.create(
        kind="anonymous", value=uuid.uuid4().hex, contact=contact, slot=contact.slot, created_at=NOON
    )
    return contact


def template(**values: Any) -> None:
    make_template(
        "banner",
        "inapp",
        **{"link": "https://shop.example/new", "button": "Look", "place": "top", **values},
    )


def wish(contact: Contact, **values: Any) -> None:
    outbox.intend([make_intent(contact, wanted=("inapp",), content={"inapp": "banner"}, **values)], NOON)


def run(now: datetime = NOON) -> None:
    deciding.decide_batch(now)
    delivery.deliver_batch(lambda: now)


def sent(contact: Contact | None = None, **values: Any) -> InAppMessage:
    template()
    wish(contact or visitor(), **values)
    run()
    return InAppMessage.objects.get()


def shown(contact: Contact, page: str = "/", now: datetime = LATER, most: int = 10) -> list[str]:
    return [row.title for row in showing.in_place(contact.id, "top", page, most, now)]


def test_a_wish_becomes_one_message_that_waits_for_the_person() -> None:
    template(image="https://shop.example/cup.png", pages="/cups/*\n/", days=3)
    ada = visitor(first_name="Ada")
    wish(ada)
    run()

    row = InAppMessage.objects.get()
    assert (row.title, row.text, row.button) == ("Hello Ada", "Hello Ada", "Look")
    assert row.image == "https://shop.example/cup.png"
    assert row.pages == ["/cups/*", "/"]
    assert row.ends_at == NOON + timedelta(days=3)
    assert "/t/c/" in row.link
    assert Message.objects.get().state == Message.State.ACCEPTED


def test_nobody_needs_to_have_agreed_but_a_refusal_counts() -> None:
    template()
    ada, bob = visitor(), visitor()
    consent.record([NewConsent(bob.id, "inapp", "offers", False, "form")], NOON)
    wish(ada)
    wish(bob)
    run()

    assert InAppMessage.objects.get().contact_id == ada.id
    assert Decision.objects.get(contact=bob).reason == "no_consent"


@pytest.mark.parametrize("seen", [NOON - timedelta(days=31), None])
def test_who_has_not_come_for_long_or_has_no_browser_is_not_reached(seen: datetime | None) -> None:
    template()
    wish(visitor(last_seen_at=seen) if seen else make_contact())
    run()

    assert Decision.objects.get().reason == "no_address"


def test_what_waits_for_the_person_neither_takes_nor_needs_a_place_under_the_caps() -> None:
    template()
    make_provider("email")
    make_template("spring")
    ada = visitor()
    consent.record([NewConsent(ada.id, "email", "offers", True, "form")], NOON)
    for _number in range(5):
        wish(ada)
    outbox.intend([make_intent(ada)], NOON)
    deciding.decide_batch(NOON)

    assert set(Decision.objects.values_list("reason", flat=True)) == {"allowed"}


def test_it_is_shown_where_it_belongs_and_no_longer_than_it_should() -> None:
    ada = visitor(first_name="Ada")
    row = sent(ada)
    InAppMessage.objects.update(pages=["/cups/*"])

    assert shown(ada, "/cups/blue") == ["Hello Ada"]
    assert shown(ada, "/plates") == []
    assert shown(ada, "/cups/blue", row.ends_at) == []
    assert shown(visitor(), "/cups/blue") == []


def test_the_most_important_comes_first_and_no_more_than_asked() -> None:
    ada = visitor()
    template()
    for _number in range(3):
        wish(ada)
    run()
    last = InAppMessage.objects.order_by("id").first()
    assert last
    InAppMessage.objects.filter(pk=last.pk).update(importance=90, title="First")

    assert shown(ada, most=2) == ["First", "Hello you"]


def test_who_has_bought_meanwhile_is_not_shown_it_and_it_is_withdrawn() -> None:
    ada = visitor()
    sent(ada, conditions=NOT_BOUGHT)
    assert shown(ada)
    log_event(ada, "Order Completed", NOON + timedelta(minutes=5))

    assert shown(ada) == []
    assert withdrawing.withdraw(LATER) == 1
    assert InAppMessage.objects.get().withdrawn_at == LATER
    assert Event.objects.get(name="Message Withdrawn").properties["reason"] == "conditions"
    assert withdrawing.withdraw(LATER + timedelta(hours=1)) == 0


def test_what_was_seen_stays_in_the_inbox_though_they_bought() -> None:
    ada = visitor()
    row = sent(ada, conditions=NOT_BOUGHT)
    receipts.take(ada.id, [(row.key, "read")], BROWSER, LATER)
    log_event(ada, "Order Completed", LATER)

    rows, _more = showing.in_inbox(ada.id, None, 10, LATER + timedelta(minutes=1))
    assert [one.key for one in rows] == [row.key]


def test_who_refuses_after_it_was_sent_is_shown_nothing() -> None:
    ada = visitor()
    sent(ada)
    consent.record([NewConsent(ada.id, "inapp", "offers", False, "form")], NOON)

    assert shown(ada) == []


def test_seen_clicked_and_dismissed_are_engagement_once_and_end_the_showing() -> None:
    ada = visitor()
    row = sent(ada)
    done = [(row.key, kind) for kind in ("seen", "clicked", "dismissed")]
    for _repeat in range(2):
        assert receipts.take(ada.id, done, BROWSER, NOON + timedelta(seconds=1)) == 3
        engagement.absorb(LATER, 100)

    names = Event.objects.filter(name__in=["Message Opened", "Message Clicked", "Message Dismissed"])
    assert sorted(names.values_list("name", flat=True)) == [
        "Message Clicked",
        "Message Dismissed",
        "Message Opened",
    ]
    assert Event.objects.get(name="Message Clicked").properties["url"] == "https://shop.example/new"
    assert Receipt.objects.count() == 3
    assert shown(ada) == []
    row.refresh_from_db()
    assert row.seen_at
    assert row.dismissed_at


def test_who_may_not_be_measured_is_left_alone_and_still_rid_of_the_message() -> None:
    ada = visitor()
    row = sent(ada)
    consent.record([NewConsent(ada.id, "inapp", "tracking", False, "form")], NOON)
    receipts.take(ada.id, [(row.key, "seen"), (row.key, "dismissed")], BROWSER, LATER)
    engagement.absorb(LATER, 100)

    row.refresh_from_db()
    assert (row.seen_at, row.dismissed_at) == (None, LATER)
    assert not Receipt.objects.exists()
    assert not Event.objects.filter(name__in=["Message Opened", "Message Dismissed"]).exists()


def test_nobody_can_do_anything_with_another_persons_message() -> None:
    row = sent()

    assert receipts.take(visitor().id, [(row.key, "dismissed")], BROWSER, LATER) == 0


def test_the_inbox_counts_what_was_not_read_and_goes_on_where_it_ended() -> None:
    template()
    ada = visitor()
    for _number in range(3):
        wish(ada)
    run()
    first, last = showing.in_inbox(ada.id, None, 2, LATER)
    assert showing.unread(ada.id, LATER) == 3
    assert last
    rest, end = showing.in_inbox(ada.id, showing.row_of(ada.id, last.key), 2, LATER)
    receipts.take(ada.id, [(first[0].key, "read")], BROWSER, LATER)

    assert (len(first), len(rest), end) == (2, 1, None)
    assert showing.unread(ada.id, LATER) == 2


@pytest.mark.parametrize(
    ("pages", "page", "fits"),
    [
        ([], "/x", True),
        (["/a"], "/a", True),
        (["/a"], "/a/b", False),
        (["/a/*"], "/a/b", True),
        (["/[a]"], "/[a]", True),
    ],
)
def test_paths_are_compared_as_people_write_them(pages: list[str], page: str, fits: bool) -> None:
    assert showing.fits(pages, page) is fits
