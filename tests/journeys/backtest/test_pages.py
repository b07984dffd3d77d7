from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from contacts import consent
from contacts.consent import NewConsent
from contacts.models import Contact
from journeys.backtest import playing
from journeys.models import BacktestRun, Journey
from tests.factories import log_event, make_contact
from tests.journeys.backtest.test_running import drafted
from tests.journeys.test_admin import person

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
MAY = ("view_backtestrun", "run_backtestrun", "view_journey", "view_contact")


def visitor() -> Contact:
    now = datetime.now(UTC)
    contact = make_contact(now=now - 30 * DAY, first_name="Ada")
    consent.record([NewConsent(contact.id, "email", "offers", True, "test")], now - 20 * DAY)
    log_event(contact, "Cart", now - 5 * DAY)
    return contact


def ask(client: Client, journey: Journey, **more: object) -> str:
    now = datetime.now(UTC)
    address = reverse("admin:journeys_backtestrun_ask", args=[journey.pk])
    values = {
        "what": "draft",
        "start": f"{now - 10 * DAY:%Y-%m-%d}",
        "until": f"{now:%Y-%m-%d}",
        "lots": "64",
        "line": "1",
        "price_email": "0.5",
    }
    return client.post(address, {**values, **more}, follow=True).content.decode()


def play() -> BacktestRun:
    while playing.work(lambda: datetime.now(UTC), seconds=20):
        pass
    return BacktestRun.objects.latest("id")


def shown(client: Client, run: BacktestRun, query: str = "") -> str:
    return client.get(reverse("admin:journeys_backtestrun_change", args=[run.pk]) + query).content.decode()


def test_from_asking_to_the_days_of_one_person() -> None:
    client, contact, journey = person(*MAY), visitor(), drafted()
    assert "parts are played" in ask(client, journey)
    assert LogEntry.objects.latest("id").get_change_message().startswith("Played draft against")
    run = play()
    page = shown(client, run)
    assert "Pressure: 1 people (100.0 %) get more than 1 messages in a week" in page
    assert "costs 1.00 in messages" in page
    assert "came to the end of the way" in page
    story = client.get(reverse("admin:journeys_backtestrun_person", args=[run.pk, contact.pk]))
    assert "Comes into the journey" in story.content.decode()
    assert "Message of step mail leaves by email" in story.content.decode()


def test_two_are_read_side_by_side() -> None:
    client, journey = person(*MAY), drafted()
    visitor()
    ask(client, journey)
    first = play()
    journey.draft = {**journey.draft, "steps": {"mail": journey.draft["steps"]["again"]}}
    journey.save()
    ask(client, journey)
    page = shown(client, play(), f"?with={first.pk}")
    assert "People over the line" in page
    assert "Difference" in page


def test_progress_tells_when_it_is_done() -> None:
    client = person(*MAY)
    ask(client, drafted())
    address = reverse("admin:journeys_backtestrun_progress", args=[BacktestRun.objects.get().pk])
    assert client.get(address).headers["X-State"] == "running"
    play()
    assert client.get(address).headers["X-State"] == "done"


def test_it_is_cancelled_by_a_post_and_said() -> None:
    client = person(*MAY)
    ask(client, drafted())
    run = BacktestRun.objects.get()
    address = reverse("admin:journeys_backtestrun_cancel", args=[run.pk])
    assert client.get(address).status_code == 403
    assert "It was cancelled" in client.post(address, follow=True).content.decode()


def test_nobody_coming_in_is_said_with_advice() -> None:
    client = person(*MAY)
    ask(client, drafted())
    assert "Nobody would have come in" in shown(client, play())


def test_who_may_only_look_cannot_ask() -> None:
    client, journey = person("view_backtestrun", "view_journey"), drafted()
    assert client.get(reverse("admin:journeys_backtestrun_ask", args=[journey.pk])).status_code == 403
    assert not BacktestRun.objects.exists()


def test_a_time_that_cannot_be_played_is_said_at_the_form() -> None:
    assert "the time may be at most" in ask(person(*MAY), drafted(), start="2020-01-01")
