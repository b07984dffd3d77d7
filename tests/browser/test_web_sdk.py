"""The web SDK on a shop's page in a real browser, against the real server on another origin."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route

from channels import sealing
from channels.models import ProviderAccount
from channels.models.provider import Channel
from channels.providers.webpush import new_private_key
from config.web_sdk import PLACE, shorn
from contacts import clock, ingest, visits
from contacts.intake_keys import issue
from contacts.models import ChannelAddress, Event, Identifier, InboxItem, Source, SourceKey
from contacts.visits import Visit
from tests.granian import WebServer
from tests.waiting import eventually

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]

SHOP = "http://localhost:1"
"""Never connected to: the tests answer for it. A browser trusts this name as it does https."""
LONG = "<p style='height: 4000px'>A long story</p>"
PUSH_SERVICE = """
const subscription = {
  toJSON: () => ({endpoint: 'https://push.example/1', keys: {p256dh: 'abc', auth: 'def'}}),
};
const pushManager = {
  getSubscription: async () => null,
  subscribe: async ({applicationServerKey}) => {
    window.lastKey = applicationServerKey;
    return subscription;
  },
};
const registration = {pushManager};
const worker = {register: async () => registration, ready: Promise.resolve(registration)};
Object.defineProperty(navigator, 'serviceWorker', {value: worker});
Notification.requestPermission = async () => 'granted';
"""
Open = Callable[..., Page]


@pytest.fixture
def key() -> str:
    return issue(Source.objects.create(name="Shop", slug="shop"), SourceKey.Scope.WRITE)[1]


@pytest.fixture
def server(web_server: WebServer, key: str) -> WebServer:
    web_server.expects(key)
    return web_server


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(
        viewport={"width": 1000, "height": 800}, locale="fr-FR", timezone_id="Europe/Paris"
    )
    # A page that nobody served counts as a public one, which may not ask this machine without leave.
    opened.grant_permissions(["local-network-access"])
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


@pytest.fixture
def shop(context: BrowserContext, server: WebServer, key: str) -> Open:
    """Opens a page of the shop that carries the SDK; attributes go to its script element."""

    def opened(path: str = "/", body: str = LONG, before: str = "", **attributes: str) -> Page:
        data = " ".join(f'data-{name}="{value}"' for name, value in attributes.items())
        html = (
            f"<!doctype html><title>Shop</title>{body}<script>window.segue = []; {before}</script>"
            f'<script src="{server.url}/sdk/segue.js" data-key="{key}" {data}></script>'
        )

        def answer(route: Route) -> None:
            route.fulfill(body=html, content_type="text/html")

        context.route(f"{SHOP}/**", answer)
        page = context.new_page()
        page.goto(SHOP + path)
        return page

    return opened


def arrived(at_least: int) -> list[Event]:
    """The person's events in their order, once so many have been taken in."""
    give_up = time.monotonic() + 45
    while True:
        ingest.take_in(clock.now(), limit=1000)
        events = list(Event.objects.filter(source_id=Source.objects.get().pk).order_by("id"))
        if len(events) >= at_least or time.monotonic() > give_up:
            return events
        time.sleep(0.1)


def quiet(page: Page, seconds: float = 1.0) -> int:
    """Events that arrived although the page was given time to send them."""
    page.wait_for_timeout(seconds * 1000)
    ingest.take_in(clock.now(), limit=1000)
    source = Source.objects.get().pk
    return Event.objects.filter(source_id=source).count() + InboxItem.objects.filter(source_id=source).count()


def names(events: list[Event]) -> list[str]:
    return [event.name for event in events]


def test_the_file_stays_under_six_kilobytes() -> None:
    assert len(gzip.compress(shorn(PLACE.read_text()).encode(), 9)) < 6 * 1024


