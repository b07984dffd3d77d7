"""Services that are busy, silent or away: each provider over HTTP waits as asked and sends nothing twice."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from pytest_django import Settings

from channels import standard_webhooks
from channels.providers import PROVIDERS, apns
from channels.providers.base import Outcome, Parcel, Provider, Result
from channels.providers.outgoing import Outgoing
from channels.providers.webpush import new_private_key
from tests.contracts.apple import Apple
from tests.contracts.http_peer import Peer, http_peer
from tests.contracts.test_providers import KEYS, parcel, service_account
from tests.factories import NOON

pytestmark = pytest.mark.django_db
#: Of each kind: its channel, an address, and the settings with which it asks the peer.
Made = tuple[str, str, Callable[[Peer], dict[str, Any]]]
_NUMBER = "+33612345678"
SERVICES: dict[str, Made] = {
    "anymail": ("email", "ann@example.com", lambda peer: {
        "service": "postmark", "api_key": "k", "options": json.dumps({"api_url": peer.url("")})}),
    "audience_google": ("audience", "ab", lambda peer: {
        "api_url": peer.url("g"), "account_id": "1", "service_account": service_account(peer)}),
    "audience_http": ("audience", "ab", lambda peer: {"url": peer.url("x")}),
    "audience_meta": ("audience", "ab", lambda peer: {"api_url": peer.url("v25.0"), "token": "t"}),
    "fcm": ("push", "fcm:abc", lambda peer: {
        "api_url": peer.url("f"), "service_account": service_account(peer)}),
    "http_sms": ("sms", _NUMBER, lambda peer: {"url": peer.url("x")}),
    "twilio": ("sms", _NUMBER, lambda peer: {
        "api_url": peer.url("")[:-1], "account_sid": "AC1", "auth_token": "t", "senders": "Shop"}),
    "vonage": ("sms", _NUMBER, lambda peer: {
        "api_url": peer.url("")[:-1], "api_key": "k", "api_secret": "s", "senders": "Shop"}),
    "webhook": ("sms", _NUMBER, lambda peer: {
        "url": peer.url("x"), "secret": standard_webhooks.new_secret()}),
    "webpush": ("push", "{peer}/x", lambda _peer: {"private_key": new_private_key()}),
}  # fmt: skip
WAITS = {
    "busy": 120.0,
    "busy_date": 300.0,
    "busy_long": 315360000.0,
    "busy_negative": -5.0,
    "busy_silent": None,
}


@pytest.fixture
def peer(settings: Settings) -> Iterator[Peer]:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    with http_peer() as running:
        yield running


def _asked(peer: Peer, kind: str, mode: str, mark: Callable[..., Sequence[Parcel]] = list) -> Result:
    """What one message comes to while the service answers all in one way, but for its tokens."""
    peer.choose = lambda asked: "token" if asked.path.endswith("token") else mode
    channel, address, values = SERVICES[kind]
    provider = PROVIDERS[kind](1, values(peer))
    _hurry(provider)
    one = parcel(
        channel,
        address.replace("{peer}", peer.url("")[:-1]),
        keys=KEYS,
        audience="a",
        remote="1",
        action="add",
    )
    try:
        return provider.send([one], mark, NOON)[one.message_id]
    finally:
        provider.close()


def _hurry(provider: Provider) -> None:
    if hasattr(provider, "_outgoing"):
        provider._outgoing.close()
        provider._outgoing._seconds = 0.3
        provider._outgoing._timeout = Outgoing(0.3)._timeout


@pytest.mark.parametrize("mode", sorted(WAITS))
@pytest.mark.parametrize("kind", sorted(SERVICES))
def test_a_busy_service_is_asked_again_when_it_says(peer: Peer, kind: str, mode: str) -> None:
    result = _asked(peer, kind, mode)
    assert result.outcome is Outcome.TRY_LATER
    # Meta's limits last for minutes, whether or not it says how many.
    unsaid = 300.0 if kind == "audience_meta" else None
    assert result.retry_after == (WAITS[mode] if WAITS[mode] is not None else unsaid)


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [("120", 120.0), ("Tue, 10 Mar 2026 12:05:00 GMT", 300.0), ("", None), ("soon", None), ("-5", -5.0)],
)
@pytest.mark.parametrize("sign", ["c", "f"])
def test_apple_is_asked_again_when_it_says(
    settings: Settings, sign: str, wait: str, seconds: float | None
) -> None:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    apple = Apple(wait=wait)
    apple.start()
    provider = _apple(apple.key, apple.url)
    one = parcel("push", f"apns:{sign * 64}")
    result = provider.send([one], list, NOON)[one.message_id]
    provider.close()
    apple.stop()
    assert (result.outcome, result.retry_after) == (Outcome.TRY_LATER, seconds)


def _apple(key: str, url: str) -> Provider:
    values = {"team_id": "TEAM123456", "key_id": "KEY1234567", "key": key, "topic": "x.y", "host": url}
    return PROVIDERS["apns"](1, values)


@pytest.mark.parametrize("kind", sorted(set(SERVICES) - {"anymail"}))
def test_a_service_that_takes_it_and_falls_silent_may_have_sent_it(peer: Peer, kind: str) -> None:
    result = _asked(peer, kind, "silent")
    # The same person told twice to an audience does no harm.
    harmless = kind in ("audience_google", "audience_meta")
    assert result.outcome is (Outcome.TRY_LATER if harmless else Outcome.UNCERTAIN)
    assert len([one for one in peer.asked if not one.path.endswith("token")]) == 1


@pytest.mark.parametrize("kind", sorted(SERVICES))
def test_a_service_that_is_away_was_sent_nothing(peer: Peer, kind: str) -> None:
    peer_port = peer.port
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        peer.port = nobody.getsockname()[1]
        result = _asked(peer, kind, "ok")
    peer.port = peer_port
    assert result.outcome is Outcome.TRY_LATER
    assert peer.asked == []


@pytest.mark.parametrize("kind", ["audience_google", "fcm"])
@pytest.mark.parametrize("mode", sorted(WAITS))
def test_a_service_that_gives_no_token_now_is_asked_when_it_says(peer: Peer, kind: str, mode: str) -> None:
    channel, address, values = SERVICES[kind]
    provider = PROVIDERS[kind](1, values(peer))
    peer.choose = lambda _asked: mode
    one = parcel(channel, address, remote="1", action="add")
    result = provider.send([one], list, NOON)[one.message_id]
    provider.close()
    assert (result.outcome, result.retry_after) == (Outcome.TRY_LATER, WAITS[mode])


def test_apple_that_is_away_or_silent_is_told_apart(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    monkeypatch.setattr(apns, "READ_SECONDS", 0.3)
    key = Apple().key
    for backlog, outcome in ((None, Outcome.TRY_LATER), (5, Outcome.UNCERTAIN)):
        with closing(socket.socket()) as deaf:
            deaf.bind(("127.0.0.1", 0))
            if backlog:
                deaf.listen(backlog)
            provider = _apple(key, f"http://127.0.0.1:{deaf.getsockname()[1]}")
            one = parcel("push", "apns:" + "a" * 64)
            assert provider.send([one], list, NOON)[one.message_id].outcome is outcome
            provider.close()
