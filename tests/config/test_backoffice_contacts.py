from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config import roles
from contacts import consent
from contacts.models import (
    ConsentEntry,
    Contact,
    Identifier,
    Purpose,
    Segment,
    SegmentMembership,
    Suppression,
)
from contacts.paging import CAP, CappedPaginator
from contacts.searching import search
from tests.config.backoffice import make_person, signed_in
from tests.factories import NOON, make_contact

pytestmark = pytest.mark.django_db

LIST = "/admin/contacts/contact/"


@pytest.fixture
def client() -> Client:
    return signed_in(make_person("root", superuser=True))


def page_of(contact: Contact) -> str:
    return f"{LIST}{contact.pk}/change/"


@pytest.mark.parametrize(
    "term",
    [
        "ada@ex",
        "ADA@example.com",
        "ada",
        "LOVE",
        "ada love",
        "user-7",
        "user-",
        "+33612345678",
        "da@exam",
        "velace",
        "06 12 34 56 78",
        "0033 6 12 34 56 78",
        "3456 78",
        "+33 6.12.34",
    ],
)
def test_a_contact_is_found_by_email_name_phone_or_identifier(term: str) -> None:
    ada = make_contact(email="ada@example.com", phone="+33612345678", first_name="Ada", last_name="Lovelace")
    for kind, value in (("user", "user-7"), ("email", ada.email), ("phone", ada.phone)):
        Identifier.objects.create(kind=kind, value=value, contact=ada, slot=ada.slot, created_at=NOON)
    make_contact(email="bob@example.com", first_name="Bob", last_name="Stone")

    assert search(term) == {ada.pk}


@pytest.mark.parametrize("term", ["%", "_", "a%", "' OR 1=1 --", "\\"])
def test_signs_of_the_database_mean_nothing_in_a_search(term: str) -> None:
    make_contact(email="ada@example.com", first_name="Ada")

    assert search(term) == set()


def test_the_list_filters_by_what_is_known(client: Client) -> None:
    member = make_contact(email="in@example.com", country="FR")
    make_contact(email="out@example.com", country="DE")
    segment = Segment.objects.create(name="Loyal", slug="loyal")
    SegmentMembership.objects.create(segment=segment, contact=member, slot=member.slot, entered_at=NOON)

    for query in ("segment=loyal", "country=FR", "q=in@example.com", "segment=loyal&known=yes"):
        found = client.get(f"{LIST}?{query}").context["contacts"]
        assert [contact.email for contact in found] == ["in@example.com"], query


def test_the_list_costs_the_same_for_a_full_page(client: Client) -> None:
    counts = []
    for _round in range(2):
        for _contact in range(20):
            make_contact(country="FR")
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_a_big_table_is_not_counted_to_the_end() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert CappedPaginator(Contact.objects.order_by("pk"), 50).count == 0

    assert f"LIMIT {CAP + 1}" in queries[0]["sql"]


def test_the_page_of_a_contact_who_did_nothing_says_so(client: Client) -> None:
    answer = client.get(page_of(make_contact()))

    assert b"Nothing happened yet" in answer.content
    assert b"In no journey now" in answer.content


@pytest.mark.parametrize(
    "path",
    ["abc/change/", "0/change/", "99999999999999999999/change/", "1/export/", "1/suppress/", "1/consent/"],
)
def test_a_contact_who_is_not_there_is_not_found(client: Client, path: str) -> None:
    assert client.get(LIST + path).status_code in {302, 404}


def test_hostile_values_are_shown_as_text(client: Client) -> None:
    bad = "<script>alert(1)</script>"
    contact = make_contact(
        first_name=bad, attributes={bad: bad}, inferred={"x": f"'\"><img src=x onerror={bad}>"}
    )

    body = client.get(page_of(contact)).content.decode()

    assert bad not in body
    assert "&lt;script&gt;" in body


def test_reading_the_page_changes_nothing_and_posting_to_it_is_refused(client: Client) -> None:
    contact = make_contact()

    assert client.post(page_of(contact), {"email": "x@example.com"}).status_code == 405


