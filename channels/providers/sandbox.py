"""A provider that sends to nobody: its outbox is read in the back office."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from django.db import transaction

from channels.models import SandboxMessage
from channels.providers.base import Mark, Outcome, Parcel, Provider, Result, Words
from channels.rendering_mail import Mail

#: How long the outbox keeps a message.
KEPT = timedelta(days=90)


class Sandbox(Provider):
    """Keeps each message once, whatever happens: the message id is unique in its table."""

    kind = "sandbox"
    label = "Sandbox (nothing leaves)"
    channels = frozenset({"email", "sms", "push"})
    chunk = 500
    honours_key = True

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        going = mark(parcels)
        with transaction.atomic():
            SandboxMessage.objects.bulk_create(
                (self._row(parcel, now) for parcel in going), ignore_conflicts=True, batch_size=500
            )
        return {
            parcel.message_id: Result(
                Outcome.ACCEPTED, "250", provider_message_id=f"sandbox-{parcel.key.hex}"
            )
            for parcel in going
        }

    def check(self) -> str:
        return "The sandbox is always ready. Nothing leaves this server."

    def _row(self, parcel: Parcel, now: datetime) -> SandboxMessage:
        # It does not take finished mails, so what is no mail is words.
        content = cast(Mail | Words, parcel.content)
        return SandboxMessage(
            account_id=self.account_id,
            message_id=parcel.message_id,
            message_created_at=parcel.created_at,
            channel=parcel.channel,
            address=parcel.address[:2048],
            subject=content.subject if isinstance(content, Mail) else content.title,
            text=content.text,
            link="" if isinstance(content, Mail) else content.link,
            packed_html=zlib.compress(content.html.encode(), 1) if isinstance(content, Mail) else b"",
            headers=_headers(content) if isinstance(content, Mail) else {},
            received_at=now,
        )


def trim(now: datetime) -> int:
    """Forget what lay in the outbox for longer than anybody looks; returns how many messages."""
    return SandboxMessage.objects.filter(received_at__lt=now - KEPT).delete()[0]


def _headers(mail: Mail) -> dict[str, str]:
    headers = {
        "From": f"{mail.sender_name} <{mail.sender}>".strip(),
        "Message-ID": mail.message_id,
        **mail.headers,
    }
    if mail.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers
