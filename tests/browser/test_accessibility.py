"""Pages pass axe's rules for WCAG 2 AA, in light and dark."""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from channels import charter
from contacts import clock, event_log
from contacts.event_log import TRACK, NewEvent
from tests.config.backoffice import make_person, signed_in
from tests.factories import make_contact

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]

RULES = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RUN = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa']})"
PAGES = (
    "/admin/",
    "/admin/contacts/contact/",
    "/admin/contacts/contact/{contact}/change/",
    "/account/two-step/",
    "/admin/channels/charterversion/",
    "/admin/channels/charterversion/{charter}/change/",
    "/admin/channels/charterversion/{charter}/part/caps/0/",
    "/admin/channels/charterversion/{charter}/part/smart/",
    "/admin/channels/charterversion/{charter}/part/channels/",
    "/admin/channels/charterversion/{charter}/publish/",
    "/admin/channels/decision/reasons/",
    "/admin/analytics/dailykpi/smart-choice/",
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_can_be_used_by_everyone(browser: Browser, live_server: LiveServer, theme: str) -> None:
    contact = make_contact(first_name="Ada", last_name="Lovelace", attributes={"city": "Paris"})
    now = clock.now()
    draft = charter.draft(charter.DEFAULT)
    event_log.append(
        [NewEvent(contact.pk, "Product Added", now, now, kind=TRACK, properties={"name": "Mango"})]
    )
    session = signed_in(make_person("root", superuser=True)).cookies["sessionid"].value
    context = browser.new_context(
        base_url=live_server.url,
        color_scheme="dark" if theme == "dark" else "light",
        bypass_csp=True,  # the rules themselves are an injected script
    )
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    found = {}
    for address in PAGES:
        page.goto(address.format(contact=contact.pk, charter=draft.pk), wait_until="networkidle")
        page.evaluate(RULES)
        for violation in page.evaluate(RUN)["violations"]:
            found[f"{address} {violation['id']}"] = [node["html"][:120] for node in violation["nodes"]][:3]
    context.close()

    assert found == {}
