"""One event all the way round: in by HTTP, out by SMTP, back as an open and a click, into the report."""

from __future__ import annotations

import email
import email.policy
import hashlib
import io
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as Handler
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from analytics import rollup
from channels import actors, deciding, delivery, engagement, links, rendering, tracking_door
from channels.models import Message, ProviderAccount, Receipt, Template, TemplateVersion, TrackedLink
from config.wsgi import application
from contacts import clock, consent, ingest, segments, starter_purposes
from contacts.consent import NewConsent
from contacts.models import Contact, Event, Identifier, Segment, Source, SourceKey
from journeys import engine, publishing, triggers
from journeys.models import Journey, Run
from tests.faults.stage import free_port
from tests.promises import assert_promises_hold

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "one-event-key"
AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.4 Safari/605.1.15"
JOURNEY: dict[str, Any] = {
    "name": "Cart left",
    "trigger": {"event": "Product Added"},
    "goal": {"event": "Order Completed", "value": "total", "window": "14 days"},
    "start": "email",
    "steps": {
        "email": {
            "type": "send", "channels": ["email"], "content": {"email": "cart"}, "purpose": "offers",
            "next": "opened",
        },
        "opened": {
            "type": "wait_for", "event": "Message Opened", "timeout": "48 hours", "next": "rest",
            "on_timeout": "second",
        },
        "second": {
            "type": "send", "channels": ["email"], "content": {"email": "cart"}, "purpose": "offers",
            "next": "rest",
        },
        "rest": {"type": "wait", "for": "7 days"},
    },
}  # fmt: skip


class Mailbox(Handler):
    """What the mail server got, parsed by Python's own parser."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[EmailMessage] = []

    def prepare_message(self, session: Any, envelope: Any) -> Any:
        self.mails.append(email.message_from_bytes(envelope.original_content, policy=email.policy.default))
        return self.mails[-1]

    def handle_message(self, message: Any) -> None:
        """Kept above already."""


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    handler = Mailbox()
    port = free_port()
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    ProviderAccount.objects.create(
        name="Mail", channel="email", kind="smtp",
        settings={
            "host": "127.0.0.1", "port": str(port), "security": "none", "from_email": "shop@example.com",
        },
    )  # fmt: skip
    yield handler
    server.stop()


def http(method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str]]:
    """One request through the web server's entrance; returns status and headers."""
    raw = json.dumps(body).encode() if body is not None else b""
    seen: dict[str, Any] = {}

    def start(status: str, answer: list[tuple[str, str]], _error: Any = None) -> None:
        seen.update(status=int(status.split(maxsplit=1)[0]), headers=dict(answer))

    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "wsgi.input": io.BytesIO(raw),
        "CONTENT_LENGTH": str(len(raw)), "REMOTE_ADDR": "127.0.0.1", "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80", "wsgi.url_scheme": "http", "HTTP_USER_AGENT": AGENT, **headers,
    }  # fmt: skip
    b"".join(application(environ, start))
    return seen["status"], seen["headers"]


def call(path: str, body: dict[str, Any]) -> int:
    return http("POST", path, body, HTTP_AUTHORIZATION="Basic " + b64encode(f"{KEY}:".encode()).decode())[0]


def turn(now: datetime) -> None:
    """Each pulse once, in the order in which they wake one another."""
    ingest.take_in(now)
    segments.ensure_current(now)
    segments.follow(now)
    triggers.follow(now)
    engine.advance(now)
    deciding.decide_batch(now)
    delivery.deliver_batch(lambda: now)
    rollup.follow(now)


@pytest.fixture
def stage(mailbox: Mailbox) -> Mailbox:
    """A source, a template, a segment, a live journey, and Alice, who may be written to."""
    links.forget()
    now = clock.now() - timedelta(minutes=10)
    source = Source.objects.create(name="Shop", slug="shop")
    SourceKey.objects.create(source=source, prefix=KEY[:6], digest=hashlib.sha256(KEY.encode()).hexdigest())
    starter_purposes.load()
    template = Template.objects.create(name="Cart", slug="cart", channel="email")
    version = TemplateVersion.objects.create(
        template=template, number=1, language="en", subject="Your {{ event.name | default: 'cart' }}",
        body='<html><body><p>Hello {{ contact.first_name | default: "you" }}</p>'
        '<a href="https://shop.example.com/cart">Back to it</a></body></html>',
    )  # fmt: skip
    rendering.publish(version, now)
    Segment.objects.create(name="Carts", slug="carts", rule={"event": "Product Added", "count": {"gte": 1}})
    journey = Journey.objects.create(name="Cart left", slug="cart-left", draft=JOURNEY)
    publishing.publish(journey, None, now)
    call("/v1/identify", {"userId": "alice", "traits": {"email": "Alice@Example.com", "first_name": "Alice"}})
    turn(now)
    alice = Contact.objects.get()
    consent.record(
        [NewConsent(alice.pk, "email", purpose, True, "test") for purpose in ("offers", "tracking")], now
    )
    return mailbox


