"""Lists, copies, versions, growth, overlap, uses and the archive, as somebody clicks them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from contacts import segments
from contacts.models import Contact, Segment
from contacts.segmentation import growth, lists, overlap
from journeys.models import Journey
from tests.contacts.test_segment_admin import LYON, signed_in, written
from tests.factories import NOON, make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Client:
    return signed_in("view_segment", "add_segment", "change_segment", "delete_segment", "view_contact")


def by_hand(name: str, *contacts: Contact) -> Segment:
    segment = Segment.objects.create(name=name, slug=name.lower(), kind="static", stale=False)
    segments.add(segment, [contact.pk for contact in contacts], NOON)
    segment.refresh_from_db()
    return segment


def page(client: Client, segment: Segment, name: str, **query: str) -> str:
    answer = client.get(reverse(f"admin:contacts_segment_{name}", args=[segment.pk]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_pasted_line_is_accounted_for(editor: Client) -> None:
    one, two = make_contact(email="one@example.com"), make_contact(email="two@example.com")
    segment = by_hand("Friends", one)
    address = reverse("admin:contacts_segment_members", args=[segment.pk])
    pasted = "one@example.com\nTwo@Example.com \ntwo@example.com\nnobody@example.com\n\n"
    said = editor.post(address, {"add": "", "who": pasted}).content.decode()
    assert "1 added, 1 were there, 1 repeated, 1 not found" in said
    assert "nobody@example.com</textarea>" in said
    assert set(segment.memberships.values_list("contact_id", flat=True)) == {one.pk, two.pk}


def test_lines_found_unknown_and_repeated_add_up() -> None:
    make_contact(email="a@example.com")
    found = lists.find(["a@example.com", "A@example.com", "a@example.com", "", "b@example.com"])
    assert (found.lines, len(found.contacts), found.repeated, found.unknown) == (4, 1, 2, ["b@example.com"])


def test_a_list_takes_in_everybody_of_another_segment(editor: Client) -> None:
    one, two = make_contact(), make_contact()
    friends, others = by_hand("Friends", one), by_hand("Others", one, two)
    address = reverse("admin:contacts_segment_members", args=[friends.pk])
    editor.post(address, {"fill": "", "source": others.slug})
    friends.refresh_from_db()
    assert friends.size == 2
    assert set(friends.memberships.values_list("contact_id", flat=True)) == {one.pk, two.pk}


def test_a_rule_is_frozen_into_a_list_and_copied(editor: Client) -> None:
    lyon = make_contact(attributes={"city": "Lyon"})
    source = Segment.objects.create(name="Lyon", slug="lyon", rule=LYON, tags=["south"])
    segments.refresh(source, NOON)
    act = reverse("admin:contacts_segment_act", args=[source.pk])
    editor.post(act, {"freeze": "", "name": "Lyon in March"})
    editor.post(act, {"copy": "", "name": "Lyon"})
    frozen, copied = Segment.objects.get(slug="lyon-in-march"), Segment.objects.get(slug="lyon-2")
    assert (frozen.kind, frozen.size, frozen.tags) == ("static", 1, ["south"])
    assert frozen.memberships.get().contact_id == lyon.pk
    assert (copied.name, copied.rule, copied.stale) == ("Lyon (2)", LYON, True)
    assert LogEntry.objects.count() == 2


def test_a_changed_rule_keeps_the_old_one_and_gives_it_back(editor: Client) -> None:
    segment = Segment.objects.create(name="Lyon", slug="lyon", rule=LYON)
    change = reverse("admin:contacts_segment_change", args=[segment.pk])
    editor.post(change, written({"event": "A"}, name="Lyon", note="by what they did"))
    editor.post(change, written({"event": "A"}, name="Lyon of the south"))
    kept = list(segment.versions.values_list("number", "rule", "note"))
    assert kept == [(2, {"event": "A"}, "by what they did"), (1, LYON, "")]
    assert "city is “Lyon”" in page(editor, segment, "versions").lower().replace("lyon", "Lyon")
    editor.post(reverse("admin:contacts_segment_versions", args=[segment.pk]), {"number": "1"})
    segment.refresh_from_db()
    assert (segment.rule, segment.stale, segment.versions.count()) == (LYON, True, 3)


def test_each_day_keeps_its_size_and_who_came_and_went(editor: Client) -> None:
    one, two = make_contact(), make_contact()
    segment = by_hand("Friends", one, two)
    segments.remove(segment, [one.pk], NOON + timedelta(hours=1))
    segments.remove(segment, [two.pk], NOON + timedelta(days=3))
    points = growth.daily(segment, (NOON + timedelta(days=4)).date())
    assert [(point.size, point.entered, point.gone) for point in points] == [
        (1, 2, 1),
        (1, 0, 0),
        (1, 0, 0),
        (0, 0, 1),
        (0, 0, 0),
    ]
    assert "<svg" in page(editor, segment, "growth")


def test_looking_back_asks_the_rule_as_of_each_week(editor: Client) -> None:
    segment = Segment.objects.create(name="All", slug="all", rule={})
    make_contact()
    assert [point.size for point in growth.past(segment, NOON)] == [1] * 13
    assert page(editor, segment, "growth", past="1").count("<tr>") >= 12


def test_every_part_of_an_overlap_is_counted_once(editor: Client) -> None:
    people = [make_contact(first_name=f"Person {number}") for number in range(5)]
    left, right = by_hand("Left", *people[:4]), by_hand("Right", *people[2:])
    assert [(each.mask, each.size) for each in overlap.regions([left, right])] == [(1, 2), (3, 2), (2, 1)]
    address = reverse("admin:contacts_segment_overlap")
    shown = editor.get(address, {"segment": ["left", "right", "gone"], "mask": "2"}).content.decode()
    assert "5 contacts in at least one" in shown
    assert "Person 4" in shown
    assert "Person 3" not in shown
    assert editor.get(address).status_code == editor.get(address, {"segment": "left"}).status_code == 200


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0, 1))
def test_circles_share_the_area_that_is_shared(first: int, second: int, part: float) -> None:
    both = int(min(first, second) * part)
    one, two = overlap.circles([first, second], both)
    assert min(one.radius, two.radius) >= 6
    apart = two.x - one.x
    assert apart >= 0
    if both == 0:
        assert apart >= one.radius + two.radius


def test_a_segment_that_a_live_journey_names_is_listed_and_not_deleted(editor: Client) -> None:
    segment = Segment.objects.create(name="Vip", slug="vip")
    journey = Journey.objects.create(name="Hello", slug="hello", draft={"trigger": {"segment": "vip"}})
    assert "its draft asks about it" in page(editor, segment, "uses")
    version = journey.versions.create(number=1, graph=journey.draft, published_at=NOON)
    journey.status, journey.live_version_id = Journey.Status.LIVE, version.pk
    journey.save()
    delete = reverse("admin:contacts_segment_delete", args=[segment.pk])
    assert editor.post(delete, {"post": "yes"}).status_code == 403
    assert "cannot be deleted" in page(editor, segment, "uses")
    listed = editor.get(reverse("admin:contacts_segment_changelist")).content.decode()
    assert "Hello" in listed


def test_an_archived_segment_is_out_of_the_list_and_comes_back(editor: Client) -> None:
    segment = Segment.objects.create(name="Old days", slug="old", tags=["past"])
    act = reverse("admin:contacts_segment_act", args=[segment.pk])
    listing = reverse("admin:contacts_segment_changelist")
    editor.post(act, {"archive": ""})
    segment.refresh_from_db()
    assert (segment.active, segment.archived_at is None) == (False, False)
    editor.get(listing)  # The message of the act is shown once.
    assert "Old days" not in editor.get(listing).content.decode()
    assert "Old days" in editor.get(listing, {"archived": "yes", "tag": "past"}).content.decode()
    editor.post(act, {"restore": ""})
    segment.refresh_from_db()
    assert (segment.active, segment.stale, segment.archived_at) == (True, True, None)


def test_who_may_only_look_changes_nothing() -> None:
    client = signed_in("view_segment")
    segment = Segment.objects.create(name="Lyon", slug="lyon", rule=LYON)
    for name in ("growth", "uses", "versions", "members"):
        page(client, segment, name)
    for data in ({"copy": ""}, {"freeze": ""}, {"archive": ""}):
        address = reverse("admin:contacts_segment_act", args=[segment.pk])
        assert client.post(address, data).status_code == 403
    assert client.post(reverse("admin:contacts_segment_versions", args=[segment.pk])).status_code == 403
    assert Segment.objects.count() == 1
