"""What every provider promises, asked of each against a real peer on loopback."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_django import Settings

from channels.models import InAppMessage, SandboxMessage
from channels.providers import PROVIDERS
from channels.providers.base import NotReadyError, Outcome, Parcel, Provider, Words
from channels.providers.http_sms import HttpSms
from channels.providers.webpush import new_private_key
from channels.rendering_mail import Mail
from tests.contracts.http_peer import Peer, http_peer
from tests.contracts.smtp_sink import Sink, smtp_sink
from tests.factories import NOON, make_contact, make_provider

pytestmark = pytest.mark.django_db

_BROWSER = ec.generate_private_key(ec.SECP256R1())
_AUTH = os.urandom(16)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


_POINT = _BROWSER.public_key().public_bytes(
    serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
)
KEYS = {"p256dh": _text(_POINT), "auth": _text(_AUTH)}


def parcel(channel: str, address: str, **extra: Any) -> Parcel:
    key = uuid.uuid4()
    content: Mail | Words = Words("Hello", "Title", "https://shop.example/")
    if channel == "email":
        content = Mail(
            address, "shop@example.org", "Shop", "Hi", "Hello", "<p>Hello</p>", f"<{key}@x.org>", NOON
        )
    return Parcel(key.int >> 70, NOON, key, channel, address, content, extra)


@dataclass
class Stage:
    """A provider with peers to talk to; ``address(what)`` is one at which ``what`` happens."""

    provider: Provider
    channel: str
    address: Callable[[str], str]
    taken: Callable[[], int]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with smtp_sink() as running:
        yield running


@pytest.fixture
def peer(settings: Settings) -> Iterator[Peer]:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    with http_peer() as running:
        yield running


@pytest.fixture(params=sorted(PROVIDERS))
def stage(request: pytest.FixtureRequest, sink: Sink, peer: Peer) -> Iterator[Stage]:
    made = _STAGES[request.param](sink, peer)
    yield made
    made.provider.close()


def _smtp(sink: Sink, _peer: Peer) -> Stage:
    values = {"host": "127.0.0.1", "port": sink.port, "security": "none", "timeout": 1}
    modes = {"taken": "ok", "refused": "perm", "later": "temp", "unclear": "dropack"}
    return Stage(
        PROVIDERS["smtp"](1, values),
        "email",
        lambda what: f"{modes[what]}@example.com",
        lambda: len(sink.mails),
    )


def _sandbox(_sink: Sink, _peer: Peer) -> Stage:
    account = make_provider("sms")
    return Stage(
        PROVIDERS["sandbox"](account.id, {}),
        "sms",
        lambda _what: "+33612345678",
        SandboxMessage.objects.count,
    )


def _http_sms(_sink: Sink, peer: Peer) -> Stage:
    class Routed(HttpSms):
        """The address chooses the peer's answer."""

        def value(self, name: str) -> str:
            return self.target if name == "url" else super().value(name)

        def _send(self, parcel: Parcel, now: Any) -> Any:
            self.target = parcel.address
            return super()._send(parcel, now)

    modes = {"taken": "ok", "refused": "bad", "later": "busy", "unclear": "reset"}
    return Stage(
        Routed(1, {"timeout": 1}), "sms", lambda what: peer.url(modes[what]), lambda: _count(peer, "/ok")
    )


def _webpush(_sink: Sink, peer: Peer) -> Stage:
    modes = {"taken": "created", "refused": "gone", "later": "busy", "unclear": "reset"}
    return Stage(
        PROVIDERS["webpush"](1, {"private_key": new_private_key()}), "push",
        lambda what: peer.url(modes[what]), lambda: _count(peer, "/created"),
    )  # fmt: skip


def _anymail(_sink: Sink, _peer: Peer) -> Stage:
    provider = PROVIDERS["anymail"](1, {"service": "test"})
    return Stage(provider, "email", lambda _what: "ok@example.com", lambda: 1)


def _audience_csv(_sink: Sink, _peer: Peer) -> Stage:
    folder = Path(tempfile.mkdtemp())
    file = folder / "cart.csv"

    def taken() -> int:
        return len(file.read_text().splitlines()) - 1 if file.exists() else 0

    provider = PROVIDERS["audience_csv"](1, {"folder": str(folder)})
    return Stage(provider, "audience", lambda _what: uuid.uuid4().hex, taken)


def _audience_http(_sink: Sink, peer: Peer) -> Stage:
    provider = PROVIDERS["audience_http"](1, {"url": peer.url("ok")})

    def taken() -> int:
        return sum(len(json.loads(asked.body)["add"]) for asked in peer.asked)

    return Stage(provider, "audience", lambda _what: uuid.uuid4().hex, taken)


