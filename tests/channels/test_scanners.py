"""A link scanner walks over a whole message: it finds out everything and changes nothing."""

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from channels import actors, delivery, engagement, starter, tracking_door
from channels.hits import NewHit, write
from channels.models import Message, Receipt, SandboxMessage
from contacts import clock
from contacts.models import ConsentEntry, Event, Suppression
from tests.factories import make_contact, make_queued

pytestmark = pytest.mark.django_db

PREFETCH = {"HTTP_SEC_PURPOSE": "prefetch", "HTTP_PURPOSE": "prefetch", "HTTP_X_MOZ": "prefetch"}


class _Keeper:
    def store(self, rows: list[NewHit]) -> None:
        write(rows)


def _links(kept: SandboxMessage) -> Iterator[str]:
    words = kept.html + kept.text + " ".join(map(str, kept.headers.values()))
    for address in set(re.findall(r"https?://[^\s\"'<>)]+", words)):
        if address.startswith(settings.SEGUE_BASE_URL):
            yield html.unescape(address)


def _fetch(client: Client, address: str, method: str, **headers: Any) -> int:
    path = urlsplit(address).path
    if path.startswith("/t/"):
        status: list[str] = []

        def start(line: str, _headers: Any, *_more: Any) -> Any:
            status.append(line)

        list(tracking_door.answer({"PATH_INFO": path, "REQUEST_METHOD": method, **headers}, start, _Keeper))
        return int(status[0][:3])
    return int(client.generic(method, path, **headers).status_code)


def _state() -> dict[str, Any]:
    return {
        "messages": list(Message.objects.order_by("id").values()),
        "consents": ConsentEntry.objects.count(),
        "suppressions": Suppression.objects.count(),
        "events": Event.objects.count(),
    }


def test_a_scanner_that_fetches_every_link_three_times_changes_nothing(client: Client) -> None:
    now = clock.now()
    starter.load(now)
    make_queued(make_contact(), now=now, content={"email": "cart-reminder-email"})
    delivery.deliver_batch(lambda: now)
    kept = SandboxMessage.objects.get()
    links = sorted(_links(kept))
    assert {urlsplit(link).path[:3] for link in links} == {"/t/", "/u/", "/p/", "/w/"}
    before = _state()
    for link in links * 3:
        for method, headers in (("GET", {}), ("HEAD", {}), ("GET", PREFETCH)):
            assert _fetch(client, link, method, HTTP_USER_AGENT="Scanner/1.0", **headers) in (200, 204, 302)
    engagement.absorb(clock.now() + actors.SETTLED, 1000)
    assert _state() == before
    assert Receipt.objects.exists()
    assert not Receipt.objects.filter(actor="human").exists()