def test_an_address_says_whether_it_may_be_used(client: Client) -> None:
    contact = make_contact(email="ada@example.com", phone="+33612345678")
    consent.suppress([("email", "ada@example.com")], Suppression.Reason.COMPLAINT, NOON)

    body = client.get(page_of(contact)).content.decode()

    assert "Suppressed" in body
    assert "complaint" in body
    assert "No address" in body


def test_suppressing_asks_first_and_then_holds(client: Client) -> None:
    contact = make_contact(email="ada@example.com")
    url = f"{LIST}{contact.pk}/suppress/"

    client.get(url)
    assert not Suppression.objects.exists()
    client.post(url, {"channel": "email", "note": "asked by phone"})

    kept = Suppression.objects.get()
    assert (kept.channel, kept.address, kept.note) == ("email", "ada@example.com", "asked by phone")


def test_only_the_contacts_own_addresses_can_be_suppressed_here(client: Client) -> None:
    contact = make_contact(email="ada@example.com", phone="")

    client.post(f"{LIST}{contact.pk}/suppress/", {"channel": "sms"})

    assert not Suppression.objects.exists()


def test_an_analyst_reads_but_neither_exports_nor_suppresses() -> None:
    contact = make_contact()
    client = signed_in(make_person("ana", role=roles.ANALYST))

    body = client.get(page_of(contact)).content.decode()

    assert "Export JSON" not in body
    assert "Suppress an address" not in body
    assert client.get(f"{LIST}{contact.pk}/export/").status_code == 403
    assert client.post(f"{LIST}{contact.pk}/suppress/", {"channel": "email"}).status_code == 403


def test_what_a_person_said_elsewhere_is_written_to_the_ledger_with_its_proof() -> None:
    contact = make_contact(email="ada@example.com")
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    client = signed_in(make_person("pia", role=roles.PRIVACY))
    url = f"{LIST}{contact.pk}/consent/"
    said = {"channel": "email", "purpose": "offers", "answer": "in", "origin": "paper form", "note": "No 7"}

    assert client.get(url).status_code == 200
    assert not ConsentEntry.objects.exists()
    client.post(url, said)

    line = ConsentEntry.objects.get()
    assert (line.channel, line.purpose, line.action, line.origin) == ("email", "offers", "in", "paper form")
    assert line.proof == {"by": "pia", "note": "No 7"}
    assert consent.states([contact.pk])[contact.pk] == {("email", "offers"): True}


def test_consent_is_recorded_neither_without_an_origin_nor_by_an_analyst() -> None:
    contact = make_contact(email="ada@example.com")
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    url = f"{LIST}{contact.pk}/consent/"
    said = {"channel": "email", "purpose": "offers", "answer": "in"}

    again = signed_in(make_person("pia", role=roles.PRIVACY)).post(url, said)
    refused = signed_in(make_person("ana", role=roles.ANALYST)).post(url, said | {"origin": "by phone"})

    assert (again.status_code, refused.status_code) == (200, 403)
    assert not ConsentEntry.objects.exists()


def test_the_exported_profile_says_what_the_page_says() -> None:
    contact = make_contact(
        email="ada@example.com", attributes={"city": "Paris"}, last_seen_at=NOON + timedelta(1)
    )
    consent.record([consent.NewConsent(contact.pk, "email", "offers", True, "form")], NOON)
    client = signed_in(make_person("pia", role=roles.PRIVACY))

    answer = client.get(f"{LIST}{contact.pk}/export/")
    told = json.loads(answer.content)

    assert told["email"] == "ada@example.com"
    assert told["attributes"] == {"city": "Paris"}
    assert told["consents"] == [{"channel": "email", "purpose": "offers", "allowed": True}]
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_clock_that_was_inferred_is_the_persons_clock(client: Client) -> None:
    body = client.get(page_of(make_contact(inferred={"timezone": "Europe/Paris"}))).content.decode()

    assert "Times on this person’s clock, Europe/Paris" in body


def test_a_time_zone_that_does_not_exist_falls_back_to_utc(client: Client) -> None:
    for zone in ("Mars/Olympus", "../../etc/passwd", "Europe/"):
        assert client.get(page_of(make_contact(timezone=zone))).status_code == 200
