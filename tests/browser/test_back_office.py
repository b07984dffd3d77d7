from __future__ import annotations

import pytest
from playwright.sync_api import expect

from contacts import clock, event_log
from contacts.event_log import TRACK, NewEvent
from tests.browser.conftest import WIDE, Watched, fits
from tests.config.backoffice import PASSWORD, make_person
from tests.factories import make_contact

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]

SCRIPT = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"


def test_a_person_signs_in_and_sees_the_home_page(watched: Watched) -> None:
    make_person("root", superuser=True)
    page = watched.page
    page.goto("/admin/")
    page.get_by_label("Login").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("What to try first")).to_be_visible()
    assert watched.faults == []
    assert watched.foreign == []


def test_a_contacts_story_opens_and_unfolds(signed_in: Watched) -> None:
    contact = make_contact(first_name="Ada", last_name="Lovelace")
    now = clock.now()
    event_log.append(
        [
            NewEvent(contact.pk, f"Visit {number}", now, now, kind=TRACK, properties={"n": number})
            for number in range(40)
        ]
    )
    page = signed_in.page

    page.goto("/admin/contacts/contact/")
    page.get_by_role("link", name="Ada Lovelace").first.click()
    expect(page.locator("strong", has_text="Visit 39")).to_be_visible()
    page.locator(".segue-timeline summary").first.click()
    expect(page.locator("pre", has_text='"n": 39')).to_be_visible()
    page.get_by_role("link", name="Older").click()
    expect(page.locator("strong", has_text="Visit 0")).to_be_visible()
    assert signed_in.faults == []
    assert signed_in.foreign == []


@WIDE
def test_what_strangers_send_is_shown_and_never_run(signed_in: Watched) -> None:
    contact = make_contact(first_name=SCRIPT, attributes={SCRIPT: SCRIPT}, inferred={"x": SCRIPT})
    now = clock.now()
    event_log.append(
        [NewEvent(contact.pk, SCRIPT, now, now, kind=TRACK, properties={"name": SCRIPT, SCRIPT: 1})]
    )
    page = signed_in.page

    for address in ("/admin/", "/admin/contacts/contact/", f"/admin/contacts/contact/{contact.pk}/change/"):
        page.goto(address)
        assert page.title() != "run", address

    assert signed_in.faults == []


@WIDE
def test_the_page_never_scrolls_sideways(signed_in: Watched) -> None:
    contact = make_contact(
        first_name="A" * 200, attributes={"k" * 90: "v" * 400}, email="a" * 60 + "@example.com"
    )
    page = signed_in.page

    for address in ("/admin/", f"/admin/contacts/contact/{contact.pk}/change/"):
        page.goto(address)
        fits(page)


def test_the_sign_in_page_works_from_the_keyboard_alone(watched: Watched) -> None:
    watched.page.goto("/account/login/")
    watched.page.keyboard.press("Tab")
    watched.page.keyboard.type("nobody")
    watched.page.keyboard.press("Tab")
    watched.page.keyboard.type("wrong")
    watched.page.keyboard.press("Enter")

    expect(watched.page.get_by_role("alert")).to_be_visible()
    assert watched.faults == []
