"""A template sent to one address by the channel's own account, to see it where it will be read."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings

from channels import accounts, addresses, previewing
from channels.models import ProviderAccount, TemplateVersion
from channels.models.provider import Channel
from channels.providers.base import Parcel, Result, Words
from channels.rendering_mail import Mail
from contacts import consent
from contacts.models import Contact, Suppression

#: Channels in which a person can name an address to look at.
CHANNELS = (Channel.EMAIL, Channel.SMS)


class NotTriedError(Exception):
    """The test cannot be sent; the message says why."""


def send(version: TemplateVersion, contact: Contact | None, address: str, now: datetime) -> Result:
    """Hand the message over, written as for ``contact``; what the provider said.

    Raises NotTriedError, NotReadyError, AddressError and TemplateError. It is in no contact's history.
    """
    channel = version.template.channel
    account = (
        ProviderAccount.objects.filter(channel=channel, active=True).order_by("position", "name").first()
    )
    if channel not in CHANNELS or account is None:
        raise NotTriedError("no active account carries this channel")
    checked = addresses.email(address) if channel == Channel.EMAIL else addresses.phone(address)
    if Suppression.objects.filter(channel=channel, address=consent.address_key(channel, checked)).exists():
        raise NotTriedError("this address is suppressed")
    letter = previewing.letter(version, contact, now)
    key = uuid.uuid4()
    sender = str(account.settings.get("from_email") or settings.DEFAULT_FROM_EMAIL)
    content: Mail | Words = Words(letter.text, letter.subject, letter.link)
    if channel == Channel.EMAIL:
        content = Mail(
            recipient=checked,
            sender=sender,
            sender_name=str(account.settings.get("from_name") or ""),
            subject=f"[Test] {letter.subject}",
            text=letter.text,
            html=letter.html,
            message_id=f"<{key.hex}@{sender.rpartition('@')[2]}>",
            sent_at=now,
            headers={"X-Segue-Test": version.template.slug},
        )
    # Not a message of anybody: a sandbox keeps it without one.
    parcel = Parcel(-(key.int >> 65), now, key, channel, checked, content)
    provider = accounts.opened(account)
    try:
        return provider.send([parcel], list, now)[parcel.message_id]
    finally:
        provider.close()
