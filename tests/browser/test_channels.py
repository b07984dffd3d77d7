"""Pages of channels in a real browser: a sender's domain, segments while one writes, a sync, a call."""

from __future__ import annotations

import dns.resolver
import pytest
from playwright.sync_api import expect

from channels import accounts, audience_sync, audiences
from channels.models import Audience, CallTask, Template
from contacts import clock
from tests.browser.conftest import WIDE, Watched
from tests.browser.test_publishing import look
from tests.channels.dns_server import resolving
from tests.factories import make_contact, make_provider

pytestmark = [pytest.mark.screens, pytest.mark.django_db(transaction=True)]


@WIDE
def test_a_marketer_sees_what_channels_need(signed_in: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    page = signed_in.page
    account = make_provider(
        "email", name="Own server", kind="smtp",
        settings={"host": "smtp.host.example", "from_email": "hello@shop.example", "dkim_selector": "s1"},
    )  # fmt: skip
    accounts.prepare(account)
    account.save()
    page.goto(f"/admin/channels/provideraccount/{account.pk}/test/")
    with resolving({("shop.example", "MX"): ["10 mx.shop.example."]}) as resolver:
        monkeypatch.setattr(dns.resolver, "get_default_resolver", lambda: resolver)
        page.get_by_role("button", name="Look", exact=True).click()
        expect(page.get_by_text("There is no SPF record")).to_be_visible()
    look(signed_in, "domain")
    page.goto(f"/admin/channels/provideraccount/{account.pk}/change/")
    look(signed_in, "account")

    make_provider("sms", kind="twilio", settings={"prices": "FR 0.07\nUS 0.008"})
    template = Template.objects.create(name="Cart text", slug="cart-text", channel="sms")
    page.goto(f"/admin/channels/template/{template.pk}/change/")
    body = page.get_by_label("Body")
    body.fill("a" * 161)
    expect(page.get_by_text("2 segments · GSM-7 · 145 places left")).to_be_visible()
    body.fill("C’est fini")
    expect(page.get_by_text("1 segment · UCS-2")).to_be_visible()
    expect(page.get_by_text("FR 0.070, US 0.008 EUR")).to_be_visible()
    look(signed_in, "segments")

    calls = make_provider("audience", name="Call centre", kind="call_list")
    audience = Audience.objects.create(name="Win back", slug="win-back", provider=calls)
    people = [make_contact(email=f"{name}@example.com", phone="+33612345678") for name in ("ann", "bob")]
    audiences.add([people[0].pk], "win-back", "journey", clock.now())
    audience_sync.sync(clock.now())
    audiences.add([people[1].pk], "win-back", "journey", clock.now())
    page.goto(f"/admin/channels/audience/{audience.pk}/state/")
    expect(page.get_by_text("bob@example.com")).to_be_visible()
    look(signed_in, "audience")
    page.goto("/admin/channels/calltask/")
    look(signed_in, "calls")
    page.goto(f"/admin/channels/calltask/{CallTask.objects.get().pk}/change/")
    page.get_by_role("button", name="Take this call").click()
    expect(page.get_by_role("button", name="Write it down")).to_be_visible()
    look(signed_in, "call")
    assert signed_in.faults == []
