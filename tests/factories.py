"""Small makers of rows for tests. Each takes what the test is about and fills in the rest."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connection

from channels import rendering
from channels.intents import Intent
from channels.models import Message, ProviderAccount, Template, TemplateVersion
from contacts import event_log, slots
from contacts.intake_event import IntakeEvent, pack
from contacts.models import ConsentState, Contact, InboxItem, Source
from journeys.models import Journey, JourneyVersion

#: A quiet Tuesday noon in London, for tests to which the instant does not matter.
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def make_contact(*, now: datetime = NOON, **values: Any) -> Contact:
    """A contact in the slot of its id, as ingest makes it."""
    values.setdefault("email", f"{uuid.uuid4().hex[:12]}@example.com")
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('contacts_contact_id_seq')")
        (contact_id,) = cursor.fetchone() or (0,)
    return Contact.objects.create(
        id=contact_id,
        slot=slots.of(contact_id),
        known=True,
        **{"first_seen_at": now, "last_seen_at": now, "updated_at": now, **values},
    )


def make_intent(contact: Contact, **values: Any) -> Intent:
    """A wish to send an offer by email, once."""
    defaults: dict[str, Any] = {
        "contact_id": contact.id,
        "key": uuid.uuid4(),
        "purpose": "offers",
        "wanted": ("email",),
        "content": {"email": "spring"},
    }
    return Intent(**{**defaults, **values})


def make_provider(channel: str, **values: Any) -> ProviderAccount:
    """An active account that carries ``channel`` into the sandbox."""
    defaults: dict[str, Any] = {"name": f"{channel} sandbox", "channel": channel, "kind": "sandbox"}
    return ProviderAccount.objects.create(**{**defaults, **values})


def make_source(name: str = "Shop", **values: Any) -> Source:
    return Source.objects.create(**{"name": name, "slug": name.lower(), **values})


def put_in_inbox(
    source: Source, *calls: dict[str, Any], now: datetime = NOON, lane: int | None = None
) -> list[InboxItem]:
    """Inbox items as intake leaves them. A call needs a type and ids; the rest is filled in."""
    items = []
    for call in calls:
        values = {"name": "", "message_id": uuid.uuid4().hex, "occurred_at": now, **call}
        for key in ("properties", "context"):
            values[key] = msgspec.Raw(msgspec.json.encode(values.get(key) or {}))
        event = IntakeEvent(**values)
        own = slots.lane(event.user_id or event.anonymous_id or "") if lane is None else lane
        items.append(InboxItem(lane=own, source_id=source.id, received_at=now, payload=pack(event)))
    return InboxItem.objects.bulk_create(items)


def make_template(slug: str, channel: str = "email", **values: Any) -> TemplateVersion:
    """A published template that greets by first name."""
    template = Template.objects.create(name=slug, slug=slug, channel=channel)
    body = "<html><body><p>Hello {{ contact.first_name | default: 'you' }}</p></body></html>"
    defaults: dict[str, Any] = {
        "number": 1,
        "subject": "Hello {{ contact.first_name | default: 'you' }}",
        "body": body if channel == "email" else "Hello {{ contact.first_name | default: 'you' }}",
    }
    version = TemplateVersion(template=template, **{**defaults, **values})
    rendering.publish(version, NOON)
    return version


def make_queued(contact: Contact, *, now: datetime = NOON, **values: Any) -> Message:
    """A message that the policy lets go, due at once, with the consent that lets it go."""
    defaults: dict[str, Any] = {
        "created_at": now,
        "due_at": now,
        "slot": contact.slot,
        "contact": contact,
        "key": uuid.uuid4(),
        "purpose": "offers",
        "channel": "email",
        "address": contact.email,
        "content": {"email": "hello"},
        "state": Message.State.QUEUED,
    }
    message = Message.objects.create(**{**defaults, **values})
    ConsentState.objects.get_or_create(
        contact=contact,
        channel=message.channel,
        purpose=message.purpose,
        defaults={"slot": contact.slot, "allowed": True, "entry_id": 0, "since": now},
    )
    return message


def make_version(graph: dict[str, Any], *, slug: str = "trial", now: datetime = NOON) -> JourneyVersion:
    """A live journey with ``graph`` as its published version."""
    journey = Journey.objects.create(name=slug.title(), slug=slug, status=Journey.Status.LIVE, draft=graph)
    version = JourneyVersion.objects.create(journey=journey, number=1, graph=graph, published_at=now)
    journey.live_version_id = version.id
    journey.save()
    return version


def log_event(contact: Contact, name: str, at: datetime, **properties: Any) -> None:
    """One event in the log: our own as our own, the others as ingest appends them."""
    own = name.startswith(("Message ", "Segment ", "Journey ", "Consent "))
    kind = event_log.SYSTEM if own else event_log.TRACK
    event_log.append([event_log.NewEvent(contact.id, name, at, at, kind, properties=properties)])