def test_a_visit_is_told_from_its_first_page_to_its_order(shop: Open) -> None:
    page = shop("/mango?utm=spring", before='segue.push(["track", "Early Bird", {"n": 1}]);')
    page.evaluate("segue.product({product_id: 'm1', price: 2.5})")
    page.evaluate("segue.identify('ada', {email: 'ada@example.com'})")
    page.evaluate("segue.track('Order Completed', {total: 2.5})")

    events = arrived(5)

    assert names(events) == ["Page Viewed", "Early Bird", "Product Viewed", "Identified", "Order Completed"]
    assert len({event.contact_id for event in events}) == 1
    assert events[0].properties["path"] == "/mango"
    assert events[2].properties == {"product_id": "m1", "price": 2.5}
    kinds = set(Identifier.objects.values_list("kind", "value"))
    assert {(Identifier.Kind.USER, "ada"), (Identifier.Kind.EMAIL, "ada@example.com")} <= kinds


def test_a_visitor_is_the_same_on_the_next_page_and_a_new_one_after_reset(shop: Open) -> None:
    first = shop().evaluate("segue.user().anonymousId")
    second = shop()

    assert second.evaluate("segue.user().anonymousId") == first

    second.evaluate("segue.reset()")

    assert second.evaluate("segue.user().anonymousId") != first


def test_nothing_is_kept_or_sent_before_a_required_consent(shop: Open, context: BrowserContext) -> None:
    page = shop(consent="required")
    page.evaluate("segue.track('Cart Viewed')")

    assert quiet(page) == 0
    assert context.cookies() == []
    assert page.evaluate("Object.keys(localStorage)") == []


def test_a_consent_sends_what_waited_for_it(shop: Open) -> None:
    page = shop(consent="required")
    page.evaluate("segue.track('Cart Viewed')")
    page.evaluate("segue.consent({tracking: true}, 'banner-3')")

    events = arrived(3)

    assert names(events) == ["Page Viewed", "Cart Viewed", "Consent Updated"]
    assert events[2].properties == {"tracking": True, "wording": "banner-3"}
    assert page.evaluate("localStorage.getItem('segue.anonymous')")


def test_a_choice_about_letters_is_told_though_measuring_is_refused(shop: Open) -> None:
    page = shop(consent="required")
    page.evaluate("segue.identify('ada'); segue.consent({newsletter: true})")
    page.evaluate("segue.consent({tracking: false})")

    events = arrived(2)

    assert [event.properties for event in events] == [{"newsletter": True}, {"tracking": False}]


def test_a_refusal_drops_what_waited_and_leaves_nothing_behind(shop: Open, context: BrowserContext) -> None:
    page = shop(consent="required")
    page.evaluate("segue.consent({tracking: false})")
    page.evaluate("segue.track('Cart Viewed')")

    assert quiet(page) == 0
    assert context.cookies() == []
    assert page.evaluate("Object.keys(localStorage)") == ["segue.consent"]


def test_a_withdrawal_is_told_for_the_visitor_that_was_known_and_then_forgotten(shop: Open) -> None:
    page = shop()
    known = page.evaluate("segue.user().anonymousId")
    arrived(1)
    page.evaluate("segue.consent({tracking: false})")
    page.evaluate("segue.track('Cart Viewed')")

    events = arrived(2)

    assert names(events) == ["Page Viewed", "Consent Updated"]
    assert events[0].contact_id == events[1].contact_id
    assert known not in str(page.evaluate("Object.entries(localStorage)"))


def test_the_browsers_privacy_signal_is_a_refusal_until_the_person_agrees_here(
    shop: Open, context: BrowserContext
) -> None:
    context.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    page = shop()

    assert quiet(page) == 0

    page.evaluate("segue.consent({tracking: true})")
    page.evaluate("segue.track('Cart Viewed')")

    assert names(arrived(2)) == ["Consent Updated", "Cart Viewed"]


def test_events_wait_for_a_server_that_is_away_and_arrive_once(shop: Open, server: WebServer) -> None:
    page = shop()
    arrived(1)
    server.kill()
    page.evaluate("segue.track('Cart Viewed')")
    page.wait_for_timeout(1500)
    server.start()

    # On a busy machine the start takes so long that the page counts as read meanwhile.
    assert eventually(lambda: "Cart Viewed" in names(arrived(1)), 45)
    assert [name for name in names(arrived(2)) if name != "Content Engaged"] == ["Page Viewed", "Cart Viewed"]
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('queue'))") == []


