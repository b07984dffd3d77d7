"""What the builder asks: words to choose from, faults with their places, sizes; and who may ask."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from contacts import rules
from contacts.models import Purpose, Segment
from contacts.rules_sql import matching
from contacts.segmentation import judging, vocabulary
from tests.contacts.test_segment_admin import signed_in
from tests.factories import NOON, log_event, make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Client:
    cache.clear()
    return signed_in("view_segment", "add_segment", "view_contact")


def asked(client: Client, name: str, **body: Any) -> Any:
    address = reverse(f"admin:contacts_segment_{name}")
    return client.post(address, json.dumps(body), content_type="application/json")


def test_attributes_come_with_their_types_and_examples() -> None:
    make_contact(attributes={"points": 12, "vip": True, "city": "Lyon", "born": "1990-02-03"}, country="FR")
    make_contact(attributes={"points": 3, "tags": ["a"]}, inferred={"city": "Nice"})
    found = {term.name: term for term in vocabulary.attributes()}
    types = {name: found[name].type for name in ("points", "vip", "city", "born", "tags", "known")}
    assert types == {
        "points": "number",
        "vip": "flag",
        "city": "text",
        "born": "date",
        "tags": "list",
        "known": "flag",
    }
    assert set(found["city"].samples) == {"Lyon", "Nice"}
    assert found["country"].samples == ["FR"]
    assert found["email"].samples == []


def test_events_and_their_properties_are_those_that_were_seen() -> None:
    contact = make_contact()
    log_event(contact, "Order Completed", NOON, total=20, cart={"id": "c-1"})
    log_event(contact, "Message Opened", NOON + timedelta(hours=1), channel="email")
    assert [(event.name, event.own) for event in vocabulary.events()] == [
        ("Order Completed", False),
        ("Message Opened", True),
    ]
    found = {str(term.name): term for term in vocabulary.properties("Order Completed")}
    assert found["total"].type == "number"
    assert found["['cart', 'id']"].samples == ["c-1"]
    assert vocabulary.property_values("Order Completed", ["cart", "id"], "C-") == [("c-1", 1)]


def test_values_are_found_by_a_part_of_them_and_signs_have_no_meaning() -> None:
    for city in ("Lyon", "Lille", "Lyon", "100%"):
        make_contact(attributes={"city": city})
    assert vocabulary.attribute_values("city", "ly") == [("Lyon", 2)]
    assert vocabulary.attribute_values("city", "%") == [("100%", 1)]
    assert vocabulary.attribute_values("email", "") == []
    assert vocabulary.attribute_values("city'; --", "x") == []


def test_every_condition_has_its_own_fault() -> None:
    rule = {
        "all": [
            {"attribute": "points", "op": "gt", "value": "x"},
            {"event": "A"},
            {"not": {"any": [{"event": ""}, {"any": []}]}},
        ]
    }
    assert [fault.path for fault in judging.judge(rule).faults] == [
        "all[0].value",
        "all[2].not.any[0].event",
        "all[2].not.any[1].any",
    ]


def test_a_segment_that_is_not_there_is_a_fault_of_the_condition_that_names_it() -> None:
    rule = {"all": [{"event": "A"}, {"segment": "nobody"}]}
    assert [fault.path for fault in judging.judge(rule).faults] == ["all[1].segment"]


@pytest.mark.parametrize("rule", [None, [], "x", {"all": 3}, {"all": [3]}, {"not": 1}, {"like": {}}])
def test_what_is_no_rule_has_a_fault_and_breaks_nothing(editor: Client, rule: Any) -> None:
    answer = asked(editor, "judge", rule=rule)
    assert answer.status_code == 200
    assert answer.json()["faults"]
    assert asked(editor, "count", rule=rule).status_code == 422


def test_a_rule_nested_without_end_is_refused(editor: Client) -> None:
    address = reverse("admin:contacts_segment_judge")
    deep = '{"rule":' + '{"not":' * 3000 + "{}" + "}" * 3001
    assert editor.post(address, deep, content_type="application/json").status_code in (200, 400)
    assert editor.post(address, "{", content_type="application/json").status_code == 400
    assert editor.get(address).status_code == 400


def test_the_count_is_what_matching_says(editor: Client) -> None:
    lyon = {"attribute": "city", "op": "is", "value": "Lyon"}
    for city in ("Lyon", "Lyon", "Nice", "Paris"):
        make_contact(attributes={"city": city})
    answer = asked(editor, "count", rule=lyon, asker="a").json()
    assert answer["size"] == matching(rules.parse(lyon), as_of=NOON).count() == 2
    assert (answer["base"], answer["share"], len(answer["sample"])) == (4, 50.0, 2)


def test_the_count_as_of_a_day_asks_at_its_end(editor: Client) -> None:
    contact = make_contact()
    log_event(contact, "Order Completed", NOON)
    rule = {"event": "Order Completed"}
    on = f"{NOON:%Y-%m-%d}"
    before = f"{NOON - timedelta(days=1):%Y-%m-%d}"
    assert asked(editor, "count", rule=rule, as_of=on).json()["size"] == 1
    assert asked(editor, "count", rule=rule, as_of=before).json()["size"] == 0
    assert asked(editor, "count", rule=rule, as_of="no day").json()["size"] == 1


def test_who_may_not_see_contacts_gets_no_names_and_no_values() -> None:
    cache.clear()
    make_contact(attributes={"city": "Lyon"}, first_name="Ada")
    client = signed_in("view_segment", "add_segment")
    assert asked(client, "count", rule={}).json()["sample"] == []
    words = client.get(reverse("admin:contacts_segment_vocabulary")).json()
    assert all(each["samples"] == [] for each in words["attributes"])
    values = client.get(reverse("admin:contacts_segment_values"), {"attribute": "city"}).json()
    assert values == {"values": []}


def test_who_may_only_look_may_not_ask() -> None:
    client = signed_in("view_segment", "view_contact")
    for name in ("judge", "count"):
        assert asked(client, name, rule={}).status_code == 403
    for name in ("vocabulary", "properties", "values"):
        assert client.get(reverse(f"admin:contacts_segment_{name}")).status_code == 403


def test_the_vocabulary_has_all_that_the_builder_draws(editor: Client) -> None:
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    Segment.objects.create(name="Regulars", slug="regulars")
    words = editor.get(reverse("admin:contacts_segment_vocabulary")).json()
    assert words["segments"] == [{"slug": "regulars", "name": "Regulars", "size": 0}]
    assert "between" in words["operators"]
    for starter in words["starters"]:
        rules.parse(starter["rule"], in_journey=False)
