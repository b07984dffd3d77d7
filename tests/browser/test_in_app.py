"""In-app messages in a real browser: shown safely, dismissed by mouse and keyboard, told once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from channels import engagement
from channels.inapp import visitors
from channels.models import InAppMessage
from contacts import clock, ingest
from contacts.intake_keys import issue
from contacts.models import Contact, Event, Source, SourceKey
from tests.factories import make_provider, make_queued
from tests.granian import WebServer

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]

SHOP = "http://localhost:1"
"""Never connected to: the tests answer for it. A browser trusts this name as it does https."""
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
SLOT = (
    "<h1>Cups</h1><div id='top'></div><script>window.segue = [['slot', 'top', '#top', {most: 2}]];</script>"
)


class Shop:
    """A page with a place for messages, and the visitor who stands before it."""

    def __init__(self, page: Page, server: WebServer, source: Source) -> None:
        self.page, self.server, self.source = page, server, source
        self.key = issue(source, SourceKey.Scope.WRITE)[1]
        make_provider("inapp", kind="inapp")
        page.route(f"{SHOP}/**", self._answer)
        self.attributes = ""

    def _answer(self, route: Route) -> None:
        script = (
            f'<script src="{self.server.url}/sdk/segue.js" data-key="{self.key}" {self.attributes}></script>'
        )
        route.fulfill(
            body=f"<!doctype html><html lang='en'><title>Shop</title>{SLOT}{script}",
            content_type="text/html",
            headers={
                "Content-Security-Policy": f"style-src 'none'; script-src 'unsafe-inline' {self.server.url}"
            },
        )

    def visitor(self) -> Contact:
        """Who stands there, once their first page view has been taken in."""
        self.page.goto(SHOP)
        give_up = time.monotonic() + 30
        while not Contact.objects.exists() and time.monotonic() < give_up:
            ingest.take_in(clock.now(), limit=100)
            time.sleep(0.1)
        return Contact.objects.get()

    def message(self, contact: Contact, **values: Any) -> InAppMessage:
        now = clock.now()
        message = make_queued(
            contact, now=now, channel="inapp", address=str(contact.public_id), state=6, due_at=None
        )
        defaults: dict[str, Any] = {
            "slot": contact.slot, "contact": contact, "key": message.key, "message_id": message.id,
            "message_created_at": message.created_at, "account_id": 1, "created_at": now, "looked_at": now,
            "title": "Free delivery", "text": "This week only.", "place": "top", "button": "Look",
            "link": f"{SHOP}/new", "ends_at": now + timedelta(days=1),
        }  # fmt: skip
        return InAppMessage.objects.create(**{**defaults, **values})


@pytest.fixture
def shop(browser: Browser, web_server: WebServer) -> Iterator[Shop]:
    # A browser without a window says so, and would be taken for a scanner.
    context = browser.new_context(viewport={"width": 390, "height": 800}, user_agent=BROWSER)
    # A page that nobody served counts as a public one, which may not ask this machine without leave.
    context.grant_permissions(["local-network-access"])
    context.set_default_timeout(15_000)
    source = Source.objects.create(name="Shop", slug="shop", kind="web")
    opened = Shop(context.new_page(), web_server, source)
    web_server.expects(opened.key)
    yield opened
    context.close()


def until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < give_up
        engagement.absorb(clock.now(), 100)
        time.sleep(0.1)


def test_a_message_is_shown_as_words_and_gone_for_good_once_dismissed(shop: Shop) -> None:
    row = shop.message(shop.visitor(), text="<img src=x onerror=alert(1)>")
    shop.page.goto(SHOP)
    card = shop.page.get_by_role("region", name="Free delivery")

    expect(card).to_contain_text("<img src=x onerror=alert(1)>")
    assert card.locator("img").count() == 0
    assert card.evaluate("card => getComputedStyle(card).display") == "flex"

    card.get_by_role("button", name="Dismiss").click()
    expect(card).to_have_count(0)
    until(lambda: bool(InAppMessage.objects.get(key=row.key).dismissed_at))
    until(lambda: Event.objects.filter(name="Message Dismissed").exists())
    assert Event.objects.filter(name="Message Opened").count() == 1
    shop.page.reload()
    shop.page.wait_for_timeout(1_000)
    expect(card).to_have_count(0)


def test_a_keyboard_is_enough_and_the_page_is_told(shop: Shop) -> None:
    contact = shop.visitor()
    shop.message(contact, title="One", importance=90)
    shop.message(contact, title="Two")
    shop.message(contact, title="Three", importance=10)
    shop.page.goto(SHOP)
    cards = shop.page.get_by_role("region")
    expect(cards).to_have_count(2)
    shop.page.evaluate(
        "window.told = []; segue.on('message', (what) => told.push([what.kind, what.message.title]))"
    )

    shop.page.keyboard.press("Tab")
    assert shop.page.evaluate("document.activeElement.textContent") == "Look"
    shop.page.keyboard.press("Escape")

    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("Two")
    assert ["dismissed", "One"] in shop.page.evaluate("told")


def test_a_link_that_is_none_leads_nowhere(shop: Shop) -> None:
    shop.message(shop.visitor(), link="javascript:alert(1)", image="javascript:alert(2)")
    shop.page.goto(SHOP)
    card = shop.page.get_by_role("region", name="Free delivery")

    expect(card).to_be_visible()
    assert card.locator("a, img").count() == 0


def test_a_known_person_is_shown_theirs_once_the_sites_server_has_signed(shop: Shop) -> None:
    server_key = issue(shop.source, SourceKey.Scope.SERVER)[1]
    contact = shop.visitor()
    shop.message(contact)
    shop.page.evaluate("segue.identify('ada', {email: 'ada@example.com'})")

    def known() -> bool:
        ingest.take_in(clock.now(), limit=100)
        return Contact.objects.get().known

    until(known)
    shop.page.goto(SHOP)
    shop.page.wait_for_timeout(1_500)
    assert shop.page.get_by_role("region").count() == 0
    signature = visitors.sign(server_key, "ada", clock.now() + timedelta(hours=1))
    shop.page.evaluate("(signature) => segue.sign(signature)", signature)

    expect(shop.page.get_by_role("region", name="Free delivery")).to_be_visible()


def test_the_inbox_is_read_by_the_page_itself(shop: Shop) -> None:
    row = shop.message(shop.visitor(), place="")
    assert shop.page.evaluate("segue.inbox().then((box) => [box.unread, box.messages[0].title])") == [
        1,
        "Free delivery",
    ]

    shop.page.evaluate("(id) => segue.read(id)", str(row.key))

    assert shop.page.evaluate("segue.inbox().then((box) => box.unread)") == 0


def test_a_survey_is_answered_in_the_page_by_the_keyboard_alone(shop: Shop) -> None:
    visitor = shop.visitor()
    # What the server keeps of a survey that asks how likely one is to come back.
    survey = {
        "slug": "nps", "version": 1, "question": "Would you come back?", "comment": "Why?",
        "low": "no", "high": "yes", "thanks": "Thanks!",
        "choices": [{"value": number, "label": str(number)} for number in range(3)],
    }  # fmt: skip
    shop.message(visitor, survey=survey, link="")
    asked: list[dict[str, Any]] = []

    def heard(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or ""))
        route.fulfill(json={"taken": True}, headers={"Access-Control-Allow-Origin": "*"})

    shop.page.route("**/i/answers", heard)
    shop.page.goto(SHOP)
    card = shop.page.get_by_role("region", name="Free delivery")
    card.get_by_label("Why?").fill("Good cups")
    card.get_by_role("button", name="0", exact=True).focus()
    shop.page.keyboard.press("Enter")

    expect(card.get_by_role("status")).to_have_text("Thanks!")
    assert [(answer["value"], answer["text"]) for answer in asked] == [(0, "Good cups")]
