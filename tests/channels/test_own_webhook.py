"""Messages to a server of the operator's own, and what it says became of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from channels import accounts, engagement, sealing, standard_webhooks
from channels.models import Hit, Message, ProviderAccount
from contacts import clock
from contacts.models import Event
from tests.contracts.http_peer import http_peer
from tests.factories import make_contact, make_provider, make_queued

pytestmark = pytest.mark.django_db


def _account(url: str = "https://own.example/take") -> ProviderAccount:
    account = make_provider("sms", kind="webhook", settings={"url": url})
    accounts.prepare(account)
    account.save()
    return account


def post(client: Client, account: ProviderAccount, told: Any, **changed: str) -> int:
    body = json.dumps(told).encode()
    secret = changed.pop("secret", sealing.unseal(account.secrets)["secret"])
    headers = {**standard_webhooks.signed(secret, "w1", clock.now(), body), **changed}
    del headers["Content-Type"]
    return client.post(
        f"/hooks/webhook/{account.pk}", body, content_type="application/json", headers=headers
    ).status_code


def test_a_message_is_posted_so_that_the_other_side_can_prove_it(settings: Settings) -> None:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    with http_peer() as peer:
        account = _account(peer.url("ok"))
        result = accounts.send_test(account, "+33612345678", clock.now())
        (asked,) = peer.asked
    secret = sealing.unseal(account.secrets)["secret"]
    assert result.provider_message_id == "abc-1"
    assert standard_webhooks.complaint(secret, asked.headers, asked.body, clock.now()) == ""
    assert standard_webhooks.complaint(secret, asked.headers, asked.body + b" ", clock.now())
    data = json.loads(asked.body)["data"]
    assert (data["to"], data["channel"]) == ("+33612345678", "sms")
    assert asked.headers["idempotency-key"] == data["id"]


def test_what_it_says_reaches_the_timeline_once(client: Client) -> None:
    account = _account()
    message = make_queued(
        make_contact(), state=Message.State.UNCERTAIN, due_at=None, channel="sms", provider_id=account.pk,
        provider_message_id="m-1",
    )  # fmt: skip
    for _again in range(3):
        assert post(client, account, [{"id": "m-1", "status": "delivered"}, {"status": "x"}, 5]) == 200
    assert post(client, account, {"id": "m-1", "status": "replied"}) == 200
    engagement.absorb(clock.now(), 10)
    message.refresh_from_db()
    assert message.state == Message.State.ACCEPTED
    names = Event.objects.filter(contact_id=message.contact_id).values_list("name", flat=True)
    assert sorted(names) == ["Message Delivered", "Message Replied", "Message Sent"]


def test_nobody_else_is_believed(client: Client) -> None:
    account, told = _account(), {"id": "m-1", "status": "delivered"}
    assert post(client, account, told, secret=standard_webhooks.new_secret()) == 403
    assert post(client, account, told, **{"webhook-timestamp": "5"}) == 403
    assert post(client, account, told, **{"webhook-timestamp": "x"}) == 403
    assert post(client, account, told, **{"webhook-signature": "v2,x"}) == 403
    assert post(client, account, told, **{"webhook-id": "other"}) == 403
    ProviderAccount.objects.filter(pk=account.pk).update(secrets="")
    assert post(client, account, told) == 403
    assert not Hit.objects.exists()
