"""A segment is built in a real browser: by clicking only, by the keyboard only; the size is the truth."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from contacts import clock, consent, rules
from contacts.consent import NewConsent
from contacts.models import Contact, Purpose, Segment
from contacts.rules_sql import matching
from scripts.browser import too_wide
from tests.browser.conftest import WIDE, Watched
from tests.browser.test_accessibility import RULES, RUN
from tests.config.backoffice import make_person
from tests.config.backoffice import signed_in as back_office
from tests.factories import log_event, make_contact

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]

QUIET = {
    "all": [
        {"event": "Order Completed", "count": {"gte": 2}, "within": "60 days"},
        {"event": "Order Completed", "count": {"lte": 0}, "within": "14 days"},
        {"message": "opened", "count": {"lte": 0}, "within": "60 days"},
        {"consent": {"channel": "sms", "purpose": "offers"}, "state": "allowed"},
    ]
}


@pytest.fixture
def people() -> list[Contact]:
    """One for whom everything holds, and one for each condition that fails alone."""
    now = clock.now()
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    found = [make_contact(now=now - timedelta(days=60), first_name=f"Person {number}") for number in range(6)]
    for number, contact in enumerate(found):
        log_event(contact, "Order Completed", now - timedelta(days=40), total=30)
        if number != 1:
            log_event(contact, "Order Completed", now - timedelta(days=20), total=80)
        if number == 2:
            log_event(contact, "Order Completed", now - timedelta(days=3), total=9)
        if number == 3:
            log_event(contact, "Message Opened", now - timedelta(days=5), channel="email")
    allowed = [each.pk for each in found if each != found[4]]
    consent.record([NewConsent(pk, "sms", "offers", True, "form") for pk in allowed], now)
    return found


def opened(watched: Watched) -> Page:
    page = watched.page
    page.goto("/admin/contacts/segment/add/")
    expect(page.locator("html")).to_have_class("has-builder", timeout=10_000)
    return page


def size(page: Page) -> Locator:
    return page.locator("[data-live=size]")


def true_size(rule: dict[str, Any]) -> int:
    return matching(rules.parse(rule, in_journey=False), as_of=clock.now()).count()


def pick(page: Page, looked_for: str, option: str) -> Locator:
    """By mouse: the button, the search, the line of the list; returns the new condition."""
    before = page.locator(".sb-leaf").count()
    page.get_by_role("button", name="Add condition").last.click()
    page.get_by_role("combobox", name="What do you want to ask?").fill(looked_for)
    page.get_by_role("option", name=option, exact=False).first.click()
    expect(page.locator(".sb-leaf")).to_have_count(before + 1)
    return page.locator(".sb-leaf").last


def test_bought_twice_then_went_quiet_is_built_by_clicking(signed_in: Watched, people: list[Contact]) -> None:
    page = opened(signed_in)
    bought = pick(page, "order", "Order Completed")
    bought.get_by_label("How often or how much").select_option(label="at least … times")
    bought.get_by_label("In the last", exact=True).fill("60")
    lately = pick(page, "order", "Order Completed")
    lately.get_by_label("How often or how much").select_option(label="never")
    lately.get_by_label("In the last", exact=True).fill("14")
    silent = pick(page, "opened", "Opened any message")
    silent.get_by_label("How often or how much").select_option(label="never")
    silent.get_by_label("In the last", exact=True).fill("60")
    pick(page, "sms", "Allowed SMS for Offers")

    expect(size(page)).to_have_text(str(true_size(QUIET)))
    assert true_size(QUIET) == 2
    page.get_by_role("button", name="Count each").click()
    expect(page.locator(".sb-count").first).to_have_text(str(true_size(QUIET["all"][0])))
    expect(page.locator(".sb-count").last).to_have_text("5")
    words = page.locator("[data-live=words]")
    expect(words).to_contain_text("at least 2 times in the last 60 days")
    page.get_by_label("Name", exact=True).fill("Going quiet")
    page.get_by_role("button", name="Save segment").click()
    page.wait_for_url("**/change/")
    segment = Segment.objects.get()
    assert segment.rule == QUIET
    assert segment.versions.count() == 1
    assert signed_in.faults == []
    assert signed_in.foreign == []


@WIDE
def test_the_same_is_built_by_keyboard_alone(signed_in: Watched, people: list[Contact]) -> None:
    page = opened(signed_in)
    keys = page.keyboard

    def ask(looked_for: str, *strokes: str) -> None:
        keys.press("Alt+a")
        keys.type(looked_for, delay=5)
        expect(page.locator("[role=option][aria-selected=true]")).to_have_count(1)
        keys.press("Enter")
        expect(page.locator("[role=listbox]:visible")).to_have_count(0)
        for stroke in strokes:
            keys.press(stroke)

    page.get_by_label("Name", exact=True).focus()
    keys.type("By keyboard")
    while not page.evaluate("document.activeElement.textContent.includes('Add condition')"):
        keys.press("Tab")
    keys.press("Enter")
    keys.type("order completed", delay=5)
    keys.press("Enter")
    # How often: the third choice; then on to the length of time, over what has appeared between.
    for stroke in ("Tab", "ArrowDown", "ArrowDown", "Tab", "Tab", "Tab"):
        keys.press(stroke)
    keys.type("60")
    ask("order completed", "Tab", "ArrowDown", "Tab", "Tab")
    keys.type("14")
    ask("opened any", "Tab", "Tab", "ArrowDown", "Tab", "Tab")
    keys.type("60")
    ask("sms offers")

    expect(size(page)).to_have_text(str(true_size(QUIET)))
    keys.press("Control+z")
    expect(page.locator(".sb-leaf")).to_have_count(3)
    keys.press("Control+y")
    expect(page.locator(".sb-leaf")).to_have_count(4)
    expect(size(page)).to_have_text("2")


def test_conditions_are_wrapped_moved_copied_and_taken_back(
    signed_in: Watched, people: list[Contact]
) -> None:
    page = opened(signed_in)
    pick(page, "order", "Order Completed")
    pick(page, "email address", "Email address")
    card = page.locator(".sb-leaf").last
    expect(card.get_by_text("Still to be filled in.")).to_be_visible()
    card.get_by_role("combobox", name="Value").fill("@example.com")
    card.get_by_label("Comparison").select_option(label="contains")
    expect(size(page)).to_have_text("5")

    card.get_by_role("button", name="More for").click()
    card.get_by_role("menuitem", name="Wrap in a group").click()
    expect(page.locator(".sb-group")).to_have_count(2)
    expect(page.locator("#sb-said")).to_contain_text("wrapped in a group")
    page.keyboard.press("Alt+ArrowLeft")
    expect(page.locator(".sb-group")).to_have_count(1)
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".sb-leaf").first).to_have_attribute("aria-label", "Email address")
    page.keyboard.press("Alt+n")
    expect(size(page)).to_have_text("0")
    page.keyboard.press("Alt+d")
    expect(page.locator(".sb-leaf")).to_have_count(3)
    page.keyboard.press("Alt+Backspace")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(size(page)).to_have_text("5")
    assert signed_in.faults == []


def test_a_condition_is_drawn_into_a_group_by_mouse(signed_in: Watched, people: list[Contact]) -> None:
    page = opened(signed_in)
    pick(page, "order", "Order Completed")
    pick(page, "country", "Country")
    page.get_by_role("button", name="Add group").click()
    page.get_by_role("combobox", name="What do you want to ask?").fill("language")
    page.get_by_role("option", name="Language").first.click()
    if page.viewport_size and page.viewport_size["width"] < 640:
        return  # A finger moves by the buttons; the handles are left out there.
    page.locator(".sb-leaf .sb-handle").first.drag_to(page.locator(".sb-group .sb-group .sb-leaf").first)
    expect(page.locator(".sb-group .sb-group .sb-leaf")).to_have_count(2)


@WIDE
def test_the_json_and_the_picture_stay_in_step_and_faults_stand_where_they_are(
    signed_in: Watched, people: list[Contact]
) -> None:
    page = opened(signed_in)
    page.get_by_text("As JSON, for experts").click()
    json = page.get_by_label("Rule", exact=True)
    json.fill('{"any": [{"event": "Order Completed"}, {"attribute": "country", "op": "is", "value": 7}]}')
    expect(page.locator(".sb-leaf")).to_have_count(2)
    expect(page.locator(".sb-leaf").last.get_by_text("country is a text")).to_be_visible()
    expect(page.locator("#sb-live")).to_have_attribute("data-state", "unfinished")
    page.locator(".sb-leaf").last.get_by_role("button", name="Remove Country").click()
    expect(json).not_to_have_value("country")
    expect(size(page)).to_have_text("6")
    page.get_by_label("As it was on").fill(f"{clock.now() - timedelta(days=30):%Y-%m-%d}")
    expect(page.locator("[data-live=state]")).to_contain_text("as it was on")
    expect(size(page)).to_have_text("6")


def test_the_builder_can_be_used_by_everyone(signed_in: Watched, people: list[Contact]) -> None:
    page = opened(signed_in)
    page.get_by_text("Start from an example").click()
    page.get_by_role("button", name="Going quiet").click()
    pick(page, "country", "Country")
    expect(page.locator(".sb-leaf")).to_have_count(3)
    page.evaluate(RULES)
    found = page.evaluate(RUN)["violations"]
    assert [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found] == []
    assert too_wide(page) == 0


def test_without_javascript_the_json_is_edited_and_previewed(
    browser: Browser, live_server: LiveServer, people: list[Contact]
) -> None:
    session = back_office(make_person("root", superuser=True)).cookies["sessionid"].value
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto("/admin/contacts/segment/add/")
    page.get_by_label("Rule", exact=True).fill('{"event": "Order Completed", "count": {"gte": 9}, "like": 1}')
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("At like: unknown field").first).to_be_visible()
    page.get_by_label("Rule", exact=True).fill('{"event": "Order Completed"}')
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".segment-size")).to_have_text("6")
    context.close()