def _inapp(_sink: Sink, _peer: Peer) -> Stage:
    return Stage(
        PROVIDERS["inapp"](1, {}),
        "inapp",
        lambda _what: str(make_contact().public_id),
        InAppMessage.objects.count,
    )


_STAGES = {
    "inapp": _inapp, "audience_csv": _audience_csv, "audience_http": _audience_http,
    "smtp": _smtp, "sandbox": _sandbox, "http_sms": _http_sms, "webpush": _webpush, "anymail": _anymail,
}  # fmt: skip


def _count(peer: Peer, path: str) -> int:
    return sum(asked.path == path for asked in peer.asked)


def _parcel(stage: Stage, what: str) -> Parcel:
    return parcel(stage.channel, stage.address(what), keys=KEYS, audience="cart", action="add")


def _all(parcels: Sequence[Parcel]) -> Sequence[Parcel]:
    return parcels


def test_a_good_message_is_accepted(stage: Stage) -> None:
    one = _parcel(stage, "taken")
    result = stage.provider.send([one], _all, NOON)[one.message_id]
    assert result.outcome is Outcome.ACCEPTED
    assert stage.taken() == 1


def test_the_mark_is_asked_before_anything_is_sent_and_heeded(stage: Stage) -> None:
    mine, lost = _parcel(stage, "taken"), _parcel(stage, "taken")
    seen: list[int] = []

    def mark(parcels: Sequence[Parcel]) -> Sequence[Parcel]:
        if stage.provider.kind != "anymail":
            assert stage.taken() == 0
        seen.extend(one.message_id for one in parcels)
        return [one for one in parcels if one is mine]

    answers = stage.provider.send([mine, lost], mark, NOON)
    assert set(seen) == {mine.message_id, lost.message_id}
    assert set(answers) == {mine.message_id}
    assert stage.taken() == 1


# The others have no peer whose answer depends on the address.
@pytest.mark.parametrize("stage", ["http_sms", "smtp", "webpush"], indirect=True)
@pytest.mark.parametrize(
    ("what", "outcome"),
    [("refused", Outcome.REFUSED), ("later", Outcome.TRY_LATER), ("unclear", Outcome.UNCERTAIN)],
)
def test_each_fault_has_its_word_and_leaves_the_neighbours_alone(
    stage: Stage, what: str, outcome: Outcome
) -> None:
    before, broken, after = (_parcel(stage, one) for one in ("taken", what, "taken"))
    answers = stage.provider.send([before, broken, after], _all, NOON)
    assert [answers[one.message_id].outcome for one in (before, broken, after)] == [
        Outcome.ACCEPTED,
        outcome,
        Outcome.ACCEPTED,
    ]


def test_every_provider_says_what_it_must_know(stage: Stage) -> None:
    provider = type(stage.provider)
    assert provider.label
    assert provider.channels
    assert len({setting.name for setting in provider.settings}) == len(provider.settings)


def test_a_provider_without_its_settings_says_so_and_sends_nothing() -> None:
    for kind, provider in PROVIDERS.items():
        if any(setting.required for setting in provider.settings):
            with pytest.raises((NotReadyError, ValueError)):
                provider(1, {}).check()
        assert kind == provider.kind


@pytest.mark.parametrize(
    ("mode", "seconds"),
    [
        ("busy", 120.0),
        ("busy_date", 300.0),
        ("busy_long", 315360000.0),
        ("busy_negative", -5.0),
        ("busy_silent", None),
    ],
)
def test_a_gateway_says_when_to_come_back(peer: Peer, mode: str, seconds: float | None) -> None:
    provider = PROVIDERS["http_sms"](1, {"url": peer.url(mode)})
    one = parcel("sms", "+33612345678")
    result = provider.send([one], _all, NOON)[one.message_id]
    assert result.outcome is Outcome.TRY_LATER
    assert result.retry_after == seconds


@pytest.mark.parametrize(
    ("mode", "keyed", "outcome"),
    [
        ("broken", "no", Outcome.UNCERTAIN), ("broken", "yes", Outcome.TRY_LATER),
        ("silent", "no", Outcome.UNCERTAIN), ("silent", "yes", Outcome.TRY_LATER),
        ("away", "no", Outcome.TRY_LATER), ("key", "no", Outcome.TRY_LATER),
        ("moved", "no", Outcome.TRY_LATER), ("bad", "no", Outcome.REFUSED),
    ],
)  # fmt: skip
def test_a_gateway_that_may_have_acted_leaves_the_message_uncertain(
    peer: Peer, mode: str, keyed: str, outcome: Outcome
) -> None:
    provider = PROVIDERS["http_sms"](1, {"url": peer.url(mode), "honours_key": keyed, "timeout": 0.5})
    one = parcel("sms", "+33612345678")
    assert provider.send([one], _all, NOON)[one.message_id].outcome is outcome
    assert len(peer.asked) == 1


