"""Each channel from the queue to a peer of its protocol, and what the peer says back to the timeline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import http_ece
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from channels import (
    accounts,
    actors,
    audience_sync,
    audiences,
    call_outcomes,
    calls,
    charter,
    delivery,
    engagement,
    hits,
    links,
    mailbox,
    sealing,
    smpp_inbox,
    tracking_door,
)
from channels.models import Audience, CallTask, Message, ProviderAccount
from channels.providers.webpush import new_private_key
from contacts import clock, consent
from contacts.consent import NewConsent
from contacts.models import ChannelAddress, Contact, Event, Purpose
from tests.channels import mail_hooks, test_mailbox, test_own_webhook, test_returned_mail, test_sms_hooks
from tests.contracts import test_providers
from tests.contracts.apple import Apple
from tests.contracts.http_peer import Peer, http_peer
from tests.contracts.smsc import receipt, smsc
from tests.contracts.smtp_sink import Sink, smtp_sink
from tests.factories import make_contact, make_provider, make_queued, make_template

pytestmark = pytest.mark.django_db
NUMBER = "+33612345678"
LINK = "https://shop.example/sale"
_BROWSER_LINK = re.compile(rb"https?://[^\"<> ]+/t/c/[A-Za-z0-9_.-]+")


@dataclass
class Stage:
    """A person with a message in the queue, and the peers to which it may go."""

    client: Client
    peer: Peer
    sink: Sink
    ann: Contact = field(
        default_factory=lambda: make_contact(email="ann@example.com", phone=NUMBER, language="en")
    )

    def deliver(self, channel: str, address: str) -> Message:
        make_template("hello", channel, link=LINK if channel != "email" else "", **_body(channel))
        message = make_queued(
            self.ann, now=clock.now() - timedelta(minutes=5), channel=channel, address=address,
            content={channel: "hello"},
        )  # fmt: skip
        # A few minutes ago: who clicks in the second of sending is taken for a machine.
        delivery.deliver_batch(lambda: clock.now() - timedelta(minutes=4))
        message.refresh_from_db()
        assert message.state == Message.State.ACCEPTED
        return message

    def click(self, link: str) -> None:
        """Follow a tracked link as a browser does."""
        kept: list[hits.NewHit] = []

        class Keeper:
            def store(self, rows: list[Any]) -> None:
                kept.extend(rows)

        environ = {
            "PATH_INFO": "/" + link.split("/", 3)[3], "REQUEST_METHOD": "GET", "REMOTE_ADDR": "192.0.2.9",
            "HTTP_USER_AGENT": mail_hooks.AGENT,
        }  # fmt: skip
        b"".join(tracking_door.answer(environ, lambda *_said: lambda _data: None, Keeper))
        hits.write(kept)


def _body(channel: str) -> dict[str, str]:
    return {"body": f'<p>Hello</p><a href="{LINK}">Sale</a>'} if channel == "email" else {"body": "Hello"}


@pytest.fixture
def stage(client: Client, settings: Settings) -> Iterator[Stage]:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    links.forget()
    with http_peer() as peer, smtp_sink() as sink:
        made = Stage(client, peer, sink)
        # Whatever hour it is.
        open_hours = charter.draft({"caps": [], "quiet_hours": [], "laws": []})
        charter.publish(open_hours, clock.now() - timedelta(hours=1))
        consent.record(
            [NewConsent(made.ann.pk, channel, "tracking", True, "test") for channel in ("email", "push")],
            clock.now() - timedelta(hours=1),
        )
        yield made


def _smtp(stage: Stage) -> str:
    make_provider(
        "email", kind="smtp",
        settings={"host": "127.0.0.1", "port": str(stage.sink.port), "security": "none"},
    )  # fmt: skip
    stage.deliver("email", "ann@example.com")
    (mail,) = stage.sink.mails
    name = re.search(rb"(?im)^message-id: *(<[^>]+>)", mail.data)
    assert name
    report = test_returned_mail.dsn("delivered", "2.0.0").replace(test_returned_mail.NAME.encode(), name[1])
    with test_mailbox.serving(test_mailbox.Pop, [report]) as port:
        ProviderAccount.objects.filter(name="email sandbox").update(
            settings={
                "mailbox_host": "127.0.0.1", "mailbox_port": str(port), "mailbox_protocol": "pop-plain",
            },
            secrets=sealing.seal({"mailbox_password": "canary-77"}),
        )  # fmt: skip
        assert mailbox.poll(clock.now()) == 1
    return "Message Delivered"


def _anymail(stage: Stage) -> str:
    stage.peer.choose = lambda _asked: "postmark"
    account = make_provider(
        "email", kind="anymail",
        settings={"service": "postmark", "options": json.dumps({"api_url": stage.peer.url("")})},
        secrets=sealing.seal({"api_key": "k", "webhook_secret": "user:pass"}),
    )  # fmt: skip
    stage.deliver("email", "ann@example.com")
    metadata = json.loads(stage.peer.asked[0].body)["Metadata"]["segue"]
    report = mail_hooks.REPORTS["postmark"]("delivered", metadata, int(clock.now().timestamp()))
    answer = stage.client.post(
        f"/hooks/email/{account.pk}", report.body, content_type=report.content_type, headers=report.headers
    )
    assert answer.status_code == 200
    return "Message Delivered"


def _twilio(stage: Stage) -> str:
    stage.peer.choose = lambda _asked: "twilio"
    account = make_provider(
        "sms", kind="twilio",
        settings={"account_sid": "AC1", "senders": "Shop", "api_url": stage.peer.url("")[:-1]},
        secrets=sealing.seal({"auth_token": "t0ken"}),
    )  # fmt: skip
    stage.deliver("sms", NUMBER)
    form = {"MessageSid": "SM0123", "MessageStatus": "delivered", "To": NUMBER}
    assert test_sms_hooks.to_twilio(stage.client, f"/hooks/sms/{account.pk}", form) == 200
    return "Message Delivered"


def _vonage(stage: Stage) -> str:
    stage.peer.choose = lambda _asked: "vonage"
    account = make_provider(
        "sms", kind="vonage",
        settings={"api_key": "k1", "senders": "Shop", "api_url": stage.peer.url("")[:-1]},
        secrets=sealing.seal({"api_secret": "s", "signature_secret": "s" * 32}),
    )  # fmt: skip
    stage.deliver("sms", NUMBER)
    told = {"message_uuid": "aaaa-1", "status": "delivered", "to": NUMBER}
    assert test_sms_hooks.to_vonage(stage.client, f"/hooks/sms/{account.pk}", told) == 200
    return "Message Delivered"


def _http_sms(stage: Stage) -> str:
    account = make_provider(
        "sms", kind="http_sms", settings={"url": stage.peer.url("ok"), "sender": "Shop"},
        secrets=sealing.seal({"receipt_secret": "r3ceipt"}),
    )  # fmt: skip
    stage.deliver("sms", NUMBER)
    body, stamp = json.dumps({"id": "abc-1", "status": "delivered"}).encode(), int(clock.now().timestamp())
    signature = mail_hooks.signed_hex("r3ceipt", b"%d." % stamp + body)
    answer = stage.client.post(
        f"/hooks/sms/{account.pk}", body, content_type="application/json",
        headers={"X-Segue-Signature": f"t={stamp},v1={signature}"},
    )  # fmt: skip
    assert answer.status_code == 200
    return "Message Delivered"


def _smpp(stage: Stage) -> str:
    with smsc() as gateway:
        make_provider(
            "sms", kind="smpp",
            settings={"host": "127.0.0.1", "port": str(gateway.port), "tls": "no", "system_id": "segue",
                      "senders": "Shop"},
            secrets=sealing.seal({"password": "canary77"}),
        )  # fmt: skip
        message = stage.deliver("sms", NUMBER)
        gateway.kept = [receipt(message.provider_message_id, "DELIVRD")]
        assert smpp_inbox.poll(clock.now()) == 1
    return "Message Delivered"


def _webpush(stage: Stage) -> str:
    make_provider("push", kind="webpush", secrets=sealing.seal({"private_key": new_private_key()}))
    stage.peer.choose = lambda _asked: "created"
    address = stage.peer.url("created")
    ChannelAddress.objects.create(
        slot=stage.ann.slot, contact=stage.ann, channel="push", address=address,
        data={"keys": test_providers.KEYS}, created_at=clock.now(),
    )  # fmt: skip
    stage.deliver("push", address)
    shown = json.loads(
        http_ece.decrypt(
            stage.peer.asked[0].body, private_key=test_providers.BROWSER, auth_secret=test_providers.AUTH,
            version="aes128gcm",
        )
    )  # fmt: skip
    stage.click(shown["url"])
    return "Message Clicked"


def _fcm(stage: Stage) -> str:
    stage.peer.choose = lambda asked: "token" if asked.path.endswith("token") else "fcm"
    make_provider(
        "push", kind="fcm", settings={"api_url": stage.peer.url("f")},
        secrets=sealing.seal({"service_account": test_providers.service_account(stage.peer)}),
    )  # fmt: skip
    stage.deliver("push", "fcm:" + "t" * 40)
    stage.click(json.loads(stage.peer.asked[-1].body)["message"]["data"]["url"])
    return "Message Clicked"


def _apns(stage: Stage) -> str:
    apple = Apple()
    apple.start()
    make_provider(
        "push", kind="apns",
        settings={"team_id": "T", "key_id": "K", "topic": "com.example.shop", "host": apple.url},
        secrets=sealing.seal({"key": apple.key}),
    )  # fmt: skip
    stage.deliver("push", "apns:" + "a" * 64)
    apple.stop()
    (link,) = _BROWSER_LINK.findall(json.dumps(apple.pushed[0].body).encode())
    stage.click(link.decode())
    return "Message Clicked"


def _webhook(stage: Stage) -> str:
    account = make_provider("sms", kind="webhook", settings={"url": stage.peer.url("ok")})
    accounts.prepare(account)
    account.save()
    stage.deliver("sms", NUMBER)
    assert test_own_webhook.post(stage.client, account, {"id": "abc-1", "status": "delivered"}) == 200
    return "Message Delivered"


def _call_list(stage: Stage) -> str:
    account = make_provider("audience", kind="call_list")
    purpose = Purpose.objects.create(slug="phone-calls", name="Phone calls")
    Audience.objects.create(name="Win back", slug="win-back", provider=account, purpose=purpose)
    consent.record([NewConsent(stage.ann.pk, "sms", "phone-calls", True, "test")], clock.now())
    audiences.add([stage.ann.pk], "win-back", "journey", clock.now())
    audience_sync.sync(clock.now())
    task, agent = CallTask.objects.get(), User.objects.create_user("agent")
    calls.take(task.pk, agent.pk, clock.now())
    reached: call_outcomes.Outcome = next(
        one for one in calls.rules_of(task).outcomes if one.name == "reached"
    )
    calls.end(task, reached, "", agent.pk, clock.now())
    return "Call Ended"


@pytest.mark.parametrize(
    "walk",
    [_smtp, _anymail, _twilio, _vonage, _http_sms, _smpp, _webpush, _fcm, _apns, _webhook, _call_list],
    ids=lambda walk: walk.__name__.strip("_"),
)
def test_what_a_peer_took_and_what_it_said_stand_on_the_timeline(
    stage: Stage, walk: Callable[[Stage], str], admin_client: Client
) -> None:
    name = walk(stage)
    engagement.absorb(clock.now() + actors.SETTLED)
    assert Event.objects.filter(contact_id=stage.ann.pk, name=name).count() == 1
    page = admin_client.get(reverse("admin:contacts_contact_change", args=[stage.ann.pk])).content.decode()
    assert {"Message Delivered": "delivered", "Message Clicked": "clicked", "Call Ended": "Call Ended"}[
        name
    ] in page
