"""What Twilio and Vonage report, believed by proof, and the words that people send through them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from django.conf import settings
from django.test import Client

from channels import engagement, sealing
from channels.models import Hit, Message, ProviderAccount
from channels.providers import PROVIDERS
from channels.providers.base import NotReadyError
from contacts import clock, consent
from contacts.models import Event
from tests.contracts.http_peer import http_peer
from tests.factories import make_contact, make_provider, make_queued

pytestmark = pytest.mark.django_db
NUMBER = "+33612345678"


def _twilio() -> ProviderAccount:
    return make_provider("sms", kind="twilio", secrets=sealing.seal({"auth_token": "t0ken"}))


def _vonage() -> ProviderAccount:
    return make_provider(
        "sms", kind="vonage", settings={"api_key": "k1"}, secrets=sealing.seal({"signature_secret": "s" * 32})
    )


def to_twilio(client: Client, path: str, form: dict[str, str], token: str = "t0ken") -> int:
    text = settings.SEGUE_BASE_URL + path + "".join(f"{name}{form[name]}" for name in sorted(form))
    signature = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
    return client.post(
        path, urlencode(form), content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    ).status_code  # fmt: skip


def to_vonage(client: Client, path: str, told: Any, secret: str = "s" * 32, **claims: Any) -> int:
    body = json.dumps(told).encode()
    said = {"iat": int(clock.now().timestamp()), "api_key": "k1", "jti": "1",
            "payload_hash": hashlib.sha256(body).hexdigest(), **claims}  # fmt: skip
    token = jwt.encode(said, secret, algorithm="HS256")
    return client.post(
        path, body, content_type="application/json", headers={"Authorization": f"Bearer {token}"}
    ).status_code


def _sent(account: ProviderAccount, name: str) -> Message:
    return make_queued(
        make_contact(phone=NUMBER), state=Message.State.ACCEPTED, due_at=None, channel="sms", address=NUMBER,
        provider_id=account.pk, provider_message_id=name,
    )  # fmt: skip


def test_twilios_receipts_reach_the_timeline(client: Client) -> None:
    account = _twilio()
    message = _sent(account, "SM1")
    path = f"/hooks/sms/{account.pk}"
    for status in ("sent", "delivered", "delivered"):
        assert to_twilio(client, path, {"MessageSid": "SM1", "MessageStatus": status, "To": NUMBER}) == 200
    engagement.absorb(clock.now(), 10)
    message.refresh_from_db()
    assert message.delivered_at is not None
    assert Event.objects.filter(contact_id=message.contact_id, name="Message Delivered").count() == 1


@pytest.mark.parametrize(("code", "ended"), [("30005", True), ("30003", False)])
def test_an_unknown_handset_ends_the_number_and_one_switched_off_does_not(
    client: Client, code: str, ended: bool
) -> None:
    account = _twilio()
    _sent(account, "SM1")
    form = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": code}
    assert to_twilio(client, f"/hooks/sms/{account.pk}", form) == 200
    engagement.absorb(clock.now(), 10)
    assert bool(consent.suppressed({("sms", NUMBER)})) is ended


def test_vonages_receipts_reach_the_timeline(client: Client) -> None:
    account = _vonage()
    message = _sent(account, "u-1")
    path = f"/hooks/sms/{account.pk}"
    for status in ("submitted", "delivered", "delivered"):
        assert to_vonage(client, path, {"message_uuid": "u-1", "status": status}) == 200
    engagement.absorb(clock.now(), 10)
    message.refresh_from_db()
    assert message.delivered_at is not None
    bounce = {"message_uuid": "u-1", "status": "undeliverable", "error": {"title": "1320"}}
    assert to_vonage(client, path, bounce) == 200
    engagement.absorb(clock.now(), 10)
    assert consent.suppressed({("sms", NUMBER)})


def test_what_is_not_proven_is_refused(client: Client) -> None:
    account = _twilio()
    path = f"/hooks/sms/{account.pk}"
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    assert to_twilio(client, path, form, token="other") == 403
    assert client.post(path, form).status_code == 403
    ProviderAccount.objects.filter(pk=account.pk).update(secrets="")
    assert to_twilio(client, path, form, token="") == 403

    account = make_provider("sms", name="v", kind="vonage", settings={"api_key": "k1"},
                            secrets=sealing.seal({"signature_secret": "s" * 32}))  # fmt: skip
    path, told = f"/hooks/sms/{account.pk}", {"message_uuid": "u-1", "status": "delivered"}
    assert to_vonage(client, path, told, secret="x" * 32) == 403
    assert to_vonage(client, path, told, payload_hash="0" * 64) == 403
    assert to_vonage(client, path, told, iat=int(clock.now().timestamp()) - 400) == 403
    assert to_vonage(client, path, told, api_key="other") == 403
    none = jwt.encode({"iat": int(clock.now().timestamp()), "api_key": "k1"}, "", algorithm="none")
    answer = client.post(
        path, json.dumps(told), "application/json", headers={"Authorization": f"Bearer {none}"}
    )
    assert answer.status_code == 403
    ProviderAccount.objects.filter(pk=account.pk).update(secrets="")
    assert to_vonage(client, path, told) == 403
    assert not Hit.objects.exists()


@pytest.mark.parametrize("word", ["STOP", "Arrêt", "stopall", "désabonner"])
def test_stop_is_obeyed_in_english_and_french(client: Client, word: str) -> None:
    make_contact(phone=NUMBER)
    account = _twilio()
    path = f"/hooks/sms-in/{account.pk}"
    assert to_twilio(client, path, {"MessageSid": "SM9", "From": NUMBER, "Body": word}) == 200
    assert consent.suppressed({("sms", NUMBER)})
    assert to_twilio(client, path, {"MessageSid": "SM10", "From": NUMBER, "Body": "START"}) == 200
    assert not consent.suppressed({("sms", NUMBER)})
    # The same text once more is the same text.
    assert to_twilio(client, path, {"MessageSid": "SM9", "From": NUMBER, "Body": word}) == 200
    assert not consent.suppressed({("sms", NUMBER)})


def test_texts_over_vonage_are_heard_too(client: Client) -> None:
    make_contact(phone=NUMBER)
    account = _vonage()
    told = {"message_uuid": "in-1", "from": NUMBER[1:], "to": "33700", "text": "ARRET", "channel": "sms"}
    assert to_vonage(client, f"/hooks/sms-in/{account.pk}", told) == 200
    assert consent.suppressed({("sms", NUMBER)})
    assert to_vonage(client, f"/hooks/sms-in/{account.pk}", ["x"]) == 400


def test_checks_say_in_plain_words_what_is_wrong(settings: Any) -> None:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    with http_peer() as peer:
        peer.choose = lambda asked: "twilio_known"
        values = {"account_sid": "AC1", "auth_token": "t", "senders": "Shop", "api_url": peer.url("")[:-1]}
        assert "“Shop”" in PROVIDERS["twilio"](1, values).check()
        peer.choose = lambda asked: "key"
        with pytest.raises(NotReadyError, match="does not know this account"):
            PROVIDERS["twilio"](1, values).check()
        with pytest.raises(NotReadyError, match="no sender"):
            PROVIDERS["twilio"](1, {**values, "senders": ""}).check()
        told = {"api_key": "k", "api_secret": "s", "senders": "Shop", "api_url": peer.url("")[:-1]}
        with pytest.raises(NotReadyError, match="does not know this API key"):
            PROVIDERS["vonage"](1, told).check()
    with pytest.raises(NotReadyError, match="does not answer"):
        PROVIDERS["twilio"](1, values).check()
