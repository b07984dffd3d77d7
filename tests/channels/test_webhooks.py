"""Doors for machines: only providers are believed, and only their own browsers subscribe people."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from channels import accounts, engagement, sealing, webhooks
from channels.models import Hit, Message, ProviderAccount
from contacts import clock, consent, intake_keys
from contacts.models import ChannelAddress, Contact, Identifier, Purpose, Source, SourceKey
from tests.factories import NOON, make_contact, make_provider, make_queued

pytestmark = pytest.mark.django_db


def _sms() -> ProviderAccount:
    return make_provider(
        "sms", name="gateway", kind="http_sms", secrets=sealing.seal({"receipt_secret": "s3cret"})
    )


def _signed(body: bytes, secret: str = "s3cret", age: int = 0) -> str:
    stamp = str(int(clock.now().timestamp()) - age)
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def _report(client: Client, account: ProviderAccount, told: Any, signature: str | None = None) -> int:
    body = json.dumps(told).encode()
    answer = client.post(
        f"/hooks/sms/{account.pk}", body, content_type="application/json",
        headers={"X-Segue-Signature": _signed(body) if signature is None else signature},
    )  # fmt: skip
    return answer.status_code


def test_a_signed_report_settles_its_message(client: Client) -> None:
    account = _sms()
    message = make_queued(
        make_contact(), state=Message.State.UNCERTAIN, due_at=None, provider_message_id="abc", channel="sms"
    )
    assert _report(client, account, {"id": "abc", "status": "delivered"}) == 200
    engagement.absorb(clock.now(), 10)
    message.refresh_from_db()
    assert message.state == Message.State.ACCEPTED
    assert message.delivered_at is not None


def test_what_is_not_signed_or_old_is_refused(client: Client) -> None:
    account = _sms()
    body = json.dumps({"id": "abc", "status": "delivered"}).encode()
    for signature in (
        "", "t=1,v1=a", _signed(body, "other"), _signed(body, age=330), _signed(body, age=-330),
        _signed(b"other"), "t=é,v1=é", "v1=" + "a" * 64,
    ):  # fmt: skip
        assert _report(client, account, {"id": "abc", "status": "delivered"}, signature) == 403
    assert not Hit.objects.exists()


def test_without_a_secret_nothing_is_believed(client: Client) -> None:
    account = make_provider("sms", name="open", kind="http_sms")
    body = json.dumps({"id": "abc", "status": "delivered"}).encode()
    assert _report(client, account, {"id": "abc", "status": "delivered"}, _signed(body, "")) == 403
    mail = make_provider("email", name="mail", kind="anymail", settings={"service": "postmark"})
    assert client.post(f"/hooks/email/{mail.pk}", b"{}", content_type="application/json").status_code == 403


@pytest.mark.parametrize("told", [[], {}, [1, None], {"id": 5}, "x", {"id": "a", "status": {"b": 1}}])
def test_a_strange_report_does_no_harm(client: Client, told: Any) -> None:
    assert _report(client, _sms(), told) == 200
    assert not Hit.objects.exists()


def _postmark() -> ProviderAccount:
    return make_provider(
        "email", name="postmark", kind="anymail", settings={"service": "postmark"},
        secrets=sealing.seal({"webhook_secret": "user:pass"}),
    )  # fmt: skip


BOUNCE = {
    "RecordType": "Bounce", "ID": 42, "Type": "HardBounce", "TypeCode": 1, "MessageID": "pm-1",
    "Description": "The server was unable to deliver your message", "Details": "550 no such user",
    "Email": "ann@example.com", "BouncedAt": "2026-03-10T12:30:00Z", "Metadata": {},
}  # fmt: skip


def test_an_email_services_report_is_read_by_anymail(client: Client) -> None:
    account = _postmark()
    message = make_queued(make_contact(email="ann@example.com"), state=Message.State.ACCEPTED, due_at=None)
    told = {**BOUNCE, "Metadata": {"segue": f"{message.id}.{message.created_at.timestamp():.6f}"}}
    right = {"Authorization": "Basic " + base64.b64encode(b"user:pass").decode()}
    for _again in range(3):
        answer = client.post(f"/hooks/email/{account.pk}", told, "application/json", headers=right)
        assert answer.status_code == 200
    engagement.absorb(clock.now(), 10)
    message.refresh_from_db()
    assert message.bounced_at == datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
    assert consent.suppressed({("email", "ann@example.com")})


def test_an_email_services_report_needs_the_right_secret(client: Client) -> None:
    account = _postmark()
    wrong = {"Authorization": "Basic " + base64.b64encode(b"user:guess").decode()}
    for headers in ({}, wrong):
        answer = client.post(f"/hooks/email/{account.pk}", BOUNCE, "application/json", headers=headers)
        assert answer.status_code == 403
    assert not Hit.objects.exists()


@pytest.fixture
def shop() -> tuple[str, str]:
    """A public key and a server's."""
    source = Source.objects.create(name="Shop", slug="shop")
    return (
        intake_keys.issue(source, SourceKey.Scope.WRITE)[1],
        intake_keys.issue(source, SourceKey.Scope.SERVER)[1],
    )


