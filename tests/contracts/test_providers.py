"""What every provider promises, asked of each against a real peer on loopback."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pytest_django import Settings

from channels import standard_webhooks
from channels.models import Audience, CallTask, InAppMessage, SandboxMessage
from channels.providers import PROVIDERS
from channels.providers.anymail import SERVICES
from channels.providers.base import NotReadyError, Outcome, Parcel, Provider, Words
from channels.providers.http_sms import HttpSms
from channels.providers.webpush import new_private_key
from channels.rendering_mail import Mail
from tests.contracts.apple import Apple
from tests.contracts.http_peer import Asked, Peer, http_peer
from tests.contracts.smsc import smsc
from tests.contracts.smtp_sink import Sink, smtp_sink
from tests.factories import NOON, make_contact, make_provider

pytestmark = pytest.mark.django_db

_RSA = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    .decode()
)
BROWSER = ec.generate_private_key(ec.SECP256R1())
AUTH = os.urandom(16)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


_POINT = BROWSER.public_key().public_bytes(
    serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
)
KEYS = {"p256dh": _text(_POINT), "auth": _text(AUTH)}


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
    end: Callable[[], None] = lambda: None


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
    made.end()


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


NUMBERS = {
    "taken": "+33612345678",
    "refused": "+33612345671",
    "later": "+33612345672",
    "unclear": "+33612345673",
}


def _webhook(_sink: Sink, peer: Peer) -> Stage:
    modes = {"taken": "ok", "refused": "bad", "later": "busy", "unclear": "reset"}

    def choose(asked: Asked) -> str:
        to = json.loads(asked.body)["data"]["to"]
        return next(modes[what] for what, number in NUMBERS.items() if number == to)

    peer.choose = choose
    provider = PROVIDERS["webhook"](1, {"url": peer.url("mine"), "secret": standard_webhooks.new_secret()})
    return Stage(provider, "sms", NUMBERS.__getitem__, lambda: _count_mode(peer, "ok"))


def _by_number(peer: Peer, kind: str, values: dict[str, Any], answers: dict[str, str]) -> Stage:
    def choose(asked: Asked) -> str:
        what = next(what for what, number in NUMBERS.items() if number[1:].encode() in asked.body)
        return answers[what]

    peer.choose = choose
    return Stage(
        PROVIDERS[kind](1, {"api_url": peer.url("")[:-1], "senders": "Shop", **values}), "sms",
        NUMBERS.__getitem__,
        lambda: sum(asked.mode == answers["taken"] for asked in peer.asked),
    )  # fmt: skip


def _twilio(_sink: Sink, peer: Peer) -> Stage:
    modes = {"taken": "twilio", "refused": "twilio_bad", "later": "twilio_full", "unclear": "reset"}
    return _by_number(peer, "twilio", {"account_sid": "AC1", "auth_token": "t"}, modes)


def _vonage(_sink: Sink, peer: Peer) -> Stage:
    modes = {"taken": "vonage", "refused": "vonage_bad", "later": "busy", "unclear": "broken"}
    return _by_number(peer, "vonage", {"api_key": "k", "api_secret": "s"}, modes)


def _smpp(_sink: Sink, _peer: Peer) -> Stage:
    held = ExitStack()
    gateway = held.enter_context(smsc())
    gateway.answers = {
        NUMBERS["refused"][1:]: 0x0B, NUMBERS["later"][1:]: 0x58, NUMBERS["unclear"][1:]: "silent",
    }  # fmt: skip
    provider = PROVIDERS["smpp"](1, {
        "host": "127.0.0.1", "port": gateway.port, "tls": "no", "system_id": "segue", "password": "canary77",
        "senders": "Shop", "timeout": "0.5",
    })  # fmt: skip
    return Stage(provider, "sms", NUMBERS.__getitem__, lambda: len(gateway.sent), held.close)


def _webpush(_sink: Sink, peer: Peer) -> Stage:
    modes = {"taken": "created", "refused": "gone", "later": "busy", "unclear": "reset"}
    return Stage(
        PROVIDERS["webpush"](1, {"private_key": new_private_key()}), "push",
        lambda what: peer.url(modes[what]), lambda: _count(peer, "/created"),
    )  # fmt: skip


def _anymail(_sink: Sink, peer: Peer) -> Stage:
    modes = {"taken": "postmark", "refused": "postmark_bad", "later": "busy", "unclear": "reset"}

    def choose(asked: Asked) -> str:
        told = json.loads(asked.body)
        return "postmark_batch" if isinstance(told, list) else modes[told["To"].partition("@")[0]]

    def taken() -> int:
        batches = [json.loads(asked.body) for asked in peer.asked if asked.mode == "postmark_batch"]
        return _count_mode(peer, "postmark") + sum(map(len, batches))

    peer.choose = choose
    options = json.dumps({"api_url": peer.url("")})
    provider = PROVIDERS["anymail"](1, {"service": "postmark", "options": options, "api_key": "k"})
    return Stage(provider, "email", lambda what: f"{what}@example.com", taken)


def _audience_csv(_sink: Sink, _peer: Peer) -> Stage:
    folder = Path(tempfile.mkdtemp())
    file = folder / "cart.csv"

    def taken() -> int:
        return len(file.read_text().splitlines()) - 1 if file.exists() else 0

    provider = PROVIDERS["audience_csv"](1, {"folder": str(folder)})
    return Stage(provider, "audience", lambda _what: uuid.uuid4().hex, taken)


def _audience_meta(_sink: Sink, peer: Peer) -> Stage:
    peer.choose = lambda _asked: "ok"
    provider = PROVIDERS["audience_meta"](1, {"api_url": peer.url("v25.0"), "token": "t"})

    def taken() -> int:
        return sum(len(json.loads(asked.body)["payload"]["data"]) for asked in peer.asked)

    return Stage(provider, "audience", lambda _what: uuid.uuid4().hex, taken)


def _audience_google(_sink: Sink, peer: Peer) -> Stage:
    peer.choose = lambda asked: "token" if asked.path.endswith("token") else "ok"
    provider = PROVIDERS["audience_google"](
        1, {"api_url": peer.url("g"), "account_id": "1", "service_account": service_account(peer)}
    )

    def taken() -> int:
        told = [json.loads(asked.body) for asked in peer.asked if asked.path.startswith("/g/")]
        return sum(len(one["audienceMembers"]) for one in told)

    return Stage(provider, "audience", lambda _what: uuid.uuid4().hex, taken)


def service_account(peer: Peer) -> str:
    """A key file of Google's whose tokens the peer hands out."""
    return json.dumps({
        "client_email": "segue@shop.example", "private_key": _RSA, "token_uri": peer.url("token"),
        "project_id": "shop-1",
    })  # fmt: skip


