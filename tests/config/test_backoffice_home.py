from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from channels import charter, charter_approving
from config import dashboard, roles
from contacts import clock, event_log
from contacts.event_log import TRACK, NewEvent
from contacts.models import Source
from journeys.models import Journey, PublishRequest
from tests.config.backoffice import make_person, signed_in
from tests.factories import NOON, make_contact

pytestmark = pytest.mark.django_db

NOTHING = {"oldest_inbox": None, "oldest_run": None, "oldest_message": None, "last_pulse": NOON}


@pytest.fixture
def client() -> Client:
    return signed_in(make_person("root", superuser=True))


def test_an_empty_installation_says_what_to_do(client: Client) -> None:
    body = client.get("/admin/").content.decode()

    assert "No journey is live" in body
    assert "curl -u" in body


def test_the_latest_events_name_their_contact(client: Client) -> None:
    contact = make_contact(first_name="Ada", last_name="Lovelace")
    now = clock.now()
    event_log.append(
        [NewEvent(contact.pk, "Product Added", now, now, kind=TRACK, properties={"name": "Mango"})]
    )

    latest = client.get("/admin/").context["latest"]

    assert [(one.contact, one.entry.title, one.entry.text) for one in latest] == [
        (contact, "Product Added", "Mango")
    ]


def test_a_role_sees_only_its_parts() -> None:
    body = signed_in(make_person("ana", role=roles.ANALYST)).get("/admin/").content.decode()

    assert "Messages sent" in body
    assert "curl -u" not in body


def test_what_waits_for_approval_is_shown_to_whoever_decides_and_to_whoever_asked() -> None:
    now = clock.now()
    mona, ada, ana = (
        make_person(name, role=role)
        for name, role in (("mona", roles.MARKETER), ("ada", roles.APPROVER), ("ana", roles.ANALYST))
    )
    version = charter.draft({"spacing": {"apart": "2 hours"}})
    charter_approving.ask(version, mona, now, "fewer, please")
    journey = Journey.objects.create(name="Welcome", slug="welcome")
    PublishRequest.objects.create(journey=journey, draft={}, asked_by=ada, asked_at=now)

    shown = {
        person.username: [
            (one.what, one.own) for one in signed_in(person).get("/admin/").context["approvals"]
        ]
        for person in (mona, ada, ana)
    }

    assert shown == {
        "mona": [(f"Charter v{version.number}", True)],
        "ada": [(f"Charter v{version.number}", False), ("Welcome", True)],
        "ana": [],
    }
    page = signed_in(ada).get("/admin/").content.decode()
    assert f'/admin/channels/charterversion/{version.pk}/publish/">' in page
    assert "fewer, please" in page


def test_someone_without_a_role_sees_no_figure() -> None:
    context = signed_in(make_person("nobody")).get("/admin/").context

    assert context["tiles"] == []
    assert context["latest"] is None
    assert context["command"] == ""


@pytest.mark.parametrize(
    ("waited", "tone"),
    [
        (timedelta(seconds=2), "good"),
        (timedelta(seconds=30), "good"),
        (timedelta(minutes=5), "warn"),
        (timedelta(hours=1), "bad"),
    ],
)
def test_work_that_waits_too_long_changes_colour(waited: timedelta, tone: str) -> None:
    shown = dashboard.readings({**NOTHING, "oldest_inbox": NOON - waited}, NOON)

    assert [reading.tone for reading in shown if reading.label == "Inbox"] == [tone]


def test_work_that_is_due_later_is_up_to_date() -> None:
    later = datetime(2030, 1, 1, tzinfo=UTC)
    shown = dashboard.readings({**NOTHING, "oldest_run": later}, NOON)

    assert [reading.value for reading in shown if reading.label == "Journeys"] == ["up to date"]


def test_the_home_page_says_what_of_the_demo_is_real_and_how_fast_it_came_in(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.SEGUE_HOME = tmp_path
    (tmp_path / "demo.json").write_text('{"loaded": 152554, "load_rate": 6389}', encoding="utf-8")
    Source.objects.create(name="Shop tills", slug="tills")
    page = client.get("/admin/").content.decode()
    assert "152,554 real events were taken in at 6,389 a second" in page
