"""A template as one contact would get it, written in the very same way as a real message."""

from __future__ import annotations

import uuid
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from channels import (
    best_sellers,
    blocks,
    feeds,
    organisation,
    rendering,
    rendering_people,
    shared_content,
)
from channels.models import ProviderAccount, SandboxMessage, TemplateVersion
from channels.models.provider import Channel
from channels.rendering import Letter, Source
from channels.rendering_liquid import TemplateError
from channels.rendering_people import Person
from channels.surveys import asking
from channels.surveys.wording import Definition, Words
from contacts.models import Contact

#: Stands for what a journey would pass on.
EXAMPLE_EVENT = {
    "name": "Espresso cups",
    "price": 24.5,
    "total": 61.0,
    "quantity": 2,
    "category": "Kitchen",
    "products": [
        {"name": "Espresso cups", "price": 24.5, "quantity": 2},
        {"name": "Coffee beans", "price": 12.0, "quantity": 1},
    ],
}
EXAMPLE_PRODUCTS = [
    {"name": "Coffee beans", "price": 9.9, "url": "https://shop.example/1"},
    {"name": "Milk jug", "price": 17, "url": "https://shop.example/2"},
    {"name": "Hand grinder", "price": 49.5, "url": "https://shop.example/3"},
]
EXAMPLE_SURVEY = Definition(
    "nps",
    1,
    "nps",
    30,
    {
        "en": Words(
            "How likely are you to recommend us to a friend?", "Not at all likely", "Extremely likely"
        ),
        "fr": Words("Nous recommanderiez-vous à un ami ?", "Pas du tout probable", "Extrêmement probable"),
    },
)
EXAMPLE_AT = datetime(2026, 1, 1, tzinfo=UTC)
_EXAMPLE = Person(
    0, uuid.UUID(int=0), "en", {"first_name": "Alex", "last_name": "Example", "email": "alex@example.com"}, []
)


@dataclass(frozen=True, slots=True)
class _Imagined:
    """A message that was never meant for anybody."""

    id: int = 0
    contact_id: int = 0
    variables: dict[str, Any] = field(
        default_factory=lambda: {
            "event": EXAMPLE_EVENT,
            # What the mails and texts that ask for a confirmation say.
            "confirm": {"url": f"{settings.SEGUE_BASE_URL}/c/preview", "purpose": "Newsletter"},
        }
    )


def find(words: str) -> Contact | None:
    """The contact with this email, phone or id."""
    text = words.strip()
    if not text:
        return None
    if text.isdigit() and (found := Contact.objects.filter(id=int(text[:18])).first()):
        return found
    return (
        Contact.objects.filter(email=text.lower()).first() or Contact.objects.filter(phone=text).first()
        if len(text) < 320
        else None
    )


def letter(version: TemplateVersion, contact: Contact | None, now: datetime) -> Letter:
    """The finished message, with plain links. Raises TemplateError. Without a contact, for an example."""
    words = rendering.wording(rendering.source_of(version))
    return rendering.finish(rendering.write(words, _context(version, contact, now)), lambda address: address)


def pages(bodies: list[str], version: TemplateVersion, now: datetime) -> list[str]:
    """HTML of several bodies of an email in the version's language, for an example; empty where one fails."""
    if not bodies:
        return []
    context, found = _context(version, None, now), []
    known = blocks.reached(bodies)
    for body in bodies:
        try:
            whole = blocks.take_in(body, version.language, known).text
            words = rendering.wording(Source(Channel.EMAIL, "", whole))
            found.append(rendering.finish(rendering.write(words, context), lambda address: address).html)
        except TemplateError:
            found.append("")
    return found


def _context(version: TemplateVersion, contact: Contact | None, now: datetime) -> dict[str, Any]:
    person = _EXAMPLE if contact is None else rendering_people.people([contact.id])[contact.id]
    context = rendering_people.context(
        person,
        _Imagined(contact_id=person.id),
        {
            "unsubscribe_url": f"{settings.SEGUE_BASE_URL}/u/preview",
            "preferences_url": f"{settings.SEGUE_BASE_URL}/p/preview",
            "why_url": f"{settings.SEGUE_BASE_URL}/w/preview",
        },
        organisation.of(_account(version.template.channel)),
        best_sellers.load() or EXAMPLE_PRODUCTS,
    )
    context[feeds.NAME] = shared_content.feeds_of([version], now)
    context[asking.NAME] = asking.values(EXAMPLE_SURVEY, version.language, 0, EXAMPLE_AT)
    return context


def send_to_sandbox(version: TemplateVersion, contact: Contact | None, now: datetime) -> SandboxMessage:
    """Put the message into the sandbox's outbox. Raises TemplateError."""
    finished = letter(version, contact, now)
    channel = version.template.channel
    account, _new = ProviderAccount.objects.get_or_create(
        kind="sandbox",
        channel=channel,
        defaults={"name": f"{channel} sandbox for tests", "active": False, "position": 99},
    )
    return SandboxMessage.objects.create(
        account=account,
        channel=channel,
        address=(contact.phone if channel == Channel.SMS else contact.email) if contact else "test",
        subject=finished.subject,
        text=finished.text,
        link=finished.link,
        packed_html=zlib.compress(finished.html.encode(), 1) if finished.html else b"",
        headers={"X-Segue-Test": str(version)},
        received_at=now,
    )


def _account(channel: str) -> ProviderAccount | None:
    return ProviderAccount.objects.filter(channel=channel, active=True).order_by("position", "name").first()