SUBSCRIPTION = {"endpoint": "https://push.example/1", "keys": {"p256dh": "a", "auth": "b"}}


def _visitor() -> Contact:
    contact = make_contact()
    for kind, value in (("anonymous", "anon-1"), ("user", "u1")):
        Identifier.objects.create(kind=kind, value=value, contact=contact, slot=contact.slot, created_at=NOON)
    return contact


def _subscribe(client: Client, **values: Any) -> int:
    told = {"subscription": SUBSCRIPTION, **values}
    return client.post("/push/subscribe", json.dumps(told), content_type="text/plain").status_code


def test_a_browser_subscribes_its_visitor(client: Client, shop: tuple[str, str]) -> None:
    contact = _visitor()
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    for _again in range(2):
        assert (
            _subscribe(client, writeKey=shop[0], anonymousId="anon-1", purposes=["offers", "no-such"]) == 200
        )
    address = ChannelAddress.objects.get()
    assert (address.contact_id, address.address) == (contact.id, "https://push.example/1")
    assert consent.states([contact.id])[contact.id] == {("push", "offers"): True}


def test_purposes_that_cannot_be_are_passed_over(client: Client, shop: tuple[str, str]) -> None:
    _visitor()
    assert _subscribe(client, writeKey=shop[0], anonymousId="anon-1", purposes=["\x00", "\ud800", 1]) == 200


def test_a_public_key_cannot_subscribe_by_a_guessed_user_id(client: Client, shop: tuple[str, str]) -> None:
    _visitor()
    assert _subscribe(client, writeKey=shop[0], userId="u1") == 409
    assert _subscribe(client, writeKey=shop[1], userId="u1") == 200


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"writeKey": "no"}, 401), ({}, 401), ({"anonymousId": "stranger"}, 409),
        ({"anonymousId": "anon-1", "subscription": None}, 400),
        ({"anonymousId": "anon-1", "subscription": {"endpoint": "http://x", "keys": {}}}, 400),
        ({"anonymousId": "anon-1", "subscription": {"endpoint": "https://x", "keys": {"p256dh": 1}}}, 400),
        ({"anonymousId": "anon-1", "subscription": {"endpoint": "https://x/" + "a" * 3000, "keys": {}}}, 400),
        ({"anonymousId": ["anon-1"]}, 409), ({"anonymousId": "\ud800"}, 409), ({"writeKey": "\ud800"}, 401),
        *(
            ({"anonymousId": "anon-1", "subscription": {**SUBSCRIPTION, "endpoint": place}}, 400)
            for place in ("https://x\x00", "https://[x", "https://\ud800", "https:///1", "https://é.example")
        ),
        (
            {"anonymousId": "anon-1",
             "subscription": {"endpoint": "https://x", "keys": {"p256dh": "a\x00", "auth": "b"}}},
            400,
        ),
    ],
)  # fmt: skip
def test_a_bad_subscription_is_refused(
    client: Client, shop: tuple[str, str], values: dict[str, Any], status: int
) -> None:
    _visitor()
    if values and "writeKey" not in values:
        values = {"writeKey": shop[0], **values}
    assert _subscribe(client, **values) == status
    assert not ChannelAddress.objects.exists()


def test_the_worker_and_its_key_are_served(client: Client) -> None:
    worker = client.get("/segue-sw.js")
    assert worker["Content-Type"].startswith("text/javascript")
    assert client.get("/push/key").status_code == 404
    account = make_provider("push", kind="webpush")
    accounts.prepare(account)
    account.save()
    assert len(client.get("/push/key").json()["publicKey"]) == 87


def test_a_sources_key_subscribes_only_so_many_browsers_at_once(
    client: Client, shop: tuple[str, str], settings: Settings
) -> None:
    settings.SEGUE_PUSH_RATE = 0.01
    webhooks._quota.cache_clear()
    _visitor()
    answers = [_subscribe(client, writeKey=shop[0], anonymousId="stranger") for _one in range(3)]
    webhooks._quota.cache_clear()
    assert answers[0] == 409
    assert 429 in answers
