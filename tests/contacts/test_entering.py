"""What staff write down goes the way of every event."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from config import roles
from contacts import entering, ingest
from contacts.directory import Identifier
from contacts.models import Contact, Event, InboxItem, PlannedEvent, Source
from tests.config.backoffice import make_person, signed_in
from tests.factories import NOON, make_source, put_in_inbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Source:
    return make_source("Paris store", slug="paris", kind=Source.Kind.STORE)


@pytest.fixture
def clerk() -> Client:
    return signed_in(make_person("clara", role=roles.STAFF))


def address(**values: str) -> str:
    query = "&".join(f"{key}={value}" for key, value in values.items())
    return f"{reverse('admin:contacts_source_entry')}?{query}"


VISIT = {"what": "paris|Order Completed", "by": "email", "value": "Ada@Example.org"}


def test_an_order_at_the_till_reaches_the_person_by_email(store: Source, clerk: Client) -> None:
    put_in_inbox(store, {"type": "identify", "user_id": "ada", "properties": {"email": "ada@example.org"}})
    ingest.take_in(NOON)
    page = clerk.get(address(**VISIT)).content.decode()
    assert "Found:" in page
    form = {"message_id": "m-1", "property-0": "o-7", "property-1": "12.5", "property-2": ""}
    for _press in range(2):
        assert clerk.post(address(**VISIT), form).status_code == 302
        ingest.take_in(NOON + timedelta(days=999))
    event = Event.objects.get(name="Order Completed")
    assert event.contact_id == Contact.objects.get().pk
    assert event.source_id == store.pk
    assert event.properties == {"order_id": "o-7", "total": 12.5, "entered_by": "clara"}
    trace = LogEntry.objects.latest("id")
    assert "Wrote down Order Completed" in trace.change_message
    assert trace.object_id == str(event.contact_id)


def test_nobody_found_makes_a_contact(store: Source, clerk: Client) -> None:
    query = address(what="paris|Store Visited", by="phone", value="%2B33 6 12 34 59 87")
    assert "a new contact is made" in clerk.get(query).content.decode()
    clerk.post(query, {"message_id": "m"})
    ingest.take_in(NOON + timedelta(days=999))
    assert Contact.objects.get().identifiers.get().value == "+33612345987"


def test_a_card_finds_its_owner(store: Source) -> None:
    for _visit in range(2):
        entering.enter(store, "Store Visited", Identifier("card", "4711"), {}, NOON, by="clara")
        ingest.take_in(NOON)
    assert Contact.objects.get().identifiers.get().kind == "card"


@pytest.mark.parametrize("value", ["", "null", "not an email", "a@b", "\u200b"])
def test_what_can_be_nobodys_is_refused(store: Source, clerk: Client, value: str) -> None:
    clerk.post(
        address(**{**VISIT, "value": value}), {"message_id": "m", "property-0": "1", "property-1": "1"}
    )
    assert not InboxItem.objects.exists()


def test_what_the_plan_requires_is_asked_for(store: Source, clerk: Client) -> None:
    properties = [{"name": "table", "type": "integer", "required": True}, {"name": "items", "type": "list"}]
    PlannedEvent.objects.create(source=store, name="Meal Served", properties=properties)
    query = address(what="paris|Meal Served", by="email", value="ada@example.org")
    assert "This field is required" in clerk.post(query, {"message_id": "m"}).content.decode()
    assert clerk.post(query, {"message_id": "m", "property-0": "x"}).status_code == 200
    assert clerk.post(query, {"message_id": "m", "property-0": "4"}).status_code == 302
    assert InboxItem.objects.count() == 1


@pytest.mark.parametrize("what", ["other|Order Completed", "paris|Made Up", "paris", ""])
def test_nothing_beyond_the_offers_can_be_written(store: Source, clerk: Client, what: str) -> None:
    make_source("Other", kind=Source.Kind.SERVER)
    clerk.post(address(**{**VISIT, "what": what}), {"message_id": "m", "property-0": "1", "property-1": "1"})
    assert not InboxItem.objects.exists()


def test_who_may_not_add_events_sees_no_form(store: Source) -> None:
    analyst = signed_in(make_person("ana", role=roles.ANALYST))
    assert analyst.get(address()).status_code == 403
    assert analyst.post(address(**VISIT), {"message_id": "m"}).status_code == 403


def test_without_a_touchpoint_the_page_says_what_to_do(clerk: Client) -> None:
    assert "No store, call centre" in clerk.get(address()).content.decode()