def test_a_text_message_cannot_break_out_of_the_gateways_json(peer: Peer) -> None:
    values = {"url": peer.url("ok"), "sender": 'A"B', "token": "t", "id_field": "messages.0.id"}
    provider = PROVIDERS["http_sms"](1, values)
    one = Parcel(1, NOON, uuid.uuid4(), "sms", "+33612345678", Words('say "hi"\\ {key}\n'))
    result = provider.send([one], _all, NOON)[1]
    assert result.provider_message_id == "7"
    sent = json.loads(peer.asked[0].body)
    assert sent["text"] == 'say "hi"\\ {key}\n'
    assert sent["from"] == 'A"B'
    assert peer.asked[0].headers["idempotency-key"] == one.key.hex
    assert peer.asked[0].headers["authorization"] == "Bearer t"


def test_a_push_is_readable_by_its_browser_alone(peer: Peer) -> None:
    provider = PROVIDERS["webpush"](1, {"private_key": new_private_key(), "contact": "mailto:a@example.org"})
    one = parcel("push", peer.url("created"), keys=KEYS)
    assert provider.send([one], _all, NOON)[one.message_id].outcome is Outcome.ACCEPTED
    (asked,) = peer.asked
    assert asked.headers["authorization"].startswith("vapid t=")
    assert b"Hello" not in asked.body
    words = json.loads(
        http_ece.decrypt(asked.body, private_key=_BROWSER, auth_secret=_AUTH, version="aes128gcm")
    )
    assert (words["title"], words["body"], words["url"]) == ("Title", "Hello", "https://shop.example/")


@pytest.mark.parametrize("mode", ["gone", "missing"])
def test_an_ended_subscription_ends_the_address(peer: Peer, mode: str) -> None:
    provider = PROVIDERS["webpush"](1, {"private_key": new_private_key()})
    one = parcel("push", peer.url(mode), keys=KEYS)
    result = provider.send([one], _all, NOON)[one.message_id]
    assert (result.outcome, result.address_ended) == (Outcome.REFUSED, True)


@pytest.mark.parametrize("extra", [{}, {"keys": {}}, {"keys": {"p256dh": "x", "auth": "y"}}, {"keys": "no"}])
def test_a_subscription_with_bad_keys_fails_alone(peer: Peer, extra: dict[str, Any]) -> None:
    provider = PROVIDERS["webpush"](1, {"private_key": new_private_key()})
    bad, good = parcel("push", peer.url("created"), **extra), parcel("push", peer.url("created"), keys=KEYS)
    answers = provider.send([bad, good], _all, NOON)
    assert answers[bad.message_id].outcome is Outcome.REFUSED
    assert answers[good.message_id].outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/ok", "http://localhost:{port}/ok", "http://[::1]:{port}/ok", "http://0:{port}/ok",
        "http://2130706433:{port}/ok", "http://0x7f000001:{port}/ok", "http://0177.0.0.1:{port}/ok",
        "http://[::ffff:127.0.0.1]:{port}/ok", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data",
        "http://[64:ff9b::7f00:1]/", "http://a@127.0.0.1:{port}/ok", "file:///etc/passwd", "gopher://127.0.0.1/",
        "http://127.0.0.1:{port}\\@example.com/", "//127.0.0.1:{port}/ok", "http://", "http://[", "http://a:b/",
    ],
)  # fmt: skip
def test_nothing_inside_is_called_unless_the_operator_names_it(
    peer: Peer, settings: Settings, url: str
) -> None:
    settings.SEGUE_LOCAL_HOSTS = []
    provider = PROVIDERS["http_sms"](1, {"url": url.replace("{port}", str(peer.port))})
    one = parcel("sms", "+33612345678")
    assert provider.send([one], _all, NOON)[one.message_id].outcome is Outcome.TRY_LATER
    push = PROVIDERS["webpush"](1, {"private_key": new_private_key()})
    other = parcel("push", url.replace("{port}", str(peer.port)), keys=KEYS)
    assert push.send([other], _all, NOON)[other.message_id].outcome in (Outcome.REFUSED, Outcome.TRY_LATER)
    assert peer.asked == []
