"""The starter templates: all there, in two languages, and good to read for anybody."""

from datetime import timedelta
from typing import Any

import pytest

from channels import delivery, rendering, starter
from channels.models import Audience, Message, ProviderAccount, SandboxMessage, Template, TemplateVersion
from channels.providers import sandbox
from channels.surveys import asking
from tests.factories import NOON, make_contact, make_queued

pytestmark = pytest.mark.django_db

EVENT = {"name": "Apples <red>", "price": 2.5, "total": 31.4}


def test_loading_twice_adds_once() -> None:
    assert starter.load(NOON) == 24
    assert starter.load(NOON) == 0
    assert Template.objects.count() == 24
    assert TemplateVersion.objects.filter(published_at=NOON).count() == 48
    assert ProviderAccount.objects.filter(kind="sandbox").count() == 3
    assert Audience.objects.filter(slug="cart-abandoners").exists()


def test_what_somebody_changed_is_left_alone() -> None:
    ProviderAccount.objects.create(name="Ours", channel="email", kind="smtp")
    starter.load(NOON)
    assert not ProviderAccount.objects.filter(channel="email", kind="sandbox").exists()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("bare", [True, False])
def test_each_is_written_for_a_person_of_whom_much_or_nothing_is_known(language: str, bare: bool) -> None:
    starter.load(NOON)
    about: dict[str, Any] = {} if bare else {"first_name": "Zoé", "phone": "+33612345678"}
    contact = make_contact(language=language, **about)
    # What a double opt-in always gives; the rest depends on what started the message.
    always = {"confirm": {"url": "https://shop.example/c/1", "purpose": "News"}}
    known = {"event": EVENT, "products": [{"name": "Pears", "price": 3}]}
    for template in Template.objects.all():
        address = {
            "email": contact.email,
            "sms": "+33612345678",
            "push": "https://push.example/1",
            "inapp": str(contact.public_id),
        }
        make_queued(
            contact,
            channel=template.channel,
            address=address[template.channel],
            content={template.channel: template.slug},
            variables={
                **always,
                **({} if bare else known),
                **(asking.variables("nps", 1) if template.slug.startswith("survey-") else {}),
            },
        )
    delivery.deliver_batch(lambda: NOON)
    assert set(Message.objects.values_list("state", "reason")) == {(Message.State.ACCEPTED, "")}
    for kept in SandboxMessage.objects.all():
        words = kept.subject + kept.text + kept.html
        assert "{{" not in words
        assert "[[" not in words
        assert "undefined" not in words
        assert "<red>" not in kept.html
        if kept.channel == "email":
            assert "/p/" in kept.html or "preferences" in kept.html
            assert len(kept.html) < rendering.CLIPPED_AT / 3


def test_the_sandbox_forgets_in_the_end() -> None:
    starter.load(NOON)
    make_queued(make_contact(), content={"email": "welcome-email"})
    delivery.deliver_batch(lambda: NOON)
    assert sandbox.trim(NOON + sandbox.KEPT) == 0
    assert sandbox.trim(NOON + sandbox.KEPT + timedelta(seconds=1)) == 1
