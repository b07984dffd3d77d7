"""Segments by the API: written, tried, and lists kept by hand."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from contacts import clock, segments
from contacts.models import Contact, Segment, SegmentMembership
from tests.contacts.api.caller import Caller
from tests.factories import make_contact
from tests.statements import statements

pytestmark = pytest.mark.django_db
GOLD = {"attribute": "plan", "op": "is", "value": "gold"}


def people(number: int, **values: Any) -> list[str]:
    """Public ids of contacts made by the API, so that identifiers find them."""
    items = [{"user_id": f"u{n}", "attributes": values} for n in range(number)]
    results = Caller().post("contacts/bulk", {"contacts": items}).json()["results"]
    return [one["id"] for one in results]


def test_a_segment_by_rule_is_made_computed_and_read() -> None:
    caller = Caller()
    ids = people(3, plan="gold")
    made = caller.post("segments", {"name": "Gold plan", "rule": GOLD, "note": "for spring"})
    assert (made.status_code, made.json()["slug"], made.json()["stale"]) == (201, "gold-plan", True)
    segments.ensure_current(clock.now())
    assert caller.get("segments/gold-plan").json()["size"] == 3
    page = caller.get("segments/gold-plan/members", limit=2).json()
    rest = caller.get("segments/gold-plan/members", limit=2, cursor=page["next"]).json()
    assert [one["contact"]["id"] for one in page["items"] + rest["items"]] == ids
    assert [one["slug"] for one in caller.get("segments", kind="dynamic").json()["items"]] == ["gold-plan"]
    assert Segment.objects.get().versions.get().note == "for spring"
    assert LogEntry.objects.count() == 1


def test_a_changed_rule_is_computed_anew_and_kept_as_a_version() -> None:
    caller = Caller()
    caller.post("segments", {"name": "Gold", "rule": GOLD})
    segments.ensure_current(clock.now())
    named = caller.patch("segments/gold", {"name": "Golden"}).json()
    assert (named["name"], named["stale"]) == ("Golden", False)
    changed = caller.patch("segments/gold", {"rule": {}}).json()
    assert (changed["rule"], changed["stale"]) == ({}, True)
    assert Segment.objects.get().versions.count() == 2


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"all": [GOLD, {"attribute": "plan", "op": "resembles", "value": 1}]}, "rule.all[1].op"),
        ({"nonsense": 1}, "rule"),
        ({"segment": "nowhere"}, "rule.segment"),
        ({"not": {"any": []}}, "rule.not.any"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_with_the_path_to_its_fault(rule: Any, field: str) -> None:
    caller = Caller()
    for answer in (
        caller.post("segments", {"name": "X", "rule": rule}),
        caller.post("segments/preview", {"rule": rule}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_rule")
        assert answer.json()["field"].startswith(field)
    assert not Segment.objects.exists()


def test_names_that_are_taken_and_fields_that_stay_are_refused() -> None:
    caller = Caller()
    caller.post("segments", {"name": "Gold"})
    taken = caller.post("segments", {"name": "gold"})
    assert (taken.status_code, taken.json()["field"]) == (409, "slug")
    taken = caller.post("segments", {"name": "Gold", "slug": "other"})
    assert (taken.status_code, taken.json()["field"]) == (409, "name")
    assert caller.patch("segments/gold", {"slug": "silver"}).json()["field"] == "slug"
    assert caller.patch("segments/gold", {"size": 3}).json()["field"] == "size"
    assert caller.patch("segments/silver", {}).status_code == 404
    assert caller.post("segments", {"name": "!!!"}).json()["field"] == "slug"


def test_a_rule_is_tried_with_its_size_a_sample_and_its_words() -> None:
    people(3, plan="gold")
    answer = Caller().post("segments/preview", {"rule": GOLD}).json()
    assert (answer["size"], len(answer["sample"])) == (3, 3)
    assert "gold" in answer["words"]
    blind = Caller("segments:read")
    assert blind.post("segments/preview", {"rule": GOLD}).json()["sample"] == []


def test_a_list_is_kept_by_hand_by_any_name_of_a_contact() -> None:
    caller = Caller()
    ids = people(3)
    caller.post("segments", {"name": "VIP", "kind": "static"})
    body = {"add": [{"id": ids[0]}, {"user_id": "u1"}, {"user_id": "nobody"}, {"id": str(uuid.uuid4())}]}
    answer = caller.post("segments/vip/members", body).json()
    assert answer == {"added": 2, "removed": 0, "not_found": ["add.2", "add.3"]}
    again = caller.post("segments/vip/members", {"add": [{"id": ids[0]}], "remove": [{"user_id": "u1"}]})
    assert again.json() == {"added": 0, "removed": 1, "not_found": []}
    assert Segment.objects.get().size == SegmentMembership.objects.count() == 1


def test_a_list_by_rule_is_not_changed_by_hand_and_one_by_hand_has_no_rule() -> None:
    caller = Caller()
    caller.post("segments", {"name": "Gold", "rule": GOLD})
    assert caller.post("segments/gold/members", {"add": [{"user_id": "u"}]}).json()["code"] == "kept_by_rule"
    refused = caller.post("segments", {"name": "VIP", "kind": "static", "rule": GOLD})
    assert (refused.status_code, refused.json()["field"]) == (400, "rule")


@pytest.mark.parametrize("who", [{}, {"user_id": "a", "email": "b"}, {"name": "x"}, "u1", None])
def test_somebody_who_is_not_named_by_one_name_is_refused(who: Any) -> None:
    caller = Caller()
    caller.post("segments", {"name": "VIP", "kind": "static"})
    assert caller.post("segments/vip/members", {"add": [who]}).status_code == 400


def test_members_are_shown_only_to_who_may_see_contacts() -> None:
    Caller().post("segments", {"name": "VIP", "kind": "static"})
    assert Caller("segments:read").get("segments/vip/members").status_code == 403


def test_statements_do_not_grow_with_the_number_of_members() -> None:
    caller = Caller()
    caller.post("segments", {"name": "VIP", "kind": "static"})
    counts = []
    for size in (10, 500):
        made = [{"id": str(make_contact().public_id)} for _ in range(size)]
        with statements() as added:
            assert caller.post("segments/vip/members", {"add": made}).json()["added"] == size
        with statements() as listed:
            assert len(caller.get("segments/vip/members", limit=size).json()["items"]) == size
        counts.append((added.total, listed.total))
    assert counts[0] == counts[1]
    assert Contact.objects.count() == 510