def _fcm(_sink: Sink, peer: Peer) -> Stage:
    tokens = {"taken": "fcm", "refused": "fcm_gone", "later": "away", "unclear": "reset"}

    def choose(asked: Asked) -> str:
        if asked.path.endswith("token"):
            return "token"
        return str(json.loads(asked.body)["message"]["token"])

    peer.choose = choose
    provider = PROVIDERS["fcm"](1, {"api_url": peer.url("f"), "service_account": service_account(peer)})
    return Stage(provider, "push", lambda what: f"fcm:{tokens[what]}", lambda: _count_mode(peer, "fcm"))


def _apns(_sink: Sink, _peer: Peer) -> Stage:
    apple = Apple()
    apple.start()
    provider = PROVIDERS["apns"](1, {
        "team_id": "TEAM123456", "key_id": "KEY1234567", "key": apple.key, "topic": "com.example.shop",
        "host": apple.url,
    })  # fmt: skip
    signs = {"taken": "a", "refused": "b", "later": "c", "unclear": "d"}
    return Stage(
        provider, "push", lambda what: f"apns:{signs[what] * 64}", lambda: apple.count("a" * 64), apple.stop
    )


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"amazon_ses", "test"}))
def test_every_email_service_is_asked_to_send(peer: Peer, service: str) -> None:
    peer.choose = lambda _asked: "created"
    own = {
        "mailjet": {"api_key": "k"},
        "scaleway": {"project_id": "p"},
        "mailgun": {"sender_domain": "x.example"},
    }
    options = json.dumps({"api_url": peer.url(""), **own.get(service, {})})
    provider = PROVIDERS["anymail"](1, {"service": service, "options": options, "api_key": "s3cret"})
    assert "takes the key" in provider.check()
    peer.asked.clear()
    one = parcel("email", "ann@example.com")
    result = provider.send([one], _all, NOON)[one.message_id]
    provider.close()
    (asked,) = peer.asked
    whole = asked.body + repr(asked.headers).encode()
    assert b"ann@example.com" in whole or b"ann%40example.com" in whole
    # These hand nothing back but their own number.
    assert b"segue" in asked.body or service in ("mailersend", "postal")
    assert result.outcome in (Outcome.ACCEPTED, Outcome.UNCERTAIN)


