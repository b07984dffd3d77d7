"""The list of contacts: found, filtered, paged, and acted on by many."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config import roles
from config.admin import contact_list
from contacts import consent, listing
from contacts.consent import NewConsent
from contacts.listing import Asked
from contacts.models import ChannelAddress, Contact, Segment, SegmentMembership, Suppression
from tests.config.backoffice import make_person, signed_in
from tests.factories import NOON, make_contact

pytestmark = pytest.mark.django_db

LIST = "/admin/contacts/contact/"


@pytest.fixture
def client() -> Client:
    return signed_in(make_person("root", superuser=True))


def found(**asked: Any) -> list[str]:
    return [contact.first_name for contact in listing.read(listing.matching(Asked(**asked), NOON)).contacts]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_show_each_contact_once_both_ways(size: int) -> None:
    for number in range(7):
        make_contact(last_seen_at=NOON - timedelta(hours=number // 3))
    down: list[int] = []
    page = listing.read(listing.matching(Asked(), NOON), size=size)
    down += [contact.pk for contact in page.contacts]
    while page.older:
        page = listing.read(listing.matching(Asked(), NOON), below=page.older, size=size)
        down += [contact.pk for contact in page.contacts]
    up = [contact.pk for contact in page.contacts]
    while page.newer:
        page = listing.read(listing.matching(Asked(), NOON), above=page.newer, size=size)
        up = [one.pk for one in page.contacts if one.pk not in up] + up

    assert down == up
    assert len(set(down)) == 7


@pytest.mark.parametrize("few", [0, 5_000])
def test_who_can_be_reached_and_who_agreed_is_found_among_few_and_among_many(few: int) -> None:
    ada = make_contact(first_name="Ada", email="ada@example.com", language="fr-FR")
    bob = make_contact(first_name="Bob", email="BOB@example.com", phone="+33612345678")
    ChannelAddress.objects.create(
        slot=ada.slot, contact=ada, channel="push", address="https://push.example/1", created_at=NOON
    )
    consent.suppress([("email", "bob@example.com")], Suppression.Reason.MANUAL, NOON)
    consent.record(
        [
            NewConsent(ada.pk, "email", "offers", True, "form"),
            NewConsent(bob.pk, "email", "*", False, "form"),
        ],
        NOON,
    )
    usual, listing._FEW = listing._FEW, few
    try:
        assert found(reach="email") == ["Ada"]
        assert found(reach="sms") == ["Bob"]
        assert found(reach="push") == ["Ada"]
        assert found(consent="email:offers:in") == ["Ada"]
        assert found(consent="email:offers:out") == ["Bob"]
        assert found(consent="sms:offers:in") == []
        assert found(language="fr") == ["Ada"]
        assert found(since=NOON + timedelta(1)) == []
    finally:
        listing._FEW = usual


def test_a_small_answer_is_counted_and_a_large_one_estimated() -> None:
    for _number in range(3):
        make_contact()
    whole = listing.read(listing.matching(Asked(), NOON))
    part = listing.read(listing.matching(Asked(), NOON), size=2)

    assert listing.size(Asked(), listing.matching(Asked(), NOON), whole) == (3, True)
    with CaptureQueriesContext(connection) as queries:
        assert (
            listing.size(Asked(country="FR"), listing.matching(Asked(country="FR"), NOON), part)[1] is False
        )
    assert not any("COUNT" in query["sql"].upper().split("EXPLAIN")[0] for query in queries)


@pytest.mark.parametrize(
    "query", ["below=x", "above=9.9.9", "since=nonsense", "segment=nowhere", "q=%00", "country=F'"]
)
def test_odd_questions_are_borne(client: Client, query: str) -> None:
    make_contact()

    assert client.get(f"{LIST}?{query}").status_code == 200


def post(client: Client, act: str, **given: Any) -> Any:
    return client.post(f"{LIST}bulk/", {"act": act, **given})


def test_many_are_put_on_a_list_after_asking(client: Client) -> None:
    people = [make_contact(country="FR") for _number in range(3)]
    make_contact(country="DE")
    fans = Segment.objects.create(name="Fans", slug="fans", kind="static")

    asked = post(client, "list", which="all", query="country=FR").content.decode()
    assert "3 contacts" in asked
    assert not SegmentMembership.objects.exists()
    post(client, "list", which="all", query="country=FR", confirmed="1", segment=fans.pk)

    assert set(SegmentMembership.objects.values_list("contact_id", flat=True)) == {one.pk for one in people}
    post(client, "unlist", contact=[people[0].pk], confirmed="1", segment=fans.pk)
    assert SegmentMembership.objects.count() == 2
    assert LogEntry.objects.count() == 2


def test_many_are_suppressed_with_a_reason(client: Client) -> None:
    ada = make_contact(email="ada@example.com", phone="+33612345678")
    bob = make_contact(email="bob@example.com")

    post(client, "suppress", contact=[ada.pk, bob.pk], confirmed="1", channels=["email"])
    assert not Suppression.objects.exists()
    post(client, "suppress", contact=[ada.pk, bob.pk], confirmed="1", channels=["email", "sms"], note="x")

    assert Suppression.objects.count() == 3


def test_the_list_and_a_segment_lead_to_an_export_of_whom_they_show(client: Client) -> None:
    segment = Segment.objects.create(name="VIP", slug="vip", kind=Segment.Kind.STATIC)
    address = f"/admin/contacts/export/add/?segment={segment.pk}"
    assert address in client.get("/admin/contacts/contact/?segment=vip").content.decode()
    assert address in client.get(f"/admin/contacts/segment/{segment.pk}/members/").content.decode()
    page = client.get(address).content.decode()
    assert f'<option value="{segment.pk}" selected>' in page
    assert f"&amp;segment={segment.pk}" in page


def test_an_export_is_guarded_against_formulae(client: Client) -> None:
    ada = make_contact(first_name="=1+1", email="ada@example.com")
    answer = post(client, "export", contact=[ada.pk], confirmed="1")

    assert isinstance(answer, StreamingHttpResponse)
    text = b"".join(answer.streaming_content).decode()  # type: ignore[arg-type]
    assert "'=1+1" in text
    assert "ada@example.com" in text


def test_too_many_at_once_are_refused(client: Client) -> None:
    for _number in range(3):
        make_contact()
    usual, contact_list.MOST = contact_list.MOST, 2
    try:
        post(client, "suppress", which="all", confirmed="1", channels=["email"], note="x")
    finally:
        contact_list.MOST = usual

    assert not Suppression.objects.exists()


def test_a_role_sees_and_does_with_many_only_what_it_may() -> None:
    ada = make_contact()
    Segment.objects.create(name="Fans", slug="fans", kind="static")
    analyst = signed_in(make_person("ana", role=roles.ANALYST))
    marketer = signed_in(make_person("max", role=roles.MARKETER))

    assert 'name="act"' not in analyst.get(LIST).content.decode()
    page = marketer.get(LIST).content.decode()
    assert 'value="list"' in page
    assert 'value="export"' not in page
    for act in contact_list.ACTS:
        assert post(analyst, act, contact=[ada.pk], confirmed="1").status_code == 403
    assert post(marketer, "export", contact=[ada.pk], confirmed="1").status_code == 403
    assert Contact.objects.count() == 1
