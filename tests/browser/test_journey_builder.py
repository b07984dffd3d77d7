"""A journey is drawn in a real browser: by mouse, by keyboard alone, by two people at once."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from channels.models import Audience
from contacts import clock
from contacts.models import Purpose
from journeys import publishing
from journeys.models import Journey
from scripts.browser import too_wide
from tests.browser.conftest import WIDE, Watched
from tests.browser.test_accessibility import RULES, RUN
from tests.config.backoffice import make_person
from tests.config.backoffice import signed_in as back_office
from tests.factories import log_event, make_contact, make_template

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]

CART = {
    "name": "Cart",
    "trigger": {"event": "Product Added"},
    "entry": {"mode": "once"},
    "goal": {"event": "Order Completed"},
    "start": "wait",
    "steps": {
        "wait": {"type": "wait", "for": "1 day", "next": "send"},
        "send": {
            "type": "send", "channels": ["email"], "content": {"email": "cart"}, "purpose": "offers",
            "next": "branch",
        },
        "branch": {
            "type": "branch",
            "branches": [{"name": "opened", "if": {"message": "opened", "within": "since_entry"}}],
            "else": "exit",
        },
        "exit": {"type": "exit", "reason": "not opened"},
    },
}  # fmt: skip


@pytest.fixture
def shop() -> None:
    """What the cart journey names, and somebody with a product in the cart."""
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    Audience.objects.create(slug="cart-abandoners", name="Cart abandoners")
    make_template("cart")
    contact = make_contact(now=clock.now())
    for name in ("Product Added", "Order Completed"):
        log_event(contact, name, clock.now(), total=30)


def drafted(draft: dict[str, Any]) -> Journey:
    return Journey.objects.create(name="Cart", slug="cart", draft=draft)


def opened(page: Page, journey: Journey) -> Page:
    page.goto(f"/admin/journeys/journey/{journey.pk}/build/")
    expect(page.locator("#jb[data-ready]")).to_be_attached()
    return page


def add(page: Page, after: str, kind: str) -> Locator:
    """Press the plus, search, choose; the panel of the new step opens."""
    count = page.locator(".jb-item").count()
    page.get_by_role("button", name=after, exact=True).click()
    page.locator("#jb-picker").get_by_role("searchbox").fill(kind)
    page.locator("#jb-picker [data-kind]:not([hidden])").first.click()
    expect(page.locator(".jb-item")).to_have_count(count + 1)
    expect(panel(page)).to_be_visible()
    return panel(page)


def panel(page: Page) -> Locator:
    return page.locator(".jb-panel")


def saved(page: Page) -> None:
    page.wait_for_timeout(450)
    expect(page.locator("[data-saved]")).to_have_text("Saved")


def close(page: Page) -> None:
    saved(page)
    panel(page).get_by_role("button", name="Close").click()
    expect(panel(page)).to_be_hidden()


def test_the_cart_journey_is_drawn_from_nothing_by_mouse(signed_in: Watched, shop: None) -> None:
    page = signed_in.page
    page.goto("/admin/journeys/journey/add/")
    page.get_by_label("Name").fill("Cart")
    page.get_by_role("button", name="From nothing").click()
    settings = panel(page)
    settings.get_by_role("combobox", name="Event", exact=True).first.fill("Product Added")
    settings.get_by_role("combobox", name="Event", exact=True).nth(1).fill("Order Completed")
    close(page)
    expect(page.locator(".jb-node.is-start")).to_contain_text("Product Added")

    step = add(page, "Add the first step", "wait")
    step.get_by_role("spinbutton").first.fill("1")
    close(page)
    step = add(page, "Add a step after wait", "message")
    step.get_by_label("Template for email").select_option("cart")
    step.get_by_label("Purpose").select_option("offers")
    close(page)
    step = add(page, "Add a step after send", "branch")
    step.get_by_label("Name", exact=True).fill("opened")
    step.get_by_role("button", name="Add condition").click()
    step.get_by_role("combobox", name="What do you want to ask?").fill("opened any")
    page.get_by_role("option", name="Opened any message").click()
    step.get_by_label("When", exact=True).select_option("since_entry")
    close(page)
    step = add(page, "Add a step after branch, way “else”", "leave")
    step.get_by_role("textbox", name="Reason", exact=False).fill("not opened")
    close(page)
    expect(page.get_by_text("In order. It can be published.")).to_be_visible()
    draft = Journey.objects.get().draft
    assert draft["steps"] == CART["steps"]
    assert publishing.check(draft)[1] == []
    assert signed_in.faults == []
    assert signed_in.foreign == []


@WIDE
def test_the_same_is_drawn_by_keyboard_alone(signed_in: Watched, shop: None) -> None:
    page = opened(
        signed_in.page, drafted({"name": "Cart", "trigger": {"event": "Product Added"}, "steps": {}})
    )
    keys = page.keyboard

    def put(kind: str, items: int) -> None:
        """From a step or a plus: add below it, by a few letters."""
        keys.press("a")
        expect(page.locator("#jb-picker")).to_be_visible()
        keys.type(kind)
        keys.press("Enter")
        expect(page.locator(".jb-item")).to_have_count(items)
        expect(page.locator("#jb-panel-title")).to_be_focused()

    expect(page.locator("#jb-panel-title")).to_be_focused()
    keys.press("Escape")
    expect(page.locator("[data-step=''] [data-open]")).to_be_focused()
    put("wait", 1)
    keys.press("Escape")
    expect(page.locator("#node-wait [data-open]")).to_be_focused()
    put("message", 2)
    keys.press("Escape")
    put("leave", 3)
    keys.press("Escape")
    keys.press("ArrowUp")
    expect(page.locator("#node-send [data-open]")).to_be_focused()
    keys.press("Alt+ArrowUp")
    expect(page.locator("#sb-said")).to_contain_text("moved")
    saved(page)
    assert Journey.objects.get().draft["start"] == "send"
    expect(page.locator("#node-send [data-open]")).to_be_focused()
    keys.press("d")
    expect(page.locator("#node-send-2")).to_be_visible()
    expect(page.locator("#node-send-2 [data-open]")).to_be_focused()
    keys.press("m")
    expect(page.locator("#sb-said")).to_contain_text("Choose a place")
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.locator("#sb-said")).to_contain_text("moved")
    keys.press("Delete")
    expect(page.locator(".jb-item")).to_have_count(3)
    keys.press("Control+z")
    expect(page.locator(".jb-item")).to_have_count(4)
    assert signed_in.faults == []


def test_steps_are_drawn_to_their_places_by_mouse(signed_in: Watched, shop: None) -> None:
    page = opened(signed_in.page, drafted(CART))
    if page.viewport_size and page.viewport_size["width"] < 1100:
        return  # A finger moves by the menu of a step.
    page.locator("#jb-steps [data-kind=split]").drag_to(page.locator('[data-place=\'[["send", "next"]]\']'))
    expect(page.locator("#node-split")).to_be_visible()
    saved(page)
    page.locator("#node-wait").drag_to(page.locator('[data-place=\'[["split", "shares[0].next"]]\']').first)
    expect(page.locator(".jb-way #node-wait")).to_be_visible()
    saved(page)
    page.locator(".jb-end").first.drag_to(page.locator("#node-wait"))
    saved(page)
    assert signed_in.faults == []


@WIDE
def test_undo_outlives_a_reload(signed_in: Watched, shop: None) -> None:
    journey = drafted(CART)
    page = opened(signed_in.page, journey)
    page.get_by_role("button", name="More for wait").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.locator("#node-wait")).to_have_count(0)
    opened(page, journey)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#node-wait")).to_be_visible()
    saved(page)
    journey.refresh_from_db()
    assert journey.draft == CART
    page.get_by_role("button", name="Do again").click()
    expect(page.locator("#node-wait")).to_have_count(0)


@WIDE
def test_two_editors_do_not_undo_each_other(
    signed_in: Watched, browser: Browser, live_server: LiveServer, shop: None
) -> None:
    journey = drafted(CART)
    mine = opened(signed_in.page, journey)
    session = back_office(make_person("ana", superuser=True)).cookies["sessionid"].value
    context = browser.new_context(base_url=live_server.url)
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    theirs = opened(context.new_page(), journey)
    theirs.get_by_role("button", name="More for exit").click()
    theirs.get_by_role("menuitem", name="Delete").click()
    expect(theirs.locator("#node-exit")).to_have_count(0)
    mine.get_by_role("button", name="More for wait").click()
    mine.get_by_role("menuitem", name="Delete").click()
    expect(mine.get_by_role("alert")).to_contain_text("ana changed this draft in the meantime.")
    journey.refresh_from_db()
    assert "wait" in journey.draft["steps"]
    mine.get_by_role("button", name="Put mine in its place").click()
    expect(mine.locator("#node-wait")).to_have_count(0)
    saved(mine)
    journey.refresh_from_db()
    assert set(journey.draft["steps"]) == {"send", "branch", "exit"}
    context.close()


def test_the_builder_can_be_used_by_everyone(signed_in: Watched, shop: None) -> None:
    page = opened(signed_in.page, drafted(CART))
    for part in ("", "#node-send", "#node-branch"):
        if part:
            page.locator(f"{part} [data-open]").click()
            expect(panel(page)).to_be_visible()
            page.wait_for_timeout(900)
        page.evaluate(RULES)
        found = page.evaluate(RUN)["violations"]
        assert [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found] == []
        if part and page.viewport_size and page.viewport_size["width"] < 760:
            panel(page).get_by_role("button", name="Close").click()
    assert too_wide(page) == 0
    assert signed_in.faults == []
    assert signed_in.foreign == []
