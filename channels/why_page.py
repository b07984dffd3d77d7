"""“Why did I get this?”: what one person may know of one message to them. Reads only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q, QuerySet

from channels import why_words
from channels.models import Decision, Message
from contacts import permission
from contacts.models import ConsentEntry, Contact, Purpose
from contacts.preferences import Grant


@dataclass(frozen=True, slots=True)
class Why:
    """Everything the page says. ``message`` is None where it is no longer kept, or never was theirs."""

    purpose: Purpose | None
    channel: str
    message: Message | None = None
    service: bool = False
    consent: ConsentEntry | None = None
    #: Their consent was withdrawn since.
    withdrawn: bool = False
    rules: list[str] = field(default_factory=list)

    @property
    def wanted_by(self) -> str:
        """What the journey or campaign is called, as words: ``cart-rescue`` is ``Cart rescue``."""
        slug = self.message.origin_slug if self.message else ""
        words = slug.replace("-", " ").replace("_", " ").strip()
        return words[:1].upper() + words[1:]

    @property
    def sent_at(self) -> datetime | None:
        return (self.message.accepted_at or self.message.created_at) if self.message else None


def read(contact: Contact | None, grant: Grant) -> Why:
    """What is known of the message that the link came in; of the purpose alone where it is gone."""
    purpose = Purpose.objects.filter(slug=grant.purpose).first()
    message = None
    if contact is not None and grant.message is not None:
        message = Message.objects.filter(contact_id=contact.pk, key=grant.message).first()
    if contact is None or message is None:
        return Why(purpose, grant.channel, service=bool(purpose and purpose.transactional))
    service = message.transactional or bool(purpose and purpose.transactional)
    channel = message.channel or grant.channel
    said = None if service else _consent(contact, channel, message)
    latest = None if service else _latest(contact, channel, message.purpose)
    decision = (
        Decision.objects.filter(message_id=message.pk, outcome=Decision.Outcome.SEND).order_by("-id").first()
    )
    return Why(
        purpose,
        channel,
        message,
        service,
        said,
        withdrawn=latest is not None and latest.action == ConsentEntry.Action.WITHDRAWN,
        rules=why_words.rules(decision) if decision else [],
    )


def _consent(contact: Contact, channel: str, message: Message) -> ConsentEntry | None:
    """The line of the ledger that allowed the message when it left."""
    at = message.accepted_at or message.created_at
    lines = _lines(contact, channel, message.purpose).filter(recorded_at__lte=at)
    last = lines.order_by("-id").first()
    return last if last is not None and last.action == ConsentEntry.Action.GIVEN else None


def _latest(contact: Contact, channel: str, purpose: str) -> ConsentEntry | None:
    return _lines(contact, channel, purpose).order_by("-id").first()


def _lines(contact: Contact, channel: str, purpose: str) -> QuerySet[ConsentEntry]:
    named = Q(purpose=purpose) | Q(purpose=permission.EVERY)
    return ConsentEntry.objects.filter(named, contact_id=contact.pk, channel=channel)
