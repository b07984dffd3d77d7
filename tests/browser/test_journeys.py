"""A journey is written, checked, mended and published in a real browser, wide and on a phone."""

from __future__ import annotations

import pytest

from contacts.models import Purpose
from journeys import library
from journeys.models import Journey
from tests.browser.conftest import WIDE, Watched, at_each_size, fits
from tests.browser.test_accessibility import RULES, RUN
from tests.factories import make_template

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]

DRAFT = """
trigger: {event: Signed Up}
goal: {event: Order Completed}
start: hello
steps:
  hello: {type: send, channels: [email], content: {email: hello}, purpose: offers, next: opened}
  opened:
    type: branch
    branches: [{if: {message: opened, within: since_entry}, next: bye}]
    else: rest
  rest: {type: wait, for: LENGTH, next: bye}
  bye: {type: exit, reason: done}
"""


def violations(watched: Watched) -> list[str]:
    watched.page.evaluate(RULES)
    found = watched.page.evaluate(RUN)["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found]


@WIDE
def test_a_journey_is_written_mended_and_published(signed_in: Watched) -> None:
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    make_template("hello")
    page = signed_in.page
    page.goto("/admin/journeys/journey/add/?text")
    page.get_by_label("Name").fill("Greeting")
    page.get_by_label("Slug").fill("greeting")
    page.get_by_label("Definition").fill(DRAFT.replace("LENGTH", "a while"))
    page.get_by_role("button", name="Check & preview").click()
    assert page.get_by_role("alert").get_by_text("steps.rest.for").is_visible()
    page.get_by_label("Definition").fill(DRAFT.replace("LENGTH", "3 days"))
    page.get_by_role("button", name="Check & preview").click()
    assert page.get_by_text("In order. It can be saved and published.").is_visible()
    assert page.get_by_role("heading", name="Wait 3 days").is_visible()
    fits(signed_in.page)
    page.get_by_role("button", name="Save draft").click()
    page.get_by_role("link", name="Publish").click()
    page.get_by_role("button", name="Publish").click()
    assert page.get_by_text("Published. People who fit enter from now on.").is_visible()
    assert Journey.objects.get().status == "live"
    fits(signed_in.page)
    assert signed_in.faults == []
    assert signed_in.foreign == []


@WIDE
def test_the_pages_of_a_journey_can_be_used_by_everyone(signed_in: Watched) -> None:
    library.load()
    journey = Journey.objects.get(slug="cart-reminder")
    address = f"/admin/journeys/journey/{journey.pk}"
    found = {}
    for path in (
        "/admin/journeys/journey/",
        f"{address}/change/",
        f"{address}/edit/",
        f"{address}/act/publish/",
    ):
        signed_in.page.goto(path, wait_until="networkidle")
        for size in at_each_size(signed_in.page):
            if wrong := violations(signed_in):
                found[f"{path} on {size}"] = wrong
    assert found == {}
