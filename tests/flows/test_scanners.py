"""A real mail, and a scanner that opens everything in it: nothing may change but the raw hits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from channels import deciding, delivery, engagement, hits, outbox, starter, tracking_door
from channels.hits import NewHit
from channels.lifecycle import State
from channels.models import Hit, Message, SandboxMessage
from contacts import clock, consent
from contacts.consent import NewConsent
from contacts.models import ConsentEntry, Event, Purpose
from tests.factories import make_contact, make_intent
from tests.promises import assert_promises_hold

pytestmark = pytest.mark.django_db

SCANNER = "Mozilla/5.0 (compatible; BarracudaCentral link scanner)"
LOOKS: list[tuple[str, dict[str, str]]] = [
    ("GET", {}),
    ("HEAD", {}),
    ("GET", {"purpose": "prefetch"}),
    ("GET", {"sec-purpose": "prefetch;prerender"}),
    ("GET", {"x-moz": "prefetch"}),
]


class Store:
    """Writes hits at once, in the test's own transaction."""

    def store(self, rows: list[NewHit]) -> None:
        hits.write(rows)


def sent_mail() -> SandboxMessage:
    """A mail from a starter template, decided, delivered into the sandbox."""
    now = clock.now()
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    starter.load(now)
    contact = make_contact(email="alice@example.com", first_name="Alice", now=now)
    consent.record([NewConsent(contact.id, "email", "*", True, "test")], now)
    outbox.intend([make_intent(contact, content={"email": "cart-reminder-email"})], now)
    deciding.decide_batch(now)
    delivery.deliver_batch(lambda: now)
    return SandboxMessage.objects.get()


def links(mail: SandboxMessage) -> set[str]:
    """Every address of ours in the mail: body, text and headers."""
    everything = f"{mail.html} {mail.text} {mail.headers}".replace("&amp;", "&")
    found = set(re.findall(re.escape(settings.SEGUE_BASE_URL) + r"[^\s\"'<>)\]]+", everything))
    return {urlsplit(link).path for link in found}


def look(path: str, method: str, headers: dict[str, str]) -> int:
    """Fetch as the web server would route it; returns the status."""
    if not path.startswith("/t/"):
        return int(Client().generic(method, path, headers={"user-agent": SCANNER, **headers}).status_code)
    seen: list[str] = []

    def start(status: str, _headers: list[tuple[str, str]], *_rest: Any) -> Any:
        seen.append(status)

    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "HTTP_USER_AGENT": SCANNER}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    body: Iterable[bytes] = tracking_door.answer(environ, start, Store)
    assert b"".join(body) is not None
    return int(seen[0][:3])


def test_opening_every_link_changes_nothing() -> None:
    mail = sent_mail()
    paths = links(mail)
    assert {path[:3] for path in paths} >= {"/u/", "/p/", "/t/"}
    before = ConsentEntry.objects.count()
    for path in paths:
        for method, headers in LOOKS:
            for _again in range(3):
                assert look(path, method, headers) < 400, path
    engagement.absorb(clock.now() + timedelta(minutes=1), 10_000)
    message = Message.objects.get()
    assert ConsentEntry.objects.count() == before
    assert State(message.state) is State.ACCEPTED
    assert (message.opened_at, message.clicked_at) == (None, None)
    names = set(Event.objects.values_list("name", flat=True))
    assert names.isdisjoint(
        {"Message Opened", "Message Clicked", "Message Unsubscribed", "Consent Withdrawn"}
    )
    assert not Hit.objects.exists()
    assert_promises_hold(clock.now())


def test_the_mails_own_header_unsubscribes_with_one_post() -> None:
    mail = sent_mail()
    address = mail.headers["List-Unsubscribe"].strip("<>")
    response = Client().post(urlsplit(address).path, {"List-Unsubscribe": "One-Click"})
    assert response.status_code == 200
    event = Event.objects.get(name="Message Unsubscribed")
    assert event.properties["message"] == Message.objects.get().id
    assert_promises_hold(clock.now())
