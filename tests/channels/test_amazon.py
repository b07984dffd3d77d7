"""Amazon SES by its API: signed calls, one try each, and notifications whose signature is Amazon's."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any

import pytest
from django.test import Client

from channels import engagement, sealing, sns_signature
from channels.models import Hit, ProviderAccount
from channels.providers import PROVIDERS
from channels.providers.amazon import MISSING
from channels.providers.base import NotReadyError, Outcome, Provider, Result
from channels.providers.outgoing import Answer, Outgoing
from channels.sns_signature import CertificateAwayError
from contacts import clock
from tests.channels.mail_hooks import BASIC, REPORTS, amazon_certificate, amazon_signed
from tests.channels.test_mail_hooks import _now, _segue
from tests.contracts.http_peer import Peer, http_peer
from tests.contracts.test_providers import parcel
from tests.factories import NOON, make_contact, make_provider, make_queued

pytestmark = pytest.mark.django_db
CONFIRM = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:x&Token=abc"


@pytest.fixture
def peer() -> Iterator[Peer]:
    with http_peer() as running:
        yield running


@pytest.fixture(autouse=True)
def _certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sns_signature, "fetch", lambda _place: amazon_certificate())


def _ses(peer: Peer) -> Provider:
    options = {
        "region": "eu-west-1", "access_key_id": "AKIA1", "configuration_set_name": "segue",
        "client_params": {"endpoint_url": peer.url("")[:-1]},
    }  # fmt: skip
    return PROVIDERS["anymail"](
        1, {"service": "amazon_ses", "options": json.dumps(options), "api_key": "s3cret"}
    )


def _sent(peer: Peer, mode: str) -> Result:
    peer.choose = lambda _asked: mode
    provider, one = _ses(peer), parcel("email", "ann@example.com")
    try:
        return provider.send([one], list, NOON)[one.message_id]
    finally:
        provider.close()


def test_a_mail_goes_to_amazon_whole_and_signed(peer: Peer) -> None:
    result = _sent(peer, "ses")
    assert (result.outcome, result.provider_message_id) == (Outcome.ACCEPTED, "ses-1")
    (asked,) = peer.asked
    assert asked.path == "/v2/email/outbound-emails"
    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIA1/")
    assert b"s3cret" not in asked.body + repr(asked.headers).encode()
    told = json.loads(asked.body)
    assert told["ConfigurationSetName"] == "segue"
    mail = message_from_bytes(base64.b64decode(told["Content"]["Raw"]["Data"]))
    assert mail["Subject"] == "Hi"
    assert "segue" in mail["X-Metadata"]


@pytest.mark.parametrize(
    ("mode", "outcome", "wait"),
    [
        ("ses_rejected", Outcome.REFUSED, None), ("ses_paused", Outcome.TRY_LATER, None),
        ("ses_busy", Outcome.TRY_LATER, 120.0), ("ses_key", Outcome.TRY_LATER, None),
        ("away", Outcome.TRY_LATER, None), ("broken", Outcome.UNCERTAIN, None),
        ("reset", Outcome.UNCERTAIN, None),
    ],
)  # fmt: skip
def test_each_answer_of_amazon_has_its_word_and_nothing_is_asked_twice(
    peer: Peer, mode: str, outcome: Outcome, wait: float | None
) -> None:
    result = _sent(peer, mode)
    assert (result.outcome, result.retry_after) == (outcome, wait)
    assert len(peer.asked) == 1


def test_a_server_that_is_not_there_was_sent_nothing(peer: Peer) -> None:
    port, peer.port = peer.port, 9
    assert _sent(peer, "ses").outcome is Outcome.TRY_LATER
    peer.port = port


@pytest.mark.parametrize("options", ["{}", '{"region": "eu-west-1"}', '{"access_key_id": "AKIA1"}'])
def test_an_account_without_region_or_keys_says_so(options: str) -> None:
    values = {"service": "amazon_ses", "options": options, "api_key": "s"}
    with pytest.raises(NotReadyError, match="access_key_id"):
        PROVIDERS["anymail"](1, values).check()


def test_without_amazons_library_the_account_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "anymail.backends.amazon_ses", raising=False)
    monkeypatch.setitem(sys.modules, "boto3", None)
    options = json.dumps({"region": "eu-west-1", "access_key_id": "AKIA1"})
    with pytest.raises(NotReadyError) as refused:
        PROVIDERS["anymail"](1, {"service": "amazon_ses", "options": options, "api_key": "s"}).check()
    assert str(refused.value) == MISSING


@pytest.fixture
def account() -> ProviderAccount:
    return make_provider(
        "email", kind="anymail", settings={"service": "amazon_ses"},
        secrets=sealing.seal({"webhook_secret": "user:pass"}),
    )  # fmt: skip


def _post(client: Client, account: ProviderAccount, sns: dict[str, Any], path: str = "email") -> int:
    headers = {
        **BASIC, "x-amz-sns-message-type": sns["Type"], "x-amz-sns-message-id": sns["MessageId"],
    }  # fmt: skip
    return client.post(
        f"/hooks/{path}/{account.pk}", json.dumps(sns), content_type="text/plain", headers=headers
    ).status_code


def _delivery(segue: str = "1.5") -> dict[str, Any]:
    return dict(json.loads(REPORTS["amazon_ses"]("delivered", segue, _now()).body))


def test_what_was_sent_is_known_again_when_it_is_reported(client: Client, account: ProviderAccount) -> None:
    now = clock.now()
    message = make_queued(
        make_contact(), now=now, state=6, due_at=None, accepted_at=now, provider_id=account.pk,
        provider_message_id="ses-1",
    )  # fmt: skip
    assert _post(client, account, _delivery("nothing")) == 200
    assert _post(client, account, _delivery(_segue(message))) == 200
    engagement.absorb(clock.now(), 10)
    message.refresh_from_db()
    assert message.delivered_at


@pytest.mark.parametrize(
    "change",
    [
        {"Message": "{}"}, {"MessageId": "other"}, {"TopicArn": "arn:other"}, {"Signature": "AAAA"},
        {"Signature": None}, {"SignatureVersion": "3"}, {"SigningCertURL": "https://evil.example/x.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem"},
        {"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/x.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem"},
        {"SigningCertURL": None}, {"Type": "Notification ", "SignatureVersion": "2"},
    ],
)  # fmt: skip
def test_a_notification_that_amazon_did_not_sign_so_is_refused(
    client: Client, account: ProviderAccount, change: dict[str, Any]
) -> None:
    assert _post(client, account, {**_delivery(), **change}) == 403
    assert not Hit.objects.exists()


def test_a_certificate_that_cannot_be_fetched_is_asked_for_again(
    client: Client, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_place: str) -> bytes:
        raise CertificateAwayError("no answer")

    monkeypatch.setattr(sns_signature, "fetch", away)
    assert _post(client, account, _delivery()) == 503


def _confirmation(**change: Any) -> dict[str, Any]:
    told = {
        "Type": "SubscriptionConfirmation", "MessageId": "c-1", "TopicArn": "arn:x", "Token": "abc",
        "Message": "You have chosen to subscribe", "SubscribeURL": CONFIRM,
        "Timestamp": "2026-03-10T12:00:00Z",
    }  # fmt: skip
    return {**amazon_signed({**told, **change.pop("before", {})}), **change}


@pytest.mark.parametrize("path", ["email", "email-in"])
def test_a_topic_is_confirmed_at_amazon_once_it_has_proven_itself(
    client: Client, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    called: list[str] = []

    def call(_self: Outgoing, _method: str, url: str, **_more: Any) -> Answer:
        called.append(url)
        return Answer(200, {}, b"")

    monkeypatch.setattr(Outgoing, "call", call)
    elsewhere = "https://evil.example/?Action=ConfirmSubscription&x"
    assert _post(client, account, _confirmation(SubscribeURL=elsewhere), path) == 403
    assert _post(client, account, _confirmation(before={"SubscribeURL": elsewhere}), path) == 200
    assert called == []
    assert _post(client, account, _confirmation(), path) == 200
    assert called == [CONFIRM]
