from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from journeys.models import Journey, Outlook
from journeys.outlook import keeping
from tests.contacts.api.caller import Caller
from tests.factories import log_event, make_provider, make_version
from tests.journeys.backtest.test_forecast import subscriber
from tests.journeys.backtest.test_running import GRAPH
from tests.journeys.test_admin import person

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
PAGE = "admin:journeys_outlook_changelist"


def now() -> datetime:
    return datetime.now(UTC)


def lived() -> Journey:
    """A live journey to which somebody came eleven days ago, so that somebody will in three."""
    make_provider("email")
    contact = subscriber()
    log_event(contact, "Cart", now() - 11 * DAY)
    return make_version(GRAPH, slug="carts", now=now() - 30 * DAY).journey


@pytest.mark.parametrize("view", ["month", "week", "agenda"])
def test_the_calendar_shows_load_and_sequences_of_the_days_to_come(view: str) -> None:
    lived()
    keeping.work(now())
    client = person("view_outlook", "view_journey")
    at = f"{(now() + 3 * DAY).date()}"
    html = client.get(reverse(PAGE), {"view": view, "at": at}).content.decode()
    assert "Carts" in html
    assert "~1" in html
    assert "Work out anew" not in html


def test_before_it_is_worked_out_the_page_says_so_and_nonsense_is_ignored() -> None:
    client = person("view_outlook")
    html = client.get(reverse(PAGE), {"view": "year", "at": "soon", "kind": "x" * 500}).content.decode()
    assert "not worked out yet" in html


def test_asking_anew_needs_the_right_to_and_a_post() -> None:
    address = reverse("admin:journeys_outlook_refresh")
    assert person("view_outlook").post(address).status_code == 403
    client = person("view_outlook", "run_backtestrun")
    assert client.get(address).status_code == 403
    assert client.post(address, {"back": "view=week"}).headers["Location"].endswith("?view=week")
    assert Outlook.objects.get().asked_at is not None
    assert "being worked out" in client.get(reverse(PAGE)).content.decode()
    progress = reverse("admin:journeys_outlook_progress")
    assert client.get(progress).headers["X-State"] == "waiting"
    keeping.work(now())
    assert client.get(progress).headers["X-State"] == "done"


def test_the_load_of_a_draft_is_shown_before_it_is_published() -> None:
    journey = lived()
    address = reverse("admin:journeys_outlook_before", args=[journey.pk])
    html = person("view_outlook").get(address).content.decode()
    assert "about 2 in all" in html
    Journey.objects.update(draft={})
    assert "It has problems" in person("view_outlook").get(address).content.decode()
    assert Client().get(address).status_code == 302


def test_a_program_reads_the_calendar_and_the_load_of_a_draft() -> None:
    journey = lived()
    caller = Caller()
    assert caller.get("calendar").json()["computed_at"] is None
    assert caller.post("calendar/refresh").status_code == 202
    keeping.work(now())
    days = caller.get("calendar").json()["days"]
    assert len(days) == 14
    assert (days[3]["messages"], days[3]["items"][0]["name"]) == (1, "Carts")
    today = now().date()
    assert caller.get("calendar", start=f"{today}", end=f"{today + 90 * DAY}").json()["code"] == "bad_period"
    found = caller.get(f"journeys/{journey.slug}/forecast").json()
    assert [day["messages"] for day in found["days"]][:5] == [0, 0, 0, 1, 1]
    Journey.objects.update(draft={})
    assert caller.get(f"journeys/{journey.slug}/forecast").json()["code"] == "has_problems"