def alice() -> Contact:
    return Identifier.objects.get(kind="user", value="alice").contact


def paths(mail: EmailMessage) -> tuple[str, str]:
    """(pixel, link) of a mail."""
    body = mail.get_body(("html",))
    assert body is not None
    html = str(body.get_content())
    pixel = re.search(r'src="([^"]+/t/o/[^"]+)"', html)
    link = re.search(r'href="([^"]+/t/c/[^"]+)"', html)
    assert pixel
    assert link
    return urlsplit(pixel[1]).path, urlsplit(link[1]).path


def add_to_cart() -> datetime:
    assert (
        call("/v1/track", {"userId": "alice", "event": "Product Added", "properties": {"name": "Tea"}}) == 200
    )
    # The loop turns a minute ago, so that what people do with the mail comes a minute after it was sent.
    now = clock.now() - timedelta(minutes=1)
    turn(now)
    return now


def engage(mail: EmailMessage) -> str:
    """Open and click as a person; returns where the click leads."""
    pixel, link = paths(mail)
    status, _headers = http("GET", pixel)
    assert status == 200
    status, headers = http("GET", link)
    assert status in (302, 303)
    tracking_door.settle()
    assert engagement.absorb(clock.now() + actors.SETTLED) == 2
    return headers["Location"]


def test_a_cart_becomes_a_real_mail_for_the_person(stage: Mailbox) -> None:
    add_to_cart()
    (mail,) = stage.mails
    assert (mail["To"], mail["Subject"]) == ("alice@example.com", "Your Tea")
    assert "Hello Alice" in str(mail)
    assert_promises_hold(clock.now())


def test_the_mail_can_be_left_by_one_click(stage: Mailbox) -> None:
    add_to_cart()
    (mail,) = stage.mails
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = urlsplit(str(mail["List-Unsubscribe"]).strip("<>")).path
    assert Client().post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not consent.allowed([(alice().pk, "email", "offers")])


def test_an_open_and_a_click_come_back_into_the_log(stage: Mailbox) -> None:
    add_to_cart()
    assert engage(stage.mails[0]) == "https://shop.example.com/cart"
    assert set(Receipt.objects.values_list("kind", "actor")) == {("opened", "human"), ("clicked", "human")}
    names = set(Event.objects.filter(contact_id=alice().pk).values_list("name", flat=True))
    assert {"Product Added", "Segment Entered", "Journey Entered", "Message Sent"} <= names
    assert {"Message Opened", "Message Clicked"} <= names


def test_an_open_moves_the_run_that_waited_for_it(stage: Mailbox) -> None:
    add_to_cart()
    engage(stage.mails[0])
    turn(clock.now())
    assert Run.objects.get().step == "rest"


def test_without_an_open_the_second_mail_goes_after_48_hours(stage: Mailbox) -> None:
    now = add_to_cart()
    for hours in (47, 49, 72, 96):
        turn(now + timedelta(hours=hours))
        assert len(stage.mails) == (1 if hours < 48 else len(stage.mails))
    assert len(stage.mails) == 2


def test_an_order_ends_the_journey_at_once(stage: Mailbox) -> None:
    add_to_cart()
    call("/v1/track", {"userId": "alice", "event": "Order Completed", "properties": {"total": 20}})
    turn(clock.now())
    assert Run.objects.get().state == Run.State.CONVERTED
    assert not Message.objects.filter(due_at__isnull=False).exists()


def test_the_report_shows_what_happened(stage: Mailbox, client: Client) -> None:
    add_to_cart()
    engage(stage.mails[0])
    call("/v1/track", {"userId": "alice", "event": "Order Completed", "properties": {"total": 20}})
    turn(clock.now())
    client.force_login(User.objects.create_superuser("manager", password="a long enough one"))
    answer = client.get(reverse("admin:analytics_engagement"))
    counts = answer.context["report"].total.counts
    assert {key: counts[key] for key in ("sent", "opened", "clicked", "converted")} == dict.fromkeys(
        ("sent", "opened", "clicked", "converted"), 1
    )
    assert answer.context["report"].total.amounts["converted"] == 20


def test_the_contact_page_tells_the_story(stage: Mailbox, client: Client) -> None:
    add_to_cart()
    engage(stage.mails[0])
    client.force_login(User.objects.create_superuser("marketer", password="a long enough one"))
    page = client.get(reverse("admin:contacts_contact_change", args=[alice().pk])).content.decode()
    for words in ("Product Added", "Cart left", "Email", "opened", "clicked"):
        assert words.lower() in page.lower()


def test_no_signed_page_of_a_person_is_kept_as_a_tracked_link(stage: Mailbox) -> None:
    add_to_cart()
    assert list(TrackedLink.objects.values_list("url", flat=True)) == ["https://shop.example.com/cart"]
