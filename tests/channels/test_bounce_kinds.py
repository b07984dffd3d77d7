"""A full mailbox ends no address; one that never was does."""

from __future__ import annotations

from typing import Any

import pytest

from channels import bounce_kinds


@pytest.mark.parametrize(
    ("service", "told", "ended"),
    [
        ("amazon_ses", {"bounce": {"bounceType": "Permanent"}}, True),
        ("amazon_ses", {"bounce": {"bounceType": "Transient"}}, False),
        ("brevo", {"event": "hard_bounce"}, True), ("brevo", {"event": "soft_bounce"}, False),
        ("mailersend", {"data": {"type": "soft_bounced"}}, False),
        ("mailgun", {"event-data": {"severity": "temporary"}}, False), ("mailgun",
        {"severity": "permanent"}, True),
        ("mailjet", {"hard_bounce": False}, False), ("mailtrap", {"event": "soft bounce"}, False),
        ("mandrill", {"event": "soft_bounce"}, False), ("postmark", {"Type": "SoftBounce"}, False),
        ("postmark", {"Type": "Transient"}, False), ("postmark", {"Type": "HardBounce"}, True),
        ("resend", {"data": {"bounce": {"type": "Transient"}}}, False),
        ("sendgrid", {"type": "blocked"}, False), ("sendgrid", {}, True),
        ("sparkpost", {"msys": {"m": {"bounce_class": "22"}}}, False), ("sparkpost",
        {"msys": {"m": {"bounce_class": "10"}}}, True),
        ("unisender_go", {"delivery_info": {"delivery_status": "err_mailbox_full"}}, False),
        ("nobody", {}, False), ("brevo", None, False), ("resend", {"data": "x"}, False),
    ],
)  # fmt: skip
def test_each_service_says_in_its_own_words_whether_an_address_has_ended(
    service: str, told: Any, ended: bool
) -> None:
    assert bounce_kinds.ended(service, told) is ended