@pytest.mark.parametrize(("service", "path"), [("postmark", "/email/batch"), ("resend", "/emails/batch")])
def test_whole_mails_go_together_where_the_service_takes_them(peer: Peer, service: str, path: str) -> None:
    peer.choose = lambda asked: f"{service}_batch"
    options = json.dumps({"api_url": peer.url("")})
    provider = PROVIDERS["anymail"](1, {"service": service, "options": options, "api_key": "k"})
    parcels = [parcel("email", f"{name}@example.com") for name in ("ann", "dead")]
    answers = provider.send(parcels, _all, NOON)
    provider.close()
    (asked,) = peer.asked
    assert asked.path == path
    assert len(json.loads(asked.body)) == 2
    outcomes = [answers[one.message_id].outcome for one in parcels]
    refused = Outcome.REFUSED if service == "postmark" else Outcome.ACCEPTED
    assert outcomes == [Outcome.ACCEPTED, refused]


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [("reset", Outcome.UNCERTAIN), ("broken", Outcome.UNCERTAIN), ("busy", Outcome.TRY_LATER),
     ("ok", Outcome.UNCERTAIN), ("key", Outcome.TRY_LATER), ("away", Outcome.TRY_LATER)],
)  # fmt: skip
def test_a_batch_that_fails_fails_in_the_right_word(peer: Peer, mode: str, outcome: Outcome) -> None:
    peer.choose = lambda asked: mode
    options = json.dumps({"api_url": peer.url("")})
    provider = PROVIDERS["anymail"](1, {"service": "postmark", "options": options, "api_key": "k"})
    parcels = [parcel("email", f"{name}@example.com") for name in ("ann", "bob")]
    answers = provider.send(parcels, _all, NOON)
    provider.close()
    assert {one.outcome for one in answers.values()} == {outcome}
    assert len(peer.asked) == 1


def _count_mode(peer: Peer, mode: str) -> int:
    return sum(asked.mode == mode for asked in peer.asked)


def _call_list(_sink: Sink, _peer: Peer) -> Stage:
    account = make_provider("audience", kind="call_list")
    Audience.objects.create(name="Cart", slug="cart", provider=account)
    provider = PROVIDERS["call_list"](account.pk, {})
    return Stage(provider, "audience", lambda _what: uuid.uuid4().hex, CallTask.objects.count)


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
    "audience_meta": _audience_meta, "audience_google": _audience_google, "fcm": _fcm, "apns": _apns,
    "call_list": _call_list, "webhook": _webhook, "twilio": _twilio, "vonage": _vonage,
    "inapp": _inapp, "audience_csv": _audience_csv, "audience_http": _audience_http,
    "smpp": _smpp, "smtp": _smtp, "sandbox": _sandbox, "http_sms": _http_sms, "webpush": _webpush,
    "anymail": _anymail,
}  # fmt: skip


def _count(peer: Peer, path: str) -> int:
    return sum(asked.path == path for asked in peer.asked)


def _parcel(stage: Stage, what: str) -> Parcel:
    more: dict[str, Any] = {"keys": KEYS, "audience": "cart", "action": "add", "remote": "1"}
    if stage.provider.kind == "call_list":
        more["contact"] = make_contact().pk
    return parcel(stage.channel, stage.address(what), **more)


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
        assert stage.taken() == 0
        seen.extend(one.message_id for one in parcels)
        return [one for one in parcels if one is mine]

    answers = stage.provider.send([mine, lost], mark, NOON)
    assert set(seen) == {mine.message_id, lost.message_id}
    assert set(answers) == {mine.message_id}
    assert stage.taken() == 1


# The others have no peer whose answer depends on the address.
@pytest.mark.parametrize(
    "stage",
    ["apns", "fcm", "http_sms", "smpp", "smtp", "twilio", "vonage", "webhook", "webpush"],
    indirect=True,
)
@pytest.mark.parametrize(
    ("what", "outcome"),
    [("refused", Outcome.REFUSED), ("later", Outcome.TRY_LATER), ("unclear", Outcome.UNCERTAIN)],
)
def test_each_fault_has_its_word_and_leaves_the_neighbours_alone(
    stage: Stage, what: str, outcome: Outcome
) -> None:
    before, broken, after = (_parcel(stage, one) for one in ("taken", what, "taken"))
    answers = stage.provider.send([before, broken, after], _all, NOON)
    assert [answers[one.message_id].outcome for one in (before, broken)] == [Outcome.ACCEPTED, outcome]
    # Who said when to come back is not called before that by the neighbours either.
    last, asked_to_wait = answers[after.message_id], answers[broken.message_id].retry_after
    assert last.begun == (not asked_to_wait)
    assert last.outcome is (Outcome.TRY_LATER if asked_to_wait else Outcome.ACCEPTED)


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
        http_ece.decrypt(asked.body, private_key=BROWSER, auth_secret=AUTH, version="aes128gcm")
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
