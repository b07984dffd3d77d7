"""Mails as email services get them."""

from __future__ import annotations

from uuid import uuid4

import pytest
from anymail.utils import parse_single_address
from django.core import mail as outbox

from channels.providers import PROVIDERS
from channels.providers.base import Outcome, Parcel
from channels.rendering_mail import Mail
from tests.factories import NOON


@pytest.mark.parametrize("name", ["Corner Shop", "Shop, Inc.", 'The "Best" <Shop>', "Café ; Bar"])
def test_any_name_of_a_sender_stays_one_sender(name: str) -> None:
    letter = Mail("ann@example.com", "hello@shop.example", name, "Hi", "Hi", "", "<1@shop.example>", NOON)
    provider = PROVIDERS["anymail"](1, {"service": "test"})
    parcel = Parcel(1, NOON, uuid4(), "email", letter.recipient, letter)

    answers = provider.send([parcel], lambda going: list(going), NOON)

    assert answers[1].outcome is Outcome.ACCEPTED, answers[1]
    assert parse_single_address(outbox.outbox[-1].from_email).display_name == name
