from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from channels.models import Template
from contacts.models import Purpose
from journeys import engine, graph, library, notation, runs, versions
from journeys.models import Journey, JourneyVersion, Redirect, Run
from journeys.runs import Entry
from tests.factories import make_contact
from tests.statements import statements

pytestmark = pytest.mark.django_db

LIST = "admin:journeys_journey_changelist"


def person(*permissions: str) -> Client:
    """A signed-in member of staff with these permissions on journeys and runs."""
    user = User.objects.create_user(f"u{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def boss() -> Client:
    user = User.objects.create_superuser("boss")
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def cart() -> Journey:
    """The cart reminder as a draft, with all that it names."""
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    (journey,) = [each for each in library.load() if each.slug == "cart-reminder"]
    for channel, slug in graph.parse(journey.draft).templates().values():
        Template.objects.get_or_create(slug=slug, defaults={"name": slug, "channel": channel})
    return journey


def act(client: Client, journey: Journey, name: str) -> str:
    """Confirm an act; returns the page that follows."""
    address = reverse("admin:journeys_journey_act", args=[journey.pk, name])
    assert client.get(address).status_code == 200
    return client.post(address, follow=True).content.decode()


def page(client: Client, journey: Journey, query: str = "") -> str:
    return client.get(reverse("admin:journeys_journey_change", args=[journey.pk]) + query).content.decode()


def test_the_list_offers_the_library_and_then_shows_its_journeys(boss: Client) -> None:
    assert "Add them as drafts" in boss.get(reverse(LIST)).content.decode()
    text = boss.post(reverse("admin:journeys_journey_library"), follow=True).content.decode()
    assert "Cart reminder" in text
    assert "Add them as drafts" not in text
    assert Journey.objects.count() == len(library.maps())


def test_the_page_draws_the_way_in_words(boss: Client, cart: Journey) -> None:
    text = page(boss, cart)
    assert "Wait 1 day, until 10:00, the person&#x27;s time" in text
    assert "subscribed to push" in text
    assert "Add to audience “cart-abandoners”" in text


def test_publishing_is_confirmed_makes_a_version_and_is_logged(boss: Client, cart: Journey) -> None:
    text = act(boss, cart, "publish")
    assert "Published. People who fit enter from now on." in text
    version = JourneyVersion.objects.get()
    assert (version.number, version.published_by) == (1, User.objects.get())
    assert Journey.objects.get(pk=cart.pk).status == "live"
    assert LogEntry.objects.latest("id").get_change_message() == "Published version 1"


def test_a_journey_is_paused_resumed_stopped_and_archived_with_an_entry_for_each(
    boss: Client, cart: Journey
) -> None:
    for name in ("publish", "pause", "resume", "stop", "archive"):
        act(boss, cart, name)
    assert Journey.objects.get(pk=cart.pk).status == "archived"
    said = [entry.get_change_message() for entry in LogEntry.objects.filter(object_id=cart.pk).order_by("id")]
    assert said == ["Published version 1", "Paused", "Resumed", "Stopped", "Archived"]


def test_looking_at_a_confirmation_changes_nothing(boss: Client, cart: Journey) -> None:
    text = boss.get(reverse("admin:journeys_journey_act", args=[cart.pk, "publish"])).content.decode()
    assert "New version" in text
    assert Journey.objects.get(pk=cart.pk).status == "draft"


def test_what_is_missing_stops_publishing_and_is_named(boss: Client, cart: Journey) -> None:
    Template.objects.filter(slug="cart-push").delete()
    text = act(boss, cart, "publish")
    assert "no template is named “cart-push”" in text
    assert not JourneyVersion.objects.exists()


def test_the_page_counts_who_stands_where_and_who_passed(boss: Client, cart: Journey) -> None:
    act(boss, cart, "publish")
    entered = datetime.now(UTC) - timedelta(days=1, hours=12)
    version = versions.load([JourneyVersion.objects.get().id]).popitem()[1]
    runs.enter(version, [Entry(make_contact().id, entered) for _ in range(3)], entered)
    engine.advance(entered)
    text = page(boss, cart)
    assert "here now" in text
    assert "step=day-1" in text
    confirmation = boss.get(reverse("admin:journeys_journey_act", args=[cart.pk, "stop"])).content.decode()
    assert "day-1" in confirmation


def test_a_draft_is_checked_with_its_problems_named_and_not_saved(boss: Client) -> None:
    text = "trigger: {event: X}\nstart: a\nsteps:\n  a: {type: wait, for: soon}\n"
    sent = {"name": "Mine", "slug": "mine", "text": text, "check": "1"}
    answer = boss.post(reverse("admin:journeys_journey_add"), sent).content.decode()
    assert "steps.a.for" in answer
    assert "2 days" in answer
    assert not Journey.objects.exists()


def test_a_draft_is_saved_as_it_was_written_even_with_problems(boss: Client) -> None:
    text = "trigger: {event: X}\nstart: a\nsteps:\n  a: {type: wait, for: soon}\n"
    sent = {"name": "Mine", "slug": "mine", "text": text, "save": "1"}
    answer = boss.post(reverse("admin:journeys_journey_add"), sent, follow=True).content.decode()
    assert "cannot be published before its problems are mended" in answer
    assert Journey.objects.get().draft == notation.read(text)[0]


@pytest.mark.parametrize("text", ["a: [1", "- 1", "just words", "a: &x 1\nb: *x"])
def test_what_cannot_be_read_is_not_saved(boss: Client, text: str) -> None:
    sent = {"name": "Mine", "slug": "mine", "text": text, "save": "1"}
    answer = boss.post(reverse("admin:journeys_journey_add"), sent)
    assert answer.status_code == 200
    assert not Journey.objects.exists()


def test_markup_in_a_definition_is_shown_as_text(boss: Client, cart: Journey) -> None:
    cart.draft["steps"]["gone"]["reason"] = "<script>alert(1)</script>"
    cart.save()
    assert "<script>alert(1)" not in page(boss, cart)


def test_only_those_who_may_publish_are_offered_it_and_can_do_it(cart: Journey) -> None:
    writer, reader = person("view_journey", "change_journey"), person("view_journey")
    assert ">Publish<" not in page(writer, cart)
    assert "act/publish" not in page(reader, cart)
    for client in (writer, reader):
        for name in ("publish", "stop"):
            address = reverse("admin:journeys_journey_act", args=[cart.pk, name])
            assert client.post(address).status_code == 403
    edit = reverse("admin:journeys_journey_edit", args=[cart.pk])
    assert (writer.get(edit).status_code, reader.get(edit).status_code) == (200, 403)
    assert person().get(reverse("admin:journeys_journey_change", args=[cart.pk])).status_code == 403
    assert reader.post(reverse("admin:journeys_journey_library")).status_code == 403


def test_who_may_not_publish_asks_and_somebody_else_approves(boss: Client, cart: Journey) -> None:
    writer = person("view_journey", "change_journey")
    address = reverse("admin:journeys_journey_act", args=[cart.pk, "publish"])
    assert "Ask for approval" in writer.get(address).content.decode()
    assert "Asked." in writer.post(address, {"act": "ask", "note": "Ready"}, follow=True).content.decode()
    assert "Take the request back" in writer.get(address).content.decode()
    assert "“Ready”" in boss.get(address).content.decode()
    boss.post(address, {"act": "approve"})
    assert Journey.objects.get(pk=cart.pk).status == "live"
    said = [entry.get_change_message() for entry in LogEntry.objects.order_by("id")]
    assert said[-2:] == ["Asked for publication", "Approved and published version 1"]


def test_publishing_asks_what_the_people_inside_do(boss: Client, cart: Journey) -> None:
    act(boss, cart, "publish")
    version = versions.load([JourneyVersion.objects.get().id]).popitem()[1]
    runs.enter(version, [Entry(make_contact().id, datetime.now(UTC))], datetime.now(UTC))
    cart.refresh_from_db()
    cart.draft["steps"]["day-1"]["days"] = 2
    cart.save()
    address = reverse("admin:journeys_journey_act", args=[cart.pk, "publish"])
    text = boss.get(address).content.decode()
    assert "Wait 1 day, until 10:00" in text
    assert "move to “day-1”" in text
    sent = {"act": "publish", "version-0": "1", "step-0": "day-1", "choice-0": "move sms"}
    assert "People are moving from step “day-1”" in boss.post(address, sent, follow=True).content.decode()
    assert str(Redirect.objects.get()) == "day-1: move sms"


def test_versions_are_compared_and_taken_back_as_the_draft(boss: Client, cart: Journey) -> None:
    act(boss, cart, "publish")
    cart.refresh_from_db()
    first, cart.draft["timezone"] = cart.draft["timezone"], "Asia/Tokyo"
    cart.save()
    address = reverse("admin:journeys_journey_versions", args=[cart.pk])
    assert "Asia/Tokyo" in boss.get(address).content.decode()
    assert "Choose two that are there" in boss.get(address + "?from=9&to=x").content.decode()
    assert person("view_journey").post(address, {"version": "1"}).status_code == 403
    assert "Nothing is published yet" in boss.post(address, {"version": "1"}, follow=True).content.decode()
    cart.refresh_from_db()
    assert cart.draft["timezone"] == first


def fail_all() -> None:
    Run.objects.update(state=Run.State.FAILED, due_at=None, ended_at=datetime.now(UTC), outcome="broken")


def test_failed_runs_are_listed_with_their_cause_and_tried_again(boss: Client, cart: Journey) -> None:
    act(boss, cart, "publish")
    version = versions.load([JourneyVersion.objects.get().id]).popitem()[1]
    runs.enter(version, [Entry(make_contact().id, datetime.now(UTC))], datetime.now(UTC))
    fail_all()
    address = reverse("admin:journeys_run_changelist")
    assert "broken" in boss.get(address + "?state__exact=5").content.decode()
    sent = {"action": "try_again", "_selected_action": [Run.objects.get().pk]}
    assert "1 runs go on" in boss.post(address, sent, follow=True).content.decode()
    assert Run.objects.get().state == Run.State.LIVE


def test_the_lists_cost_the_same_whatever_is_in_them(boss: Client, cart: Journey) -> None:
    act(boss, cart, "publish")
    version = versions.load([JourneyVersion.objects.get().id]).popitem()[1]
    for address in (reverse(LIST), reverse("admin:journeys_run_changelist")):
        boss.get(address)
        with statements() as few:
            boss.get(address)
        runs.enter(
            version, [Entry(make_contact().id, datetime.now(UTC)) for _ in range(20)], datetime.now(UTC)
        )
        fail_all()
        with statements() as many:
            boss.get(address)
        assert many.total <= few.total + 1


def test_failed_runs_are_mended_by_cause(boss: Client, cart: Journey) -> None:
    act(boss, cart, "publish")
    version = versions.load([JourneyVersion.objects.get().id]).popitem()[1]
    runs.enter(version, [Entry(make_contact().id, datetime.now(UTC)) for _ in range(3)], datetime.now(UTC))
    address = reverse("admin:journeys_run_stuck")
    assert "Everybody has a next wake-up" in boss.get(address).content.decode()
    fail_all()
    assert "broken" in boss.get(address).content.decode()
    sent = {"act": "retry", "journey": cart.pk, "step": "day-1", "cause": "broken"}
    assert person("view_run").post(address, sent).status_code == 403
    assert "3 runs go on" in boss.post(address, sent, follow=True).content.decode()
    assert "Nothing was chosen" in boss.post(address, {"act": "retry"}, follow=True).content.decode()
    assert set(Run.objects.values_list("state", flat=True)) == {Run.State.LIVE}
    assert LogEntry.objects.latest("id").get_change_message() == "Failed runs at day-1: retry, 3 go on"


def test_a_journey_is_taken_along_as_a_file_and_brought_in_after_a_look(boss: Client, cart: Journey) -> None:
    taken = boss.get(reverse("admin:journeys_journey_file", args=[cart.pk]))
    assert taken["Content-Disposition"] == 'attachment; filename="cart-reminder.yaml"'
    address = reverse("admin:journeys_journey_files")
    file = SimpleUploadedFile("cart-reminder.yaml", taken.content.replace(b"Europe/Paris", b"Asia/Tokyo"))
    text = boss.post(address, {"files": file}).content.decode()
    assert "timezone: Europe/Paris → Asia/Tokyo" in text
    cart.refresh_from_db()
    assert cart.draft["timezone"] == "Europe/Paris"
    sent = {"act": "apply", "slug": "cart-reminder", "text": file.open().read().decode()}
    assert "1 journeys have a new draft" in boss.post(address, sent, follow=True).content.decode()
    cart.refresh_from_db()
    assert cart.draft["timezone"] == "Asia/Tokyo"
    sent = {"act": "apply", "slug": "Bad Slug", "text": "nothing"}
    assert "cannot be applied" in boss.post(address, sent, follow=True).content.decode()
    assert person("view_journey").get(address).status_code == 403
