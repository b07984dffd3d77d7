"""Whether promises hold, as a page, by the API, for a monitor and for a load balancer."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from channels.models import Message
from config import health, lags
from contacts import clock
from contacts.auditing import looking
from contacts.models import Breach
from tests.contacts.api.caller import Caller
from tests.factories import NOON, make_contact, make_queued, make_source, put_in_inbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("months")]


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "", "x"))
    return client


def text(client: Client, address: str = "/admin/promises/") -> str:
    response = client.get(address)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def break_one() -> Breach:
    make_queued(make_contact(), state=Message.State.TRANSMITTING, due_at=NOON, lease_until=NOON)
    looking.everything(clock.now())
    return Breach.objects.get(promise="leases_end")


def test_the_page_says_that_all_is_well(admin: Client) -> None:
    looking.everything(clock.now())
    said = text(admin)
    assert "every promise holds" in said
    assert "No cap of the charter is exceeded." in said


def test_a_broken_promise_comes_first_with_its_example_and_what_to_do(admin: Client) -> None:
    breach = break_one()
    said = text(admin)
    assert "1 violation" in said
    assert "What to do: Look whether the pulse “rescue” is on" in said
    page = admin.get("/admin/promises/").content.decode()
    assert f'href="/admin/channels/message/{breach.about["message"]}/change/"' in page


def test_settling_asks_once_is_written_down_and_stops_the_alarm(admin: Client) -> None:
    breach = break_one()
    order = {"promise": "leases_end", "breach": [breach.pk]}
    asked = admin.post("/admin/promises/settle/", order)
    assert "will alarm no more" in asked.content.decode()
    assert looking.account(clock.now()).violations == 1
    admin.post("/admin/promises/settle/", {**order, "sure": "yes"})
    assert looking.account(clock.now()).violations == 0
    assert LogEntry.objects.get().change_message == "took 1 violations for dealt with"
    breach.refresh_from_db()
    assert breach.settled_by == "root"


def test_the_page_is_for_those_who_may_see_it_and_settling_for_fewer(client: Client) -> None:
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get("/admin/promises/").status_code == 403
    assert client.post("/admin/promises/settle/", {}).status_code == 403
    assert client.get("/admin/promises/settle/").status_code == 405


def test_the_api_tells_the_same() -> None:
    break_one()
    answer = Caller("promises:read").get("promises").json()
    assert (answer["violations"], answer["uncertain"], answer["unknown"]) == (1, 0, 0)
    (broken,) = [one for one in answer["promises"] if not one["holds"]]
    assert (broken["name"], broken["room"], broken["count"]) == ("leases_end", "channels", 1)
    assert broken["examples"][0]["about"].keys() == {"message"}
    assert Caller("contacts:read").get("promises").status_code == 403


def figures(client: Client, **headers: str) -> dict[str, float]:
    response = client.get(
        "/metrics", headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    assert response.status_code == 200
    lines = [line for line in response.content.decode().splitlines() if not line.startswith("#")]
    assert all(
        re.fullmatch(r'[a-z_0-9]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+', line)
        for line in lines
    )
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_a_monitor_reads_lags_queues_and_violations(client: Client) -> None:
    put_in_inbox(make_source(), {"type": "track", "user_id": "u"})
    break_one()
    read = figures(client)
    assert read['segue_waiting{queue="inbox"}'] == 1
    assert read['segue_waiting{queue="transmitting"}'] == 1
    assert read['segue_due_lag_seconds{pulse="ingest"}'] > 60
    assert read['segue_pulse_moving{pulse="ingest"}'] == 0
    assert read['segue_pulse_moving{pulse="deliver"}'] == 1
    assert read['segue_promise_violations{promise="leases_end"}'] == 1
    assert read["segue_uncertain"] == 0


def test_figures_are_for_the_token_or_for_this_machine(client: Client, settings: Settings) -> None:
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 404
    settings.SEGUE_METRICS_TOKEN = "a token"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer a token"}).status_code == 200


def test_readiness_says_why_not(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/livez").json() == {"alive": True}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["reasons"]) == (200, [])
    put_in_inbox(make_source(), {"type": "track", "user_id": "u"})
    remarks = client.get("/readyz").json()["remarks"]
    assert any(one.startswith("ingest: work is due for ") for one in remarks)
    monkeypatch.setattr(health, "database_answers", lambda: False)
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["reasons"]) == (503, ["the database does not answer"])


def test_work_moves_while_rows_are_taken_however_much_is_due() -> None:
    minute = 60
    due = lags.Lag("deliver", NOON, None)
    assert due.moving(NOON + lags.OVERDUE)
    assert not due.moving(NOON + 10 * lags.OVERDUE)
    assert lags.Lag("deliver", NOON, NOON + 9.5 * lags.OVERDUE).moving(NOON + 10 * lags.OVERDUE)
    assert due.seconds(NOON + lags.OVERDUE) == minute
