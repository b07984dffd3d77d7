"""What events say about consent, and who is believed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contacts import consent, ingest, permission
from contacts.models import ConsentEntry, Contact, InboxItem, PlanViolation, Purpose, Source
from tests.contacts.sender import KEY, SERVER_KEY, make_door, send
from tests.factories import NOON, make_source, put_in_inbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Source:
    for slug in ("offers", "news"):
        Purpose.objects.create(slug=slug, name=slug)
    return make_source()


def tell(shop: Source, *calls: dict[str, Any], server: bool = False, at: int = 0) -> None:
    """Let calls come in, ``at`` minutes past noon."""
    now = NOON + timedelta(minutes=at)
    put_in_inbox(shop, *({"anonymous_id": "a1", "occurred_at": now, **call} for call in calls), now=now)
    InboxItem.objects.update(server=server)
    ingest.take_in(now)


def act(channel: str | None = "email", **properties: Any) -> dict[str, Any]:
    given = {"channel": channel} if channel else {}
    return {"type": "track", "name": "Consent Updated", "properties": given | properties}


def stamped(event: str = "Product Viewed", gpc: bool | None = None, **categories: bool) -> dict[str, Any]:
    carried = {"categoryPreferences": categories} | ({} if gpc is None else {"gpc": gpc})
    return {"type": "track", "name": event, "context": {"consent": carried}}


def holds(channel: str = "email", purpose: str = "offers") -> bool | None:
    contact = Contact.objects.latest("id")
    return permission.of(consent.states([contact.pk]).get(contact.pk, {}), channel, purpose)


def test_a_browser_gives_consent_with_proof() -> None:
    Purpose.objects.create(slug="offers", name="Offers")
    shop = make_source(id=1)
    body = {
        "event": "Consent Updated",
        "anonymousId": "a1",
        "messageId": "m-9",
        "properties": {"channel": "email", "offers": True, "wording": "banner 3"},
        "context": {"page": {"url": "https://shop.example/"}, "ip": "6.6.6.6"},
    }
    answer = send("/v1/track", body, door=make_door(now=lambda: NOON), REMOTE_ADDR="203.0.113.7")
    assert answer.status == 200
    ingest.take_in(NOON)
    line = ConsentEntry.objects.get()
    assert (line.channel, line.purpose, line.action, line.wording) == ("email", "offers", "in", "banner 3")
    assert line.origin == shop.slug
    assert line.proof["ip"] == "203.0.113.7"
    assert line.proof["message_id"] == "m-9"
    assert line.proof["page"] == "https://shop.example/"


def test_a_forged_address_is_not_kept_as_proof(shop: Source) -> None:
    sent = {"event": "Consent Updated", "anonymousId": "a1", "properties": {"offers": False}, "ip": "6.6.6.6"}
    send("/v1/track", sent, key=KEY, REMOTE_ADDR="not an address")
    InboxItem.objects.update(source_id=shop.pk)
    ingest.take_in(NOON)
    assert all("ip" not in line.proof for line in ConsentEntry.objects.all())


def test_a_server_key_is_told_apart_at_the_door(shop: Source) -> None:
    for key in (KEY, SERVER_KEY):
        send("/v1/track", {"event": "X", "userId": "ada"}, key=key)
    assert list(InboxItem.objects.order_by("id").values_list("server", flat=True)) == [False, True]


def test_a_browser_that_names_no_wording_gives_nothing_and_it_shows(shop: Source) -> None:
    tell(shop, act(offers=True))
    assert not ConsentEntry.objects.exists()
    violation = PlanViolation.objects.get()
    assert (violation.code, violation.property) == ("consent", "email/offers")
    assert "wording" in violation.example


def test_a_browser_withdraws_always(shop: Source) -> None:
    tell(shop, act(offers=True, wording="1"))
    tell(shop, act(None, offers=False), at=1)
    assert [holds(channel) for channel in ("email", "sms", "push")] == [False, False, False]


def test_a_browser_cannot_answer_for_the_owner_of_an_email(shop: Source) -> None:
    tell(shop, {"type": "identify", "user_id": "ada", "properties": {"email": "ada@example.org"}})
    ada = Contact.objects.get()
    forged = act(offers=True, wording="1") | {"context": {"traits": {"email": "ada@example.org"}}}
    tell(shop, forged | {"anonymous_id": "mallory"})
    assert ConsentEntry.objects.get().contact_id != ada.pk


def test_a_server_answers_for_anybody_and_needs_no_wording(shop: Source) -> None:
    tell(shop, {"type": "identify", "user_id": "ada", "properties": {"email": "ada@example.org"}})
    sent = act(offers=True) | {"context": {"traits": {"email": "ada@example.org"}}, "anonymous_id": None}
    tell(shop, sent, server=True)
    assert holds() is True


@pytest.mark.parametrize(
    ("server", "stamp", "expected"),
    [(True, True, True), (True, False, False), (False, True, None), (False, False, False)],
)
def test_what_a_sender_repeats_is_believed_of_servers_and_when_it_refuses(
    shop: Source, server: bool, stamp: bool, expected: bool | None
) -> None:
    tell(shop, stamped(Analytics=stamp), server=server)
    assert holds("web", "tracking") is expected


def test_a_repeated_yes_never_overturns_a_no(shop: Source) -> None:
    tell(shop, act("web", tracking=False))
    tell(shop, stamped(Analytics=True), server=True, at=1)
    assert holds("web", "tracking") is False


def test_a_repeated_answer_is_one_line(shop: Source) -> None:
    for minute in range(3):
        tell(shop, stamped(Analytics=False), stamped(Analytics=False), at=minute)
    assert ConsentEntry.objects.count() == 1


@pytest.mark.parametrize("server", [True, False])
def test_global_privacy_control_on_any_call_withdraws_tracking_and_ads(shop: Source, server: bool) -> None:
    tell(shop, act(None, tracking=True, ads=True, personalisation=True))
    tell(shop, stamped("Product Viewed", gpc=True), at=1, server=server)
    answers = {purpose: holds("web", purpose) for purpose in ("tracking", "ads", "personalisation")}
    assert answers == {"tracking": False, "ads": False, "personalisation": True}
    assert ConsentEntry.objects.latest("id").proof["gpc"] is True


def test_who_agrees_on_this_site_though_their_browser_objects_is_believed(shop: Source) -> None:
    chosen = {"context": {"consent": {"categoryPreferences": {"tracking": True}, "gpc": True}}}
    tell(shop, act(None, tracking=True, wording="1") | chosen)
    tell(shop, {"type": "page"} | chosen, at=1)
    assert (holds("web", "tracking"), holds("web", "ads")) == (True, False)


def test_choices_without_a_channel_go_where_their_purposes_are_asked(shop: Source) -> None:
    tell(shop, act(None, tracking=True, offers=True, wording="banner 3"))
    lines = ConsentEntry.objects.values_list("channel", "purpose")
    asked = [(channel, "offers") for channel in consent.CHANNELS]
    assert sorted(lines) == sorted([*asked, ("web", "tracking")])


def test_a_yes_that_comes_late_does_not_overturn_a_later_no(shop: Source) -> None:
    tell(shop, act(offers=False), at=10)
    late = act(offers=True, wording="1") | {"occurred_at": NOON}
    tell(shop, late, at=11)
    assert holds() is False


def test_of_two_answers_in_one_batch_the_later_to_happen_holds(shop: Source) -> None:
    earlier = act(offers=False) | {"occurred_at": NOON - timedelta(minutes=5)}
    tell(shop, act(offers=True, wording="1"), earlier)
    assert holds() is True


def test_consent_managers_of_the_segment_kind_are_understood(shop: Source) -> None:
    sent = stamped("Segment Consent Preference Updated", Advertising=True, Functional=True)
    tell(shop, sent)
    assert holds("web", "ads") is True
    assert ConsentEntry.objects.count() == 1


@pytest.mark.parametrize(
    "junk",
    [
        {"channel": "pigeon", "offers": True},
        {"channel": 5, "unheard": True},
        {"channel": "email", "offers": "yes", "news": 1, "wording": {"a": 1}},
        {"channel": "email", "": True, "x" * 5000: True},
    ],
)
def test_junk_is_taken_in_and_changes_nothing(shop: Source, junk: dict[str, Any]) -> None:
    call = act(**junk) | {"context": {"consent": {"categoryPreferences": [1], "gpc": "yes"}, "page": 7}}
    tell(shop, call, {"type": "page", "context": {"consent": "granted"}})
    assert not ConsentEntry.objects.exists()
    assert not InboxItem.objects.exists()
    assert Contact.objects.count() == 1


def test_an_answer_of_somebody_new_is_written_in_the_same_batch(shop: Source) -> None:
    tell(shop, act(offers=True, wording="1"), {"type": "identify", "user_id": "ada"})
    assert holds() is True
    assert Contact.objects.count() == 1
