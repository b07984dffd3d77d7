"""Calls of endpoints: made once asked for, signed, tried again, answered into the run."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from channels import sealing
from channels.models import Message
from contacts.models import Contact
from journeys import calling, calling_out, engine
from journeys.models import Endpoint, EndpointCall, Run, StepEntry
from tests import elsewhere
from tests.contracts.http_peer import Peer, http_peer
from tests.factories import NOON, make_contact
from tests.journeys.test_engine import SEND, begin

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SECRET = "whsec_" + base64.b64encode(b"twenty-four secret bytes").decode()


@pytest.fixture
def peer(settings: Settings) -> Iterator[Peer]:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    with http_peer() as found:
        yield found


def endpoint(url: str) -> Endpoint:
    made = Endpoint(name="Scoring", slug="scoring", url=url)
    calling_out.seal(made, SECRET)
    made.save()
    return made


def standing(**hook: Any) -> Contact:
    contact = make_contact(attributes={"stage": "lead"})
    steps = {
        "score": {
            "type": "webhook",
            "endpoint": "scoring",
            "send": {"stage": {"attribute": "stage"}, "cart": {"entry": "cart"}, "fixed": 7},
            "next": "keep",
            "on_failure": "sorry",
            **hook,
        },
        "keep": {"type": "update", "set": {"ref": {"answer": "score.body.id"}}, "next": "mail"},
        "mail": SEND,
        "sorry": {"type": "exit", "reason": "no score"},
    }
    begin(steps, contact)
    engine.advance(NOON)
    return contact


def path() -> list[str]:
    return [
        f"{step}: {outcome}"
        for step, outcome in StepEntry.objects.order_by("visit", "id").values_list("step", "outcome")
    ]


def test_an_answer_moves_the_run_and_is_there_for_later_steps_and_messages(peer: Peer) -> None:
    endpoint(peer.url("ok"))
    contact = standing()
    assert Run.objects.get().step == "score"
    assert calling.make(NOON) == 1
    while engine.advance(NOON):
        pass
    contact.refresh_from_db()
    assert contact.attributes["ref"] == "abc-1"
    assert path() == ["score: answered", "keep: updated", "mail: intended"]
    assert Message.objects.get().variables["answers"]["score"]["body"]["id"] == "abc-1"


def test_a_call_says_what_it_was_asked_to_and_is_signed(peer: Peer) -> None:
    endpoint(peer.url("ok"))
    contact = standing()
    calling.make(NOON)
    (asked,) = peer.asked
    body = msgspec.json.decode(asked.body)
    assert body["data"]["values"] == {"stage": "lead", "cart": None, "fixed": 7}
    assert body["data"]["contact"] == str(contact.public_id)
    at, message_id = asked.headers["webhook-timestamp"], asked.headers["webhook-id"]
    digest = hmac.new(
        b"twenty-four secret bytes", f"{message_id}.{at}.".encode() + asked.body, hashlib.sha256
    )
    assert asked.headers["webhook-signature"] == f"v1,{base64.b64encode(digest.digest()).decode()}"


def test_a_busy_server_is_asked_again_later_under_the_same_key_until_the_time_is_over(peer: Peer) -> None:
    endpoint(peer.url("away"))
    standing(timeout="2 minutes")
    now = NOON
    while Run.objects.get().state == Run.State.LIVE and now < NOON + HOUR:
        calling.make(now)
        engine.advance(now)
        now += timedelta(seconds=5)
    assert len(peer.asked) > 1
    assert len({asked.headers["idempotency-key"] for asked in peer.asked}) == 1
    assert now <= NOON + 3 * MINUTE
    assert Run.objects.get().outcome == "no score"


@pytest.mark.parametrize("mode", ["bad", "moved"])
def test_a_refusal_is_a_failure_at_once(peer: Peer, mode: str) -> None:
    endpoint(peer.url(mode))
    standing()
    calling.make(NOON)
    engine.advance(NOON)
    assert len(peer.asked) == 1
    assert path() == ["score: failed call", "sorry: exited"]


def test_an_address_inside_is_never_called(peer: Peer, settings: Settings) -> None:
    settings.SEGUE_LOCAL_HOSTS = []
    endpoint(peer.url("ok"))
    standing()
    calling.make(NOON)
    assert peer.asked == []
    assert EndpointCall.objects.get().state == EndpointCall.State.FAILED


def test_who_has_left_is_not_told_of(peer: Peer) -> None:
    endpoint(peer.url("ok"))
    standing()
    Run.objects.update(state=4, due_at=None)
    assert calling.make(NOON) == 0
    assert EndpointCall.objects.get().state == EndpointCall.State.CALLED_OFF
    assert peer.asked == []


def test_a_try_whose_worker_died_is_made_again_and_its_late_record_changes_nothing(peer: Peer) -> None:
    endpoint(peer.url("ok"))
    standing()
    (lost,) = calling._claim(NOON, 10)
    assert calling.make(NOON + MINUTE) == 0
    assert calling.make(NOON + 6 * MINUTE) == 1
    calling._record([lost], [calling_out.Told(error="late")], NOON + 7 * MINUTE)
    assert EndpointCall.objects.get().state == EndpointCall.State.ANSWERED


def test_waking_the_run_early_asks_for_no_second_call(peer: Peer) -> None:
    endpoint(peer.url("ok"))
    standing()
    Run.objects.update(due_at=NOON)
    engine.advance(NOON)
    assert EndpointCall.objects.count() == 1


@pytest.mark.parametrize(
    "body", [b"[" * 30 + b"]" * 30, b"nonsense", b'"\\u0000"', b'{"a": NaN}', b'"' + b"x" * 40_000 + b'"']
)
def test_an_answer_that_is_no_json_within_bounds_is_not_kept(body: bytes) -> None:
    assert calling_out._bounded(body) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["calling.claimed", "calling.called", "calling.written"])
def test_a_caller_killed_at_any_point_is_made_good_under_the_same_key(peer: Peer, point: str) -> None:
    endpoint(peer.url("ok"))
    standing()
    assert (
        elsewhere.run("from journeys import calling; calling.make(now)", now=NOON, crashpoint=f"{point}:1")
        == 137
    )
    assert Run.objects.get().step == "score"
    calling.make(NOON + 6 * MINUTE)
    while engine.advance(NOON + 6 * MINUTE):
        pass
    assert path() == ["score: answered", "keep: updated", "mail: intended"]
    assert len({asked.headers["idempotency-key"] for asked in peer.asked}) == 1


def test_an_endpoint_is_made_in_the_back_office_and_its_secret_shown_once(admin_client: Client) -> None:
    address = reverse("admin:journeys_endpoint_add")
    sent = {"name": "Scoring", "slug": "scoring", "url": "https://score.example/hook", "active": "on"}
    page = admin_client.post(address, sent, follow=True)
    made = Endpoint.objects.get()
    secret = sealing.unseal(made.secrets)["secret"]
    assert secret in page.content.decode()
    page = admin_client.get(reverse("admin:journeys_endpoint_change", args=[made.pk]))
    assert page.status_code == 200
    assert secret not in page.content.decode()
    assert admin_client.get(reverse("admin:journeys_endpointcall_changelist")).status_code == 200
