"""A new installation, walked from nothing in a real browser until every step is green."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from channels import deciding, delivery
from contacts import clock, ingest, starter_purposes
from contacts.models import Event
from journeys import engine, triggers
from tests.browser.conftest import WIDE, Watched
from tests.contracts.smtp_sink import smtp_sink
from tests.granian import WebServer

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]


def state(watched: Watched, name: str, wanted: str) -> None:
    watched.page.goto("/admin/setup/")
    expect(watched.page.locator(f"[data-step={name}]")).to_have_attribute("data-state", wanted)


def new_key(watched: Watched) -> str:
    """A server key of the only source, made and read as a person does."""
    page = watched.page
    page.goto("/admin/setup/")
    page.get_by_role("link", name="All sources").click()
    page.get_by_role("link", name="Shop").first.click()
    page.locator("#scope").select_option("server")
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_text("Copy it now.")).to_be_visible()
    return page.locator("pre").first.inner_text().strip()


def send(server: WebServer, key: str, **event: Any) -> None:
    """One event over HTTP, by the address and key that a person was shown."""
    answer, said = server.post("/v1/track", json.dumps(event).encode(), key)
    assert answer.status == 200, said


def taken(count: int) -> None:
    """Wait until so many events of the source are in the log."""
    give_up = time.monotonic() + 30
    while Event.objects.filter(source_id__isnull=False).count() < count:
        assert time.monotonic() < give_up
        ingest.take_in(clock.now(), limit=100)


def publish(watched: Watched, name: str) -> None:
    page = watched.page
    page.get_by_role("link", name="All journeys").click()
    page.get_by_role("link", name=name, exact=True).first.click()
    page.get_by_role("link", name="Publish").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published. People who fit enter from now on.")).to_be_visible()


def run_engine() -> None:
    """What the workers of an installation do all the time, an hour on: sending is spread over minutes."""
    triggers.follow(clock.now())
    engine.advance(clock.now())
    later = clock.now() + timedelta(hours=1)
    deciding.decide_batch(later)
    delivery.deliver_batch(lambda: later)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as running:
        yield running


@WIDE
def test_every_step_turns_green(signed_in: Watched, server: WebServer) -> None:
    # Purposes are there from the first start on.
    starter_purposes.load()
    page = signed_in.page
    state(signed_in, "organisation", "open")
    page.get_by_label("Name of the organisation").fill("Corner Shop")
    page.get_by_label("Postal address").fill("1 Market Street, Springfield")
    page.get_by_label("Address that emails come from").fill("hello@corner.example")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Kept. It stands at the foot of each email.")).to_be_visible()
    state(signed_in, "sender", "trial")
    with smtp_sink() as sink:
        page.get_by_role("link", name="Choose the provider").click()
        page.locator("select[name=kind]").select_option("smtp")
        page.locator("button[name=_continue], input[name=_continue]").first.click()
        expect(page.locator("input[name=value_host]")).to_be_visible()
        page.locator("input[name=value_host]").fill("127.0.0.1")
        page.locator("input[name=value_port]").fill(str(sink.port))
        page.locator("select[name=value_security]").select_option("none")
        page.locator("button[name=_continue], input[name=_continue]").first.click()
        expect(page.locator("input[name=value_host]")).to_have_value("127.0.0.1")
        state(signed_in, "sender", "done")
        page.get_by_role("link", name="Check and test…").click()
        page.locator("button[name=check]").click()
        expect(page.locator("main, #main, body").first).to_contain_text("127.0.0.1")
        page.goto("/admin/setup/")
        page.get_by_role("link", name="Add a source").click()
        page.locator("input[name=name]").fill("Shop")
        page.locator("input[name=slug]").fill("shop")
        page.locator("button[name=_save], input[name=_save]").first.click()
        state(signed_in, "source", "trial")
        key = new_key(signed_in)
        who = {"userId": "ada", "context": {"traits": {"email": "ada@corner.example"}}}
        send(server, key, event="Consent Updated", properties={"channel": "email", "news": True}, **who)
        taken(1)
        state(signed_in, "source", "done")
        page.get_by_role("button", name="Add the starter templates").click()
        expect(page.get_by_text("templates were added")).to_be_visible()
        page.get_by_role("button", name="Add the ready-made journeys").click()
        expect(page.get_by_text("journeys are there as drafts")).to_be_visible()
        state(signed_in, "journey", "trial")
        publish(signed_in, "Welcome")
        state(signed_in, "journey", "done")
        state(signed_in, "message", "open")
        send(server, key, event="Signed Up", **who)
        taken(2)
        run_engine()
        (mail,) = sink.to("ada@corner.example")
        assert b"Corner Shop" in mail.data
        state(signed_in, "message", "done")
    assert signed_in.faults == []
