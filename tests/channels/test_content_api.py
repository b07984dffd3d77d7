"""Data feeds, content tests, calls and the check of a sender's domain, by program."""

from __future__ import annotations

from typing import Any

import dns.resolver
import pytest
from pytest_django import Settings

from channels import audience_sync, audiences
from channels.models import Audience, CallTask, ContentTest, DataFeed
from config import roles
from contacts import clock, consent
from contacts.consent import NewConsent
from contacts.models import Event, Purpose
from tests.channels.dns_server import resolving
from tests.config.backoffice import make_person
from tests.contacts.api.caller import Caller
from tests.contracts.http_peer import http_peer
from tests.contracts.smtp_sink import smtp_sink
from tests.factories import NOON, make_contact, make_provider, make_queued, make_template

pytestmark = pytest.mark.django_db


def test_a_feed_is_made_asked_changed_and_deleted_and_its_secret_never_told(settings: Settings) -> None:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    caller = Caller("feeds:read", "feeds:write")
    with http_peer() as peer:
        body = {"slug": "weather", "name": "Weather", "url": peer.url("ok"), "authorization": "Bearer s3cret"}
        made = caller.post("data-feeds", body)
        assert (made.status_code, made.json()["has_authorization"]) == (201, True)
        asked = caller.post("data-feeds/weather/ask").json()
        assert (asked["content"]["id"], asked["error"]) == ("abc-1", "")
        assert peer.asked[0].headers["authorization"] == "Bearer s3cret"
        assert "s3cret" not in str(asked) + str(caller.get("data-feeds").json())
        other = caller.patch("data-feeds/weather", {"url": peer.url("broken"), "hours": 0})
        assert (other.json()["content"], other.json()["hours"]) == (None, 0)
        assert caller.post("data-feeds/weather/ask").json()["error"] == "answered 500"
        assert caller.patch("data-feeds/weather", {"authorization": ""}).json()["has_authorization"] is False
    caller.patch("data-feeds/weather", {"active": False})
    assert caller.post("data-feeds/weather/ask").json()["code"] == "not_active"
    assert caller.post("data-feeds", body).status_code == 409
    assert caller.delete("data-feeds/weather").status_code == 200
    assert caller.get("data-feeds/weather").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "http://169.254.169.254/latest"), ("url", "http://127.0.0.1/x"), ("url", "ftp://x.example/"),
        ("url", "https://ann@x.example/"), ("url", "javascript:alert(1)"), ("slug", "Ünicode"),
        ("slug", "a-b"), ("minutes", 0), ("seconds", 21), ("hours", -1), ("name", ""), ("colour", "red"),
    ],
)  # fmt: skip
def test_a_feed_that_cannot_be_is_refused_by_its_field(field: str, value: Any) -> None:
    body = {"slug": "weather", "name": "Weather", "url": "https://feed.example/x", field: value}
    answer = Caller().post("data-feeds", body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert not DataFeed.objects.exists()


def test_a_content_test_is_written_started_ended_and_its_figures_told() -> None:
    for slug in ("spring", "spring-b"):
        make_template(slug)
    caller = Caller("templates:read", "templates:write", "templates:publish")
    variants = [
        {"name": "A", "template": "spring", "share": 50},
        {"name": "B", "template": "gone", "share": 50},
    ]
    body = {"slug": "tone", "name": "Tone", "template": "spring", "variants": variants}
    assert caller.post("content-tests", body).json()["state"] == "draft"
    assert caller.post("content-tests", body).status_code == 409
    assert caller.post("content-tests/tone/start").json()["code"] == "template"
    variants[1]["template"] = "spring-b"
    assert caller.patch("content-tests/tone", {"variants": variants}).json()["variants"] == variants
    assert caller.get("content-tests/tone/results").json() == {"state": "draft", "variants": []}
    assert caller.post("content-tests/tone/start").json()["state"] == "running"
    assert caller.patch("content-tests/tone", {"name": "Other"}).json()["code"] == "started"
    assert caller.post("content-tests/tone/start").json()["code"] == "started"
    now = clock.now()
    make_queued(
        make_contact(), now=now, accepted_at=now, clicked_at=now, variables={"variants": {"tone": "B"}}
    )
    told = caller.get("content-tests/tone/results").json()
    assert told["variants"][1] == {"name": "B", "sent": 1, "opened": 0, "clicked": 1, "rate": 100.0}
    caller.post("content-tests", {**body, "slug": "second", "name": "Second", "variants": variants})
    assert caller.post("content-tests/second/start").status_code == 409
    assert caller.post("content-tests/tone/end").json()["state"] == "ended"
    assert caller.post("content-tests/tone/end").json()["code"] == "not_running"
    assert [one["slug"] for one in caller.get("content-tests").json()["items"]] == ["tone", "second"]
    assert Caller("templates:write").post("content-tests/second/start").status_code == 403
    assert caller.post("content-tests", {**body, "slug": "x", "template": "no"}).json()["field"] == "template"
    assert ContentTest.objects.count() == 2


def _task() -> CallTask:
    account = make_provider("audience", kind="call_list", settings={"most_tries": "2"})
    purpose = Purpose.objects.create(slug="phone-calls", name="Phone calls")
    audience = Audience.objects.create(name="Win back", slug="win-back", provider=account, purpose=purpose)
    contact = make_contact(phone="+33612345678")
    consent.record([NewConsent(contact.pk, "sms", "phone-calls", True, "test")], NOON)
    audiences.add([contact.pk], audience.slug, "journey", NOON)
    audience_sync.sync(NOON)
    return CallTask.objects.get()


def test_a_dialler_lists_takes_and_ends_calls_for_its_agents() -> None:
    task, caller = _task(), Caller("calls:read", "calls:write")
    for name in ("ann", "bob"):
        make_person(name, role=roles.STAFF)
    make_person("eve", role=roles.ANALYST)
    (listed,) = caller.get("calls", list="win-back").json()["items"]
    assert (listed["phone"], listed["state"], listed["tries"]) == ("+33612345678", "open", 0)
    assert "not reached" in listed["outcomes"]
    path = f"calls/{task.pk}"
    assert caller.post(f"{path}/take", {"agent": "ann"}).json()["agent"] == "ann"
    assert caller.post(f"{path}/take", {"agent": "bob"}).json()["code"] == "not_open"
    assert caller.get("calls").json()["items"] == []
    assert caller.post(f"{path}/take", {"agent": "eve"}).json()["field"] == "agent"
    end = {"agent": "ann", "outcome": "not reached", "tries": 0}
    assert caller.post(f"{path}/end", {**end, "agent": "bob"}).json()["code"] == "not_open"
    assert caller.post(f"{path}/end", {**end, "outcome": "won"}).json()["field"] == "outcome"
    again = caller.post(f"{path}/end", end).json()
    assert (again["state"], again["tries"], again["outcome"]) == ("open", 1, "not reached")
    # The same end told twice ends one call.
    assert caller.post(f"{path}/end", end).status_code == 409
    event = Event.objects.get(name="Call Ended")
    assert event.properties == {"outcome": "not reached", "list": "win-back", "try": 1, "again": True}
    assert [one["id"] for one in caller.get("calls", state="open").json()["items"]] == [task.pk]
    assert caller.get("calls", state="late").json()["field"] == "state"
    assert caller.post("calls/999999/take").status_code == 404
    assert Caller("calls:read").post(f"{path}/take").status_code == 403


def test_what_the_dns_says_of_a_sender_is_told_with_the_records_to_add(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = make_provider(
        "email", kind="smtp", settings={"from_email": "shop@shop.example", "host": "x.example"}
    )
    texts = make_provider("sms")
    caller = Caller("providers:read")
    with resolving({("shop.example", "MX"): ["10 mx.shop.example."]}) as resolver:
        monkeypatch.setattr(dns.resolver, "get_default_resolver", lambda: resolver)
        told = caller.get(f"provider-accounts/{account.pk}/sender-domain").json()
    by_check = {one["check"]: one for one in told["findings"]}
    assert (told["domain"], told["state"], by_check["MX"]["state"]) == ("shop.example", "bad", "good")
    assert by_check["DMARC"]["record"]["name"] == "_dmarc.shop.example"
    assert caller.get(f"provider-accounts/{texts.pk}/sender-domain").status_code == 404


def test_an_account_is_checked_and_tried_by_program() -> None:
    caller = Caller("providers:read", "providers:write")
    with smtp_sink() as sink:
        told = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from_email": "a@shop.example"}
        account = make_provider("email", kind="smtp", settings=told)
        path = f"provider-accounts/{account.pk}"
        assert caller.post(f"{path}/check").json()["works"] is True
        tested = caller.post(f"{path}/test", {"address": "me@example.com"}).json()
        assert (tested["outcome"], tested["code"]) == ("accepted", "250")
        assert len(sink.to("me@example.com")) == 1
    shut = caller.post(f"{path}/check").json()
    assert (shut["works"], shut["code"]) == (False, "connect")
    wrong = caller.post(f"{path}/test", {"address": "me at home"})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "address")
    inapp = make_provider("inapp", kind="inapp")
    assert caller.post(f"provider-accounts/{inapp.pk}/test", {"address": "x"}).json()["code"] == "no_test"
    assert caller.post("provider-accounts/99999/check").status_code == 404
    assert Caller("providers:read").post(f"{path}/check").status_code == 403
