"""What the organisation is called: said once, and the same in every channel and on every page."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from channels import delivery, organisation, previewing
from channels.models import SandboxMessage
from contacts import organisation as shown
from tests.factories import NOON, make_contact, make_provider, make_queued, make_template

pytestmark = pytest.mark.django_db
SAID = {"from_name": "Corner Shop", "postal_address": "1 Market Street", "from_email": "hello@corner.example"}


def test_a_text_names_whom_the_set_up_page_named() -> None:
    make_provider("email", settings=SAID)
    make_provider("sms")
    version = make_template("hello", "sms", body="{{ organisation.name }}, {{ organisation.address }}: hello")
    message = make_queued(make_contact(), channel="sms", address="+447700900123", content={"sms": "hello"})
    delivery.deliver_batch(lambda: NOON)
    assert SandboxMessage.objects.get(message_id=message.id).text == "Corner Shop, 1 Market Street: hello"
    assert previewing.letter(version, None, NOON).text == "Corner Shop, 1 Market Street: hello"
    assert shown.name() == "Corner Shop"


def test_an_account_of_another_brand_keeps_its_name() -> None:
    make_provider("email", settings=SAID)
    other = make_provider("sms", settings={"from_name": "Brand B"})
    assert organisation.of(other) == {"name": "Brand B", "address": "1 Market Street"}


@pytest.mark.parametrize("told", [{}, {**SAID, "from_email": organisation.EXAMPLE_SENDER}])
def test_the_setting_is_the_name_until_somebody_says_one(settings: Settings, told: dict[str, str]) -> None:
    settings.SEGUE_ORGANISATION = "Maison Bleue"
    make_provider("email", settings=told)
    texts = make_provider("sms")
    assert organisation.of(texts)["name"] == shown.name() == "Maison Bleue"
    settings.SEGUE_ORGANISATION = ""
    assert (organisation.of(texts)["name"], shown.name()) == ("Segue", "")


def test_nobody_needs_an_account_to_be_named(settings: Settings) -> None:
    settings.SEGUE_ORGANISATION = "Maison Bleue"
    assert organisation.of(None) == {"name": "Maison Bleue", "address": ""}
