"""A broken promise in a real browser: seen with what to do, taken care of, and gone from the figures."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from channels.models import Message
from contacts import clock
from contacts.auditing import looking
from tests.browser.conftest import WIDE, Watched
from tests.browser.test_publishing import look
from tests.factories import make_contact, make_queued

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]


@pytest.mark.usefixtures("months")
@WIDE
def test_a_broken_promise_is_seen_and_taken_care_of(signed_in: Watched) -> None:
    page, now = signed_in.page, clock.now()
    long_ago = now - timedelta(hours=3)
    make_queued(make_contact(), state=Message.State.TRANSMITTING, due_at=long_ago, lease_until=long_ago)
    make_queued(make_contact(), state=Message.State.UNCERTAIN, due_at=None)
    looking.everything(now)
    page.goto("/admin/promises/")
    heading = page.get_by_role(
        "heading", name="A worker that died holds no message for longer than a minute."
    )
    expect(heading).to_be_visible()
    look(signed_in, "promises")
    page.get_by_role("button", name="These are taken care of").click()
    sure = page.get_by_role("button", name="Yes, they are taken care of")
    expect(sure).to_be_visible()
    look(signed_in, "promises-settle")
    sure.click()
    expect(page.get_by_text("1 is settled.")).to_be_visible()
    expect(page.get_by_text("every promise holds")).to_be_visible()
    expect(heading).to_have_count(0)
    page.goto("/admin/tracking-domain/")
    page.get_by_role("button", name="Check name and certificate").click()
    expect(page.get_by_text("can only be reached from this machine")).to_be_visible()
    look(signed_in, "tracking-domain")
