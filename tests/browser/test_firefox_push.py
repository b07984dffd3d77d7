"""A push to a real Firefox: subscribed by the SDK, delivered, shown, followed, ended by its push service."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_django import Settings

from channels import accounts, delivery, engagement
from channels.models import Message
from config import timeline
from contacts import clock, ingest
from contacts.intake_keys import issue
from contacts.models import ChannelAddress, Contact, Event, Source, SourceKey
from tests.browser.firefox import Firefox, firefox, installed_firefox
from tests.browser.push_service import PushService, push_service
from tests.factories import make_provider, make_queued, make_template
from tests.granian import WebServer

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]
OUR_OWN = {"SEGUE_LOCAL_HOSTS": "127.0.0.1"}

#: In the place of the desktop, which a browser without a window has not: it keeps what would be shown, and
#: presses what it is told.
DESKTOP = """
const shown = (Services.segueShown = []);
const service = {
  showAlert(alert, listener) {
    shown.push({ alert, listener });
    listener.observe(null, "alertshow", alert.cookie);
  },
  closeAlert() {},
  QueryInterface: ChromeUtils.generateQI(["nsIAlertsService", "nsIAlertsDoNotDisturb"]),
};
const id = Services.uuid.generateUUID();
const registrar = Components.manager.QueryInterface(Ci.nsIComponentRegistrar);
const factory = {
  createInstance: (iid) => service.QueryInterface(iid),
  QueryInterface: ChromeUtils.generateQI(["nsIFactory"]),
};
registrar.registerFactory(id, "desktop", "@mozilla.org/alerts-service;1", factory);
"""


STANDING = """
const registration = await navigator.serviceWorker.ready;
const shown = await registration.getNotifications();
return shown.map(({ title, body, icon, actions }) => {
  return { title, body, icon, actions: actions.map((one) => one.title) };
});
"""


@pytest.fixture(scope="module")
def browser_path() -> str:
    found = installed_firefox()
    if found is None:
        reason = "Firefox is missing: apt-get install firefox-esr"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture
def service() -> Iterator[PushService]:
    with push_service() as running:
        yield running


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer(**OUR_OWN) as running:
        yield running


@pytest.fixture
def shop(server: WebServer) -> Iterator[str]:
    """A shop on a site of its own, with a copy of the worker as the server hands it out; its address."""
    key = issue(Source.objects.create(name="Shop", slug="shop"), SourceKey.Scope.WRITE)[1]
    asked = HTTPConnection("127.0.0.1", server.port, timeout=20)
    asked.request("GET", "/segue-sw.js")
    worker = asked.getresponse().read()
    asked.close()
    script = f'<script src="{server.url}/sdk/segue.js" data-key="{key}"></script>'
    page = f"<!doctype html><title>Shop</title>{script}"

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_worker = self.path == "/segue-sw.js"
            body = worker if is_worker else page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript" if is_worker else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as site:
        threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://localhost:{site.server_address[1]}"
        site.shutdown()


@pytest.fixture
def browser(browser_path: str, service: PushService) -> Iterator[Firefox]:
    with firefox(browser_path, dom__push__serverURL=service.address) as running:
        yield running


def until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 40
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.1)


def test_a_push_reaches_a_real_firefox_is_shown_followed_and_ended(
    browser: Firefox, service: PushService, server: WebServer, shop: str, settings: Settings
) -> None:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    settings.SEGUE_TRACKING_URL = server.url
    account = make_provider("push", kind="webpush")
    accounts.prepare(account)
    account.save()
    make_template(
        "sale", "push", subject="Sale", body="All cups", link=f"{shop}/cups", icon="https://shop.example/i.png",
        button="Blue ones", button_link=f"{shop}/blue", second_button="Red ones", second_link=f"{shop}/red",
    )  # fmt: skip

    browser.goto(f"{shop}/")
    browser.run_inside(DESKTOP)
    contact = subscribed(browser)

    message = push_to(contact)
    assert (message.state, message.reason, service.statuses) == (Message.State.ACCEPTED, "", [201])
    until(lambda: bool(browser.run(STANDING)))
    assert browser.run(STANDING) == [{
        "title": "Sale", "body": "All cups", "icon": "https://shop.example/i.png",
        "actions": ["Blue ones", "Red ones"],
    }]  # fmt: skip
    until(lambda: len(service.acked) == 1)
    assert b"All cups" not in service.bodies[0]

    press(browser, 1)
    until(lambda: absorbed("Message Delivered") and absorbed("Message Clicked"))
    clicked = Event.objects.get(name="Message Clicked")
    assert (clicked.properties["url"], clicked.properties["button"]) == (f"{shop}/red", 2)
    message.refresh_from_db()
    assert message.delivered_at
    assert message.clicked_at
    told = timeline.read(contact, may_see=lambda _permission: True)
    names = {placed.row.name for placed in told.rows if isinstance(placed.row, Event)}
    assert {"Message Delivered", "Message Clicked"} <= names

    service.end()
    assert push_to(contact).state == Message.State.REJECTED
    assert service.statuses == [201, 410]
    assert not ChannelAddress.objects.get().active


def subscribed(browser: Firefox) -> Contact:
    """Who the visitor is, once they have agreed to pushes; the page waits until their visit is taken in."""
    browser.run("window.told = segue.subscribe()")

    def taken() -> bool:
        ingest.take_in(clock.now(), limit=100)
        return ChannelAddress.objects.exists()

    until(taken)
    assert browser.run("return window.told") is True
    return Contact.objects.get(pk=ChannelAddress.objects.get().contact_id)


def push_to(contact: Contact) -> Message:
    # A while ago, since nobody follows a link as soon as it has left.
    now = clock.now() - timedelta(minutes=1)
    address = ChannelAddress.objects.get().address
    message = make_queued(
        contact, now=now, channel="push", address=address, content={"push": "sale"}, transactional=True
    )
    delivery.deliver_batch(lambda: now)
    message.refresh_from_db()
    return message


def press(browser: Firefox, button: int) -> None:
    """Press a button of the notification that stands on the desktop."""
    browser.run_inside(
        "const { alert, listener } = Services.segueShown.pop();"
        "listener.observe(alert.actions[args[0]], 'alertclickcallback', alert.cookie)",
        button,
    )


def absorbed(name: str) -> bool:
    engagement.absorb(clock.now() + timedelta(seconds=10))
    return Event.objects.filter(name=name).exists()
