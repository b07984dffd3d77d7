"""An email is designed without code, checked, looked at as three people and sent, as a marketer does it."""

from __future__ import annotations

import email
from email import policy

import pytest
from playwright.sync_api import Dialog, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from channels import starter
from channels.models import Template, TemplateVersion
from channels.visual import editor
from contacts import clock
from tests.browser.conftest import WIDE, Watched
from tests.browser.test_publishing import look
from tests.contracts.smtp_sink import smtp_sink
from tests.factories import make_contact, make_provider

pytestmark = [
    pytest.mark.screens,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not editor.is_there(), reason="the editor's files are missing: make editor"),
]


def _open(page: Page, slug: str) -> Template:
    template = Template.objects.get(slug=slug)
    page.goto(f"/admin/channels/template/{template.pk}/design/?language=en")
    expect(page.locator("html[data-visual=ready]")).to_have_count(1)
    return template


@WIDE
def test_a_mail_is_designed_checked_previewed_as_three_people_and_sent(signed_in: Watched) -> None:
    with smtp_sink() as sink:
        told = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from_email": "a@shop.example"}
        make_provider("email", name="Own server", kind="smtp", settings=told)
        starter.load(clock.now())
        people = [make_contact(first_name=name) for name in ("Ada", "Bob", "Cy")]
        page = signed_in.page
        template = _open(page, "welcome-email")
        canvas = page.frame_locator("#visual iframe.gjs-frame")
        outline, blocks = page.locator("#vis-outline"), page.locator("#vis-palette")

        # Blocks are put in behind what is chosen.
        outline.get_by_role("button", name="Text: Three things").click()
        blocks.get_by_role("button", name="Coupon").click()
        expect(canvas.get_by_text("Valid for 14 days")).to_be_visible()
        expect(page.locator("#vis-state")).to_have_text("Not saved yet")
        words = canvas.get_by_text("Three things worth knowing: your")
        outline.get_by_role("button", name="Text: Three things", exact=False).first.click()
        blocks.get_by_role("button", name="Heading").click()
        expect(outline.get_by_role("button", name="Text: A heading", exact=True)).to_be_visible()

        # Words are changed where they stand; a link in the settings, and back, and forth again.
        words.dblclick()
        expect(canvas.locator("[contenteditable=true]")).to_have_count(1)
        page.keyboard.press("Control+A")
        page.keyboard.type("Dear {{ contact.first_name | default: 'you' }} from {{ contact.citty }},")
        page.keyboard.press("Enter")
        page.keyboard.type("drawn & sent")
        page.keyboard.press("Shift+Home")
        page.get_by_label("Address for the chosen words").fill("https://shop.example/drawn")
        page.get_by_role("button", name="Link", exact=True).click()
        page.keyboard.press("Escape")
        button = outline.get_by_role("button", name="Button: Have a look around", exact=True)
        button.click()
        link = page.get_by_label("Leads to")
        link.fill('https://shop.example/?a=1&b={{ contact.id | default: "x" }}')
        link.press("Tab")
        page.get_by_role("button", name="Undo").click()
        expect(link).to_have_value("https://shop.example/welcome")
        page.get_by_role("button", name="Redo").click()
        expect(link).to_have_value('https://shop.example/?a=1&b={{ contact.id | default: "x" }}')
        button.press("Alt+ArrowUp")
        expect(page.locator("#sb-said")).to_contain_text("moved")

        # What is wrong is said at once, and mended in the settings.
        page.get_by_label("Subject").fill("Designed for {{ contact.first_name | default: 'you' }}")
        page.get_by_role("button", name="Save draft").click()
        expect(page.get_by_text("The draft is saved.")).to_be_visible()
        expect(page.get_by_text("Nobody has an attribute “citty”.")).to_be_visible()
        outline.get_by_role("button", name="Text: Dear {{ contact.first_name", exact=False).first.click()
        content = page.get_by_label("Words (HTML and Liquid)")
        content.fill(content.input_value().replace("contact.citty", 'contact.city | default: "home"'))
        content.press("Tab")
        expect(page.locator("#vis-state")).to_have_text("Not saved yet")
        page.keyboard.press("Control+s")
        expect(page.get_by_text("Nobody has an attribute “citty”.")).to_have_count(0)
        draft = TemplateVersion.objects.get(template=template, published_at=None)
        assert """<mj-text>Dear {{ contact.first_name | default: 'you' }} from""" in draft.body
        assert 'href="https://shop.example/?a=1&amp;b={{ contact.id | default: "x" }}"' in draft.body
        assert "{% for product in products limit: 4 %}" in draft.body

        # As three people, and sent to one address.
        shown = page.frame_locator("iframe.office-frame")
        for person in people:
            page.locator("#vis-beside").get_by_role("link", name=person.first_name, exact=True).click()
            expect(shown.get_by_text(f"Dear {person.first_name} from home,")).to_be_visible()
        page.get_by_label("Send a test to this address").fill("me@example.com")
        page.get_by_role("button", name="Save and send", exact=True).click()
        expect(page.get_by_text("the provider has taken the test")).to_be_visible()
        (mail,) = sink.to("me@example.com")
    message = email.message_from_bytes(mail.data, policy=policy.default)
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert message["Subject"] == "[Test] Designed for Cy"
    for part in ("Dear Cy from home,", "shop.example/drawn", "drawn &amp; sent", "WELCOME10", "a=1&amp;b=x"):
        assert part in html

    # Nothing unsaved is lost by a press; the code view has the same draft.
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    page.get_by_label("Subject").fill("Not kept")
    page.get_by_role("link", name="Code view").click()
    expect(page.locator("#vis-state")).to_have_text("Not saved yet")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Code view").click()
    expect(page.get_by_label("Body")).to_have_value(draft.body)
    assert asked == ["beforeunload"]
    assert signed_in.foreign == []
    assert signed_in.faults == []


@WIDE
def test_the_editor_and_the_library_are_fit_for_everybody(
    signed_in: Watched, live_server: LiveServer, settings: Settings
) -> None:
    settings.SEGUE_BASE_URL = live_server.url
    make_provider("email", name="Own sandbox", kind="sandbox", settings={})
    starter.load(clock.now())
    page = signed_in.page
    _open(page, "cart-reminder-email")
    page.locator("#vis-outline").get_by_role("button", name="Button:").first.click()
    expect(page.get_by_label("Leads to")).to_have_value("https://shop.example/cart")
    palette = page.locator("#vis-palette ul").first
    widths = {round((one.bounding_box() or {"width": 0})["width"]) for one in palette.locator("button").all()}
    assert len(widths) == 1, "the blocks stand below each other, one as wide as the other"
    look(signed_in, "visual")
    page.get_by_role("link", name="Ready blocks and mails").click()
    expect(page.get_by_role("heading", name="Ready blocks", exact=True)).to_be_visible()
    expect(page.frame_locator("iframe[title='Welcome (email)']").get_by_text("Good to have")).to_be_attached()
    look(signed_in, "library")
    assert signed_in.faults == []
