"""The pages of segments in the back office."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from contacts import rules, segment_order, segments, starter_segments
from contacts.models import Contact, Identifier, Segment, SegmentMembership
from tests.factories import NOON, make_contact

pytestmark = pytest.mark.django_db

LYON = {"attribute": "city", "op": "is", "value": "Lyon"}


def signed_in(*permissions: str) -> Client:
    user = User.objects.create_user("mia", "mia@example.com", "secret", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def editor() -> Client:
    return signed_in("view_segment", "add_segment", "change_segment", "delete_segment", "view_contact")


def written(rule: Any, **values: Any) -> dict[str, Any]:
    text = rule if isinstance(rule, str) else json.dumps(rule)
    return {
        "name": "From Lyon",
        "slug": "",
        "kind": "dynamic",
        "description": "",
        "rule": text,
        "active": "on",
        **values,
    }


def test_a_new_segment_begins_with_a_rule_that_can_be_read(editor: Client) -> None:
    page = editor.get(reverse("admin:contacts_segment_add")).content.decode()
    assert ">null<" not in "".join(page.split())
    assert "{}</textarea>" in page


def test_a_segment_is_saved_and_waits_to_be_computed(editor: Client) -> None:
    answer = editor.post(reverse("admin:contacts_segment_add"), written(LYON))
    segment = Segment.objects.get()
    assert answer.url == reverse("admin:contacts_segment_change", args=[segment.pk])  # type: ignore[attr-defined]
    assert (segment.slug, segment.rule, segment.stale) == ("from-lyon", LYON, True)


def test_a_preview_shows_words_size_and_sample_and_saves_nothing(editor: Client) -> None:
    make_contact(attributes={"city": "Lyon"}, first_name="Ada", last_name="Lovelace")
    answer = editor.post(reverse("admin:contacts_segment_add"), {**written(LYON), "preview": ""})
    page = answer.content.decode()
    assert "City is “Lyon”" in page
    assert "Ada Lovelace" in page
    assert not Segment.objects.exists()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"all": [{}, {"attribute": "a", "op": "like", "value": "x"}]}, "At all[1].op: use one of"),
        ("{", "This is not JSON: line 1"),
        ("[" * 100_000, "nested 20 deep"),
        ("9" * 5000, "too many digits"),
        ("x" * 100_001, "100,000 characters"),
        ({"event": "A", "within": "since_entry"}, "in a journey only"),
        ({"segment": "nobody"}, "no segment has the slug"),
        ({"segment": "from-lyon"}, "circle"),
    ],
)
@pytest.mark.parametrize("button", ["preview", "save"])
def test_a_fault_is_shown_and_nothing_saved(editor: Client, rule: Any, said: str, button: str) -> None:
    answer = editor.post(reverse("admin:contacts_segment_add"), {**written(rule), button: ""})
    assert answer.status_code == 200
    assert said in answer.content.decode().replace("&quot;", '"')
    assert not Segment.objects.exists()


def test_script_in_names_and_rules_stays_text(editor: Client) -> None:
    nasty = "<script>alert(1)</script>"
    make_contact(attributes={nasty: nasty}, first_name=nasty)
    rule = {"attribute": nasty, "op": "is", "value": nasty}
    answer = editor.post(reverse("admin:contacts_segment_add"), {**written(rule, name=nasty), "preview": ""})
    assert nasty not in answer.content.decode()


def test_a_changed_rule_is_computed_again_and_the_slug_stays(editor: Client) -> None:
    segment = Segment.objects.create(name="Old", slug="old", rule={}, stale=False, size=7)
    editor.post(
        reverse("admin:contacts_segment_change", args=[segment.pk]), written(LYON, name="New", slug="new")
    )
    segment.refresh_from_db()
    assert (segment.name, segment.slug, segment.rule, segment.stale, segment.size) == (
        "New",
        "old",
        LYON,
        True,
        7,
    )


def test_a_new_name_alone_computes_nothing(editor: Client) -> None:
    segment = Segment.objects.create(name="Old", slug="old", rule=LYON, stale=False)
    editor.post(reverse("admin:contacts_segment_change", args=[segment.pk]), written(LYON, name="New"))
    segment.refresh_from_db()
    assert (segment.name, segment.stale) == ("New", False)


def test_members_are_listed_a_page_at_a_time(editor: Client) -> None:
    segment = Segment.objects.create(name="All", slug="all", rule={})
    for _number in range(51):
        make_contact()
    segments.refresh(segment, NOON)
    address = reverse("admin:contacts_segment_members", args=[segment.pk])
    assert editor.get(address).content.decode().count("@example.com</a>") == 50
    assert editor.get(address, {"page": 2}).content.decode().count("@example.com</a>") == 1


def test_contacts_are_added_and_removed_by_hand(editor: Client) -> None:
    segment = Segment.objects.create(name="Friends", slug="friends", kind="static")
    one, two = make_contact(email="one@example.com"), make_contact()
    Identifier.objects.create(kind="user", value="u-2", contact=two, slot=two.slot, created_at=NOON)
    address = reverse("admin:contacts_segment_members", args=[segment.pk])
    editor.post(address, {"add": "", "who": "ONE@example.com\nu-2\nnobody@example.com\n"})
    assert set(segment.memberships.values_list("contact_id", flat=True)) == {one.pk, two.pk}
    editor.post(address, {"remove": "", "contact": [one.pk, "x"]})
    assert set(segment.memberships.values_list("contact_id", flat=True)) == {two.pk}


def test_who_may_only_look_cannot_change() -> None:
    client = signed_in("view_segment")
    segment = Segment.objects.create(name="Friends", slug="friends", kind="static")
    page = reverse("admin:contacts_segment_change", args=[segment.pk])
    members = reverse("admin:contacts_segment_members", args=[segment.pk])
    assert client.get(page).status_code == client.get(members).status_code == 200
    assert client.post(page, written({})).status_code == 403
    assert client.post(page, {**written({}), "preview": ""}).status_code == 403
    assert client.post(members, {"add": "", "who": "x"}).status_code == 403
    assert client.get(reverse("admin:contacts_segment_add")).status_code == 403


def test_who_may_not_look_sees_nothing() -> None:
    client = signed_in()
    segment = Segment.objects.create(name="Friends", slug="friends")
    for name in ("change", "members"):
        assert client.get(reverse(f"admin:contacts_segment_{name}", args=[segment.pk])).status_code == 403


def test_a_segment_that_another_asks_about_is_not_deleted(editor: Client) -> None:
    segment = Segment.objects.create(name="Inner", slug="inner")
    Segment.objects.create(name="Outer", slug="outer", rule={"segment": "inner"})
    assert (
        editor.post(reverse("admin:contacts_segment_delete", args=[segment.pk]), {"post": "yes"}).status_code
        == 403
    )
    assert Segment.objects.filter(slug="inner").exists()


def test_the_list_says_who_asks(editor: Client) -> None:
    Segment.objects.create(name="Inner", slug="inner")
    Segment.objects.create(name="Outer", slug="outer", rule={"segment": "inner"})
    page = editor.get(reverse("admin:contacts_segment_changelist"))
    assert page.status_code == 200
    assert page.content.decode().count("Outer") >= 2


def test_the_starters_can_be_read_and_are_loaded_once() -> None:
    assert starter_segments.load() == len(starter_segments.STARTERS)
    assert starter_segments.load() == 0
    for starter in starter_segments.STARTERS:
        segment_order.check(starter.slug, rules.parse(starter.rule, in_journey=False))
    make_contact()
    assert segments.ensure_current(NOON) == len(starter_segments.STARTERS)
    assert Contact.objects.count() == 1
    assert not SegmentMembership.objects.filter(segment__slug="regulars").exists()


def test_a_stored_rule_is_shown_with_what_it_asks_first(editor: Client) -> None:
    segment = Segment.objects.create(name="Lyon", slug="lyon", rule=LYON)
    page = editor.get(reverse("admin:contacts_segment_change", args=[segment.pk])).content.decode()
    assert page.index("&quot;attribute&quot;: &quot;city&quot;") < page.index(
        "&quot;op&quot;: &quot;is&quot;"
    )


def test_a_segment_by_hand_leads_to_its_members(editor: Client) -> None:
    answer = editor.post(reverse("admin:contacts_segment_add"), written(LYON, kind="static"))
    segment = Segment.objects.get()
    assert segment.rule == {}
    assert answer.url == reverse("admin:contacts_segment_members", args=[segment.pk])  # type: ignore[attr-defined]
    page = editor.get(answer.url).content.decode()  # type: ignore[attr-defined]
    assert "Add the first contacts above" in page


def test_history_and_deletion_have_their_pages(editor: Client) -> None:
    segment = Segment.objects.create(name="Lyon", slug="lyon", rule=LYON)
    for name in ("history", "delete"):
        assert editor.get(reverse(f"admin:contacts_segment_{name}", args=[segment.pk])).status_code == 200
    editor.post(reverse("admin:contacts_segment_delete", args=[segment.pk]), {"post": "yes"})
    assert not Segment.objects.exists()