def test_what_a_closing_page_has_not_sent_goes_out_with_it(shop: Open) -> None:
    page = shop()
    arrived(1)
    page.evaluate("segue.track('Cart Viewed'); setTimeout(() => (location.href = '/next'))")

    assert names(arrived(2))[:2] == ["Page Viewed", "Cart Viewed"]


def test_what_a_page_left_behind_is_sent_by_a_later_one(shop: Open, server: WebServer) -> None:
    page = shop()
    arrived(1)
    page.evaluate(
        "localStorage.setItem('segue.queue.old', JSON.stringify({at: Date.now() - 60000, queue: ["
        "{type: 'track', event: 'Left Behind', anonymousId: segue.user().anonymousId, messageId: 'm-1'}]}))"
    )
    shop("/next")

    assert "Left Behind" in names(arrived(3))


def test_reading_is_told_in_active_seconds_and_the_furthest_quarter(
    context: BrowserContext, shop: Open
) -> None:
    page = reading(shop)
    page.evaluate("scrollTo(0, 1400)")
    page.clock.run_for(16_000)

    heartbeat = engaged(page)

    assert heartbeat["seconds"] == 15
    assert heartbeat["depth"] == 50
    assert heartbeat["path"] == "/story"


def test_somebody_who_went_away_is_not_reading(shop: Open) -> None:
    page = reading(shop)
    page.clock.run_for(120_000)
    page.evaluate("segue.flush()")
    page.clock.resume()
    arrived(3)

    seconds = sum(event.properties["seconds"] for event in arrived(3) if event.name == "Content Engaged")

    assert 25 <= seconds <= 30


def test_what_is_read_names_the_message_that_brought_the_visit(shop: Open) -> None:
    token = visits.signer().sign(Visit(7, "email", "cart-left", "remind"), clock.now())
    page = shop(f"/story?size=l&segue_m={token}")

    event = arrived(1)[0]

    named = {"message": 7, "channel": "email", "journey": "cart-left", "step": "remind"}
    assert event.context
    assert event.context["campaign"] == named
    assert page.url == f"{SHOP}/story?size=l"
    page.evaluate("segue.track('Content Engaged', {path: '/story', seconds: 3})")
    assert arrived(2)[1].properties == {"path": "/story", "seconds": 3, **named}


def test_a_token_that_nobody_here_signed_names_no_message(shop: Open) -> None:
    shop("/story?segue_m=token-7")

    context = arrived(1)[0].context

    assert context
    assert context["campaign"] == {}


def test_a_browser_that_agrees_to_pushes_becomes_an_address(shop: Open, context: BrowserContext) -> None:
    values = {"private_key": new_private_key()}
    account = ProviderAccount(name="Push", channel=Channel.PUSH, kind="webpush", active=True)
    account.secrets = sealing.seal(values)
    account.save()
    # The push service of a browser's maker is out of reach here, so the browser's own answer is stood in for.
    context.grant_permissions(["notifications", "local-network-access"])
    context.add_init_script(PUSH_SERVICE)
    page = shop()
    arrived(1)

    assert page.evaluate("segue.subscribe()") is True

    address = ChannelAddress.objects.get()
    assert address.address == "https://push.example/1"
    assert address.data == {"keys": {"p256dh": "abc", "auth": "def"}}
    assert address.contact_id == arrived(1)[0].contact_id
    assert page.evaluate("lastKey.length") == 65


def test_a_page_that_moves_without_loading_is_another_page(shop: Open) -> None:
    page = shop("/one", spa="on")
    page.evaluate("history.pushState({}, '', '/two')")

    assert [event.properties["path"] for event in arrived(2)] == ["/one", "/two"]


def reading(shop: Open) -> Page:
    page = shop("/story")
    arrived(1)
    page.clock.install()
    page.goto(SHOP + "/story")
    page.mouse.move(10, 10)
    return page


def engaged(page: Page) -> dict[str, Any]:
    page.clock.resume()
    found = [event.properties for event in arrived(3) if event.name == "Content Engaged"]
    assert found
    properties: dict[str, Any] = found[0]
    return properties
