"""Apps that take pushes: registered, renewed, ended; each push goes by the service that takes its token."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from channels import accounts, delivery, sealing
from channels.addresses import AddressError
from channels.models import Message
from channels.providers.base import Outcome
from contacts import clock, consent, intake_keys
from contacts.models import ChannelAddress, Contact, Identifier, Purpose, Source, SourceKey
from tests.contacts.api.caller import Caller
from tests.contracts.apple import Apple
from tests.contracts.http_peer import http_peer
from tests.contracts.test_providers import service_account
from tests.factories import NOON, make_contact, make_provider, make_queued, make_template

pytestmark = pytest.mark.django_db
TOKEN = "t0ken:" + "a" * 40


def _visitor() -> Contact:
    contact = make_contact()
    Identifier.objects.create(
        kind="anonymous", value="anon-1", contact=contact, slot=contact.slot, created_at=NOON
    )
    return contact


def _tell(client: Client, **device: Any) -> int:
    source, _new = Source.objects.get_or_create(slug="app", defaults={"name": "App"})
    key = intake_keys.issue(source, SourceKey.Scope.WRITE)[1]
    told = {"writeKey": key, "anonymousId": "anon-1", "purposes": ["offers"], "device": device}
    return client.post("/push/subscribe", json.dumps(told), content_type="text/plain").status_code


def test_an_app_registers_its_token_and_the_next_takes_its_place(client: Client) -> None:
    contact = _visitor()
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    assert _tell(client, platform="android", token=TOKEN) == 200
    assert _tell(client, platform="android", token=TOKEN + "b", former=TOKEN) == 200
    rows = dict(ChannelAddress.objects.filter(contact=contact).values_list("address", "active"))
    assert rows == {f"fcm:{TOKEN}": False, f"fcm:{TOKEN}b": True}
    assert consent.states([contact.id])[contact.id] == {("push", "offers"): True}


@pytest.mark.parametrize(
    "device",
    [
        {"platform": "fridge", "token": TOKEN}, {"platform": "android", "token": "short"},
        {"platform": "android", "token": "ا" * 30}, {"platform": "android", "token": "a" * 1600},
        {"platform": "ios", "token": None}, {"platform": "ios", "token": "a b" * 20}, {},
    ],
)  # fmt: skip
def test_what_is_no_token_is_refused(client: Client, device: dict[str, Any]) -> None:
    _visitor()
    assert _tell(client, **device) == 400
    assert not ChannelAddress.objects.exists()


def test_a_server_registers_lists_and_ends_devices() -> None:
    contact = make_contact()
    caller, path = Caller(), f"contacts/{contact.public_id}/devices"
    made = caller.post(path, {"platform": "ios", "token": "ab" * 32})
    assert (made.status_code, made.json()["platform"], made.json()["active"]) == (200, "ios", True)
    listed = caller.get(path).json()["items"]
    assert [one["token"] for one in listed] == ["ab" * 32]
    assert caller.post(path, {"platform": "ios", "token": "no"}).status_code == 400
    ended = caller.delete(path, {"platform": "ios", "token": "ab" * 32})
    assert ended.json() == {"ended": True}
    assert caller.get(path).json()["items"][0]["active"] is False


def test_each_push_goes_by_the_service_that_takes_its_token(settings: Settings) -> None:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    make_template(
        "hello", "push", body="Hello", link="https://shop.example/", image="https://x.example/i.png"
    )
    apple = Apple()
    apple.start()
    with http_peer() as peer:
        peer.choose = lambda asked: "token" if asked.path.endswith("token") else "fcm"
        make_provider("push", name="browsers", kind="webpush", position=1)
        make_provider(
            "push", name="firebase", kind="fcm", position=2, settings={"api_url": peer.url("f")},
            secrets=sealing.seal({"service_account": service_account(peer)}),
        )  # fmt: skip
        make_provider(
            "push", name="apple", kind="apns", position=3,
            settings={"team_id": "T", "key_id": "K", "topic": "com.example.shop", "host": apple.url},
            secrets=sealing.seal({"key": apple.key}),
        )  # fmt: skip
        gone = "b" * 64
        messages = [
            make_queued(make_contact(), channel="push", address=address, content={"push": "hello"})
            for address in (f"fcm:{TOKEN}", "apns:" + "a" * 64, f"apns:{gone}")
        ]
        ChannelAddress.objects.create(
            slot=messages[2].slot, contact=messages[2].contact, channel="push", address=f"apns:{gone}",
            created_at=NOON,
        )  # fmt: skip
        delivery.deliver_batch(lambda: NOON)
        sent = json.loads(peer.asked[-1].body)["message"]
    apple.stop()
    assert (sent["token"], sent["notification"]["body"]) == (TOKEN, "Hello")
    assert sent["notification"]["image"] == "https://x.example/i.png"
    assert sent["data"]["url"].startswith(f"{settings.SEGUE_BASE_URL}/t/c/")
    assert {one.token[0] for one in apple.pushed} == {"a", "b"}
    assert apple.connections == 1
    assert apple.pushed[0].headers["apns-topic"] == "com.example.shop"
    assert apple.pushed[0].body["aps"]["alert"]["body"] == "Hello"
    states = [Message.objects.get(id=one.id).state for one in messages]
    assert states == [Message.State.ACCEPTED, Message.State.ACCEPTED, Message.State.REJECTED]
    assert ChannelAddress.objects.get().active is False


def test_a_test_push_goes_to_ones_own_newest_device(settings: Settings) -> None:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    contact = make_contact(email="me@example.com")
    with http_peer() as peer:
        peer.choose = lambda asked: "token" if asked.path.endswith("token") else "fcm"
        account = make_provider(
            "push", kind="fcm", settings={"api_url": peer.url("f")},
            secrets=sealing.seal({"service_account": service_account(peer)}),
        )  # fmt: skip
        with pytest.raises(AddressError, match="no browser or app"):
            accounts.send_test(account, "me@example.com", clock.now())
        ChannelAddress.objects.create(
            slot=contact.slot, contact=contact, channel="push", address=f"fcm:{TOKEN}", created_at=NOON
        )
        assert accounts.send_test(account, "me@example.com", clock.now()).outcome is Outcome.ACCEPTED
        assert "Google takes the key" in accounts.check(account)
    with pytest.raises(AddressError, match="no contact"):
        accounts.send_test(account, "nobody@example.com", clock.now())
