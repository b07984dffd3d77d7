"""From what is seen to what is planned, by act and in the back office."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from config import roles
from contacts import ingest
from contacts.models import PlannedEvent, SeenEvent, Source
from contacts.plan import adopting, catalogue
from tests.config.backoffice import make_person, signed_in
from tests.factories import NOON, make_source, put_in_inbox

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def shop() -> Source:
    source = make_source("Shop")
    for number in range(2):
        sent = {"total": number, "coupon": "X", HOSTILE: True}
        put_in_inbox(source, {"type": "track", "name": "Order Completed", "user_id": "a", "properties": sent})
    put_in_inbox(source, {"type": "track", "name": HOSTILE, "user_id": HOSTILE, "properties": {"a": HOSTILE}})
    put_in_inbox(source, {"type": "track", "name": "", "user_id": "null", "properties": {}})
    ingest.take_in(NOON)
    return source


@pytest.fixture
def marketer(db: None) -> Client:
    return signed_in(make_person("mara", role=roles.MARKETER))


@pytest.mark.django_db
def test_an_adopted_event_expects_what_was_seen_and_requires_nothing(shop: Source) -> None:
    planned = adopting.adopt(SeenEvent.objects.get(name="Order Completed"))
    assert planned
    assert planned.source == shop
    assert {"name": "total", "type": "number", "required": False} in planned.properties
    assert adopting.adopt(SeenEvent.objects.get(name="Order Completed")) is None


@pytest.mark.django_db
def test_one_click_plans_an_event_and_leaves_a_trace(shop: Source, marketer: Client) -> None:
    page = marketer.get(reverse("admin:contacts_source_plan", args=[shop.pk])).content.decode()
    assert "Order Completed" in page
    assert "Not in the plan" in page
    assert HOSTILE not in page
    answer = marketer.post(
        reverse("admin:contacts_source_adopt", args=[shop.pk]), {"name": "Order Completed"}, follow=True
    )
    assert "Now in the plan: Order Completed" in answer.content.decode()
    assert PlannedEvent.objects.get().name == "Order Completed"
    assert "Planned the event Order Completed" in LogEntry.objects.latest("id").get_change_message()


@pytest.mark.django_db
def test_all_unknown_events_are_planned_at_once(shop: Source, marketer: Client) -> None:
    marketer.post(reverse("admin:contacts_source_adopt", args=[shop.pk]))
    assert sorted(PlannedEvent.objects.values_list("name", flat=True)) == sorted([HOSTILE, "Order Completed"])


@pytest.mark.django_db
def test_who_may_only_look_plans_nothing(shop: Source) -> None:
    analyst = signed_in(make_person("ana", role=roles.ANALYST))
    for name in ("contacts_source_adopt", "contacts_source_plan", "contacts_source_live"):
        address = reverse(f"admin:{name}", args=[shop.pk])
        answer = analyst.post(address) if name.endswith("adopt") else analyst.get(address)
        assert answer.status_code == 403
    assert not PlannedEvent.objects.exists()


@pytest.mark.django_db
def test_a_look_changes_nothing(shop: Source, marketer: Client) -> None:
    assert marketer.get(reverse("admin:contacts_source_adopt", args=[shop.pk])).status_code == 405
    assert not PlannedEvent.objects.exists()


@pytest.mark.django_db
def test_the_live_view_asks_again_by_itself_until_it_is_paused(shop: Source, marketer: Client) -> None:
    address = reverse("admin:contacts_source_live", args=[shop.pk])
    page = marketer.get(address).content.decode()
    assert 'http-equiv="refresh"' in page
    assert "no_identity" in page
    assert HOSTILE not in page
    assert 'http-equiv="refresh"' not in marketer.get(address, {"paused": "1"}).content.decode()
    assert "Order Completed" not in marketer.get(address, {"outcome": "rejected"}).content.decode()


@pytest.mark.django_db
def test_who_may_not_see_events_sees_no_people_in_the_live_view(shop: Source) -> None:
    person = make_person("sol")
    person.user_permissions.add(Permission.objects.get(codename="view_source"))
    page = signed_in(person).get(reverse("admin:contacts_source_live", args=[shop.pk])).content.decode()
    assert "Order Completed" in page
    assert "user a" not in page


@pytest.mark.django_db
def test_the_plan_is_edited_as_lines(marketer: Client) -> None:
    form = {
        "name": " Store Visited ",
        "source": "",
        "description": "",
        "properties": "shop: text, required\nmood",
    }
    marketer.post(reverse("admin:contacts_plannedevent_add"), form)
    planned = PlannedEvent.objects.get(name="Store Visited")
    assert planned.properties == [
        {"name": "shop", "type": "text", "required": True},
        {"name": "mood", "type": "any", "required": False},
    ]
    page = marketer.get(reverse("admin:contacts_plannedevent_change", args=[planned.pk])).content.decode()
    assert "shop: text, required" in page
    again = marketer.post(reverse("admin:contacts_plannedevent_add"), form)
    assert "already" in again.content.decode()
    bad = marketer.post(
        reverse("admin:contacts_plannedevent_add"), form | {"name": "B", "properties": "x: decimal"}
    )
    assert "the type is one of" in bad.content.decode()


names = st.text(min_size=1, max_size=20).filter(catalogue.plannable)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"name": names, "type": st.sampled_from(catalogue.TYPES), "required": st.booleans()}
        ),
        max_size=8,
        unique_by=lambda one: one["name"],
    )
)
def test_a_plan_written_as_lines_reads_the_same(properties: list[dict[str, object]]) -> None:
    assert adopting.parsed(adopting.written(properties)) == properties
