"""Quiet hours of texts are those of the country of the very number, whatever the profile says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from channels import delivery
from channels.models import Message, SandboxMessage
from tests.factories import make_contact, make_provider, make_queued, make_template

pytestmark = pytest.mark.django_db
FRENCH, AMERICAN = "+33612345678", "+12125550123"
#: Paris 22:30, New York 17:30; and Paris 12:00, New York 07:00.
FRENCH_NIGHT = datetime(2026, 3, 10, 21, 30, tzinfo=UTC)
AMERICAN_NIGHT = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("profile", "number", "own", "at", "leaves"),
    [
        ("US", AMERICAN, FRENCH, FRENCH_NIGHT, False), ("US", AMERICAN, AMERICAN, FRENCH_NIGHT, True),
        ("FR", FRENCH, AMERICAN, AMERICAN_NIGHT, False), ("FR", FRENCH, FRENCH, AMERICAN_NIGHT, True),
        # Nothing is known of the person but the number.
        ("", "", FRENCH, FRENCH_NIGHT, False), ("", "", AMERICAN, AMERICAN_NIGHT, False),
    ],
)  # fmt: skip
def test_a_text_waits_for_the_morning_where_its_number_belongs(
    profile: str, number: str, own: str, at: datetime, leaves: bool
) -> None:
    make_provider("sms")
    make_template("hello", "sms", body="Hello STOP")
    contact = make_contact(country=profile, phone=number)
    message = make_queued(contact, now=at, channel="sms", address=own, content={"sms": "hello"})
    delivery.deliver_batch(lambda: at)
    message.refresh_from_db()
    assert (message.state == Message.State.ACCEPTED) is leaves
    assert SandboxMessage.objects.exists() is leaves
    assert leaves or "quiet" in message.reason or "hours" in message.reason
