"""Merges in the back office: seen, explained, undone after a question."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from config import roles
from contacts import clock, ingest
from contacts.models import Contact, Merge
from tests.config.backoffice import make_person, signed_in
from tests.factories import make_source, put_in_inbox
from tests.statements import statements

pytestmark = pytest.mark.django_db

LIST = "admin:contacts_merge_changelist"


def merge_people(count: int) -> None:
    source = make_source()
    for kind in ({"user_id": "u{}"}, {"anonymous_id": "a{}"}, {"user_id": "u{}", "anonymous_id": "a{}"}):
        calls = [{key: value.format(n) for key, value in kind.items()} for n in range(count)]
        traits = {"firstName": "Ada"} if kind.keys() == {"user_id"} else {}
        put_in_inbox(source, *({"type": "identify", "properties": traits, **call} for call in calls))
        ingest.drain(clock.now, seconds=30)
    assert Merge.objects.count() == count


@pytest.fixture
def officer() -> Client:
    return signed_in(make_person("petra", role=roles.PRIVACY))


def test_the_list_names_both_contacts_and_asks_as_much_for_many_as_for_few(officer: Client) -> None:
    merge_people(12)
    page = officer.get(reverse(LIST)).content.decode()
    assert page.count("Anonymous ") >= 12
    assert page.count(">Ada</a>") == 12
    counts = []
    for kept in (12, 2):
        Merge.objects.filter(pk__in=Merge.objects.values("pk")[kept:]).delete()
        with statements() as count:
            officer.get(reverse(LIST))
        counts.append(count.total)
    assert counts[0] == counts[1]


def test_a_merge_shows_what_came_along(officer: Client) -> None:
    merge_people(1)
    page = officer.get(reverse("admin:contacts_merge_change", args=[Merge.objects.get().pk])).content.decode()
    assert "identifiers: 1" in page
    assert "events: 2" in page


def test_undoing_asks_first(officer: Client) -> None:
    merge_people(1)
    chosen = {"action": "undo_merges", "_selected_action": str(Merge.objects.get().pk)}
    asked = officer.post(reverse(LIST), chosen)
    assert "Undo 1 merge?" in asked.content.decode()
    assert Contact.objects.count() == 1
    officer.post(reverse(LIST), {**chosen, "confirmed": "yes"})
    assert Contact.objects.count() == 2
    again = officer.post(reverse(LIST), {**chosen, "confirmed": "yes"}, follow=True)
    assert "was undone before" in again.content.decode()


def test_who_may_only_look_cannot_undo() -> None:
    merge_people(1)
    analyst = signed_in(make_person("ana", role=roles.ANALYST))
    assert analyst.get(reverse(LIST)).status_code == 200
    chosen = {"action": "undo_merges", "_selected_action": str(Merge.objects.get().pk), "confirmed": "yes"}
    analyst.post(reverse(LIST), chosen)
    assert Contact.objects.count() == 1
