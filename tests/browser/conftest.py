"""A real browser on a real server. Skipped with a word where there is no Chromium, but never in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, ViewportSize
from pytest_django.live_server_helper import LiveServer

from scripts.browser import chromium, installed_chromium, too_wide
from tests.config.backoffice import make_person
from tests.config.backoffice import signed_in as office


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = installed_chromium()
    if path is None:
        reason = "Chromium is missing: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    # Playwright keeps an event loop in this thread, and Django would refuse to use the database beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with chromium(path) as started:
            yield started
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Watched:
    """A page, and what the browser complained about or asked of other machines."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.foreign: list[str] = []
        page.on("console", lambda note: self._heard(note.type, note.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self._note(request.url))

    def _heard(self, kind: str, text: str) -> None:
        # A preview of what is only half written is answered 422, which browsers call an error.
        if kind == "error" and "status of 422" not in text:
            self.faults.append(text)

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.hostname not in {"127.0.0.1", "localhost"}:
            self.foreign.append(url)


SIZES: dict[str, ViewportSize] = {
    "wide": {"width": 1440, "height": 900},
    "phone": {"width": 390, "height": 844},
}
#: For tests that do the same on any screen: what may differ there, ``at_each_size`` shows.
WIDE = pytest.mark.parametrize("watched", ["wide"], indirect=True)


def at_each_size(page: Page) -> Iterator[str]:
    """Shows the same page on a desk and on a phone, and then as it was."""
    before = page.viewport_size
    for name, size in SIZES.items():
        page.set_viewport_size(size)
        yield name
    if before:
        page.set_viewport_size(before)


def fits(page: Page) -> None:
    """No screen has to scroll it sideways."""
    for name in at_each_size(page):
        assert too_wide(page) <= 1, f"{page.url} on {name}"


@pytest.fixture(params=SIZES)
def watched(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer) -> Iterator[Watched]:
    context = browser.new_context(base_url=live_server.url, viewport=SIZES[request.param])
    context.set_default_timeout(10_000)
    yield Watched(context.new_page())
    context.close()


@pytest.fixture
def signed_in(watched: Watched, live_server: LiveServer) -> Watched:
    """With a session, as the form leaves one behind (see test_back_office for the form)."""
    session = office(make_person("root", superuser=True)).cookies["sessionid"].value
    watched.page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    return watched
