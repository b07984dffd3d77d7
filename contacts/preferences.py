"""What people decide for themselves: links that carry who may decide what, and the deciding.

A token names a person by their public id, what it is for, and when it ends; it is signed, so nobody can
make one for somebody else. No number that counts up is in it, and a token of one use opens nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from contacts import consent, permission
from contacts.consent import NewConsent
from contacts.models import ChannelAddress, Contact, Merge, Purpose

#: What the preference page says; kept with each consent so that the wording can be shown later.
WORDING = "preferences-1"

PAUSE = permission.PAUSE
#: What the page offers, in days.
PAUSES = (7, 30, 90)

_HEAD = struct.Struct(">BI16s16s")
_VERSION = 1
_SIGNATURE = 16
_NOBODY = UUID(int=0)
_MOST_MERGES = 20


class Use(StrEnum):
    """What a token opens. The value is part of what is signed."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"


#: How long links work. The law asks for 30 days after the message; mail is read later than that.
LIFETIME = {Use.UNSUBSCRIBE: timedelta(days=400), Use.PREFERENCES: timedelta(days=120)}


class TokenExpiredError(Exception):
    """The link was made by us, and is too old."""


class TokenInvalidError(Exception):
    """The link was not made by us, or not for this."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token says: who, and of which channel, purpose and message (its key) the link was."""

    contact: UUID
    channel: str
    purpose: str
    message: UUID | None = None


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of a person's own pages, for a message."""

    preferences_url: str
    unsubscribe_url: str


def links(contact: UUID, channel: str, purpose: str, now: datetime, *, message: UUID | None = None) -> Links:
    """The links for a message to a person (their public id); ``message`` is the message's key."""
    grant = Grant(contact, channel, purpose, message)
    base = settings.SEGUE_BASE_URL
    return Links(
        preferences_url=f"{base}/p/{token(grant, Use.PREFERENCES, now)}",
        unsubscribe_url=f"{base}/u/{token(grant, Use.UNSUBSCRIBE, now)}",
    )


def token(grant: Grant, use: Use, now: datetime) -> str:
    """A signed text that opens ``use`` for one person until its lifetime ends."""
    ends = int((now + LIFETIME[use]).timestamp())
    head = _HEAD.pack(_VERSION, ends, grant.contact.bytes, (grant.message or _NOBODY).bytes)
    body = head + f"{grant.channel}\x1f{grant.purpose}".encode()
    return _text(body + _sign(body, use, settings.SECRET_KEY))


def read(text: str, use: Use, now: datetime) -> Grant:
    """What a token says; raises TokenInvalidError or TokenExpiredError."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise TokenInvalidError from None
    body, signature = raw[:-_SIGNATURE], raw[-_SIGNATURE:]
    # A text that decodes to the same bytes in another spelling is not one of ours.
    if len(body) < _HEAD.size or _text(raw) != text:
        raise TokenInvalidError
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not any(hmac.compare_digest(signature, _sign(body, use, key)) for key in keys):
        raise TokenInvalidError
    version, ends, contact, message = _HEAD.unpack_from(body)
    channel, _separator, purpose = body[_HEAD.size :].decode().partition("\x1f")
    if version != _VERSION:
        raise TokenInvalidError
    if datetime.fromtimestamp(ends, UTC) < now:
        raise TokenExpiredError
    key = UUID(bytes=message)
    return Grant(UUID(bytes=contact), channel, purpose, None if key == _NOBODY else key)


def person(grant: Grant) -> Contact | None:
    """Whom a grant is about: the contact, or the one they were merged into since."""
    contact = Contact.objects.filter(public_id=grant.contact).first()
    if contact is not None:
        return contact
    merge = Merge.objects.filter(loser_public_id=grant.contact).order_by("-id").first()
    for _step in range(_MOST_MERGES):
        if merge is None:
            return None
        contact = Contact.objects.filter(pk=merge.winner_id).first()
        if contact is not None:
            return contact
        merge = Merge.objects.filter(loser_id=merge.winner_id).order_by("-id").first()
    return None


def unsubscribe(
    contact: Contact, grant: Grant, now: datetime, *, origin: str, proof: Mapping[str, str]
) -> bool:
    """Withdraw what the message was about, at once; the second time changes nothing. Whether it did."""
    return bool(
        consent.withdraw(
            contact.pk,
            now,
            origin=origin,
            channels=[grant.channel],
            purpose=grant.purpose,
            proof=proof,
        )
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """One box of the page: a purpose on a channel."""

    channel: str
    purpose: str
    allowed: bool

    @property
    def field(self) -> str:
        return f"{self.channel}:{self.purpose}"


@dataclass(frozen=True, slots=True)
class Row:
    """One purpose with a box for each channel."""

    purpose: Purpose
    choices: Sequence[Choice]


def rows(contact: Contact) -> list[Row]:
    """The page's boxes: marketing purposes by the channels that reach this person."""
    consents = consent.states([contact.pk]).get(contact.pk, {})
    channels = reachable(contact, consents)
    return [
        Row(
            purpose,
            [
                Choice(one, purpose.slug, permission.of(consents, one, purpose.slug) or False)
                for one in channels
            ],
        )
        for purpose in Purpose.objects.filter(transactional=False)
    ]


def reachable(contact: Contact, consents: permission.Consents) -> list[str]:
    """Channels with an address, or about which the person has said something; email if there are none."""
    has = {"email": bool(contact.email), "sms": bool(contact.phone)}
    active = Q(contact=contact, slot=contact.slot, active=True)
    for channel in ChannelAddress.objects.filter(active).values_list("channel", flat=True):
        has[channel] = True
    spoken = {channel for channel, _purpose in consents}
    return [one for one in consent.CHANNELS if has.get(one) or one in spoken] or ["email"]


def choose(contact: Contact, wanted: Collection[str], now: datetime, proof: Mapping[str, str]) -> int:
    """Record what the page's boxes (``channel:purpose``) changed; returns how many lines."""
    with transaction.atomic():
        consent.lock([contact.pk])
        changed = [
            NewConsent(
                contact.pk,
                choice.channel,
                choice.purpose,
                choice.field in wanted,
                "preference page",
                wording=WORDING,
                proof=proof,
            )
            for row in rows(contact)
            for choice in row.choices
            if (choice.field in wanted) is not choice.allowed
        ]
        return consent.record(changed, now)


def leave(contact: Contact, now: datetime, proof: Mapping[str, str]) -> bool:
    """Withdraw everything on every channel; whether anything was open."""
    return bool(consent.withdraw(contact.pk, now, origin="preference page", proof=proof))


def pause(contact: Contact, days: int, now: datetime) -> datetime | None:
    """Let the person hear nothing for so many days (none ends a pause); returns until when."""
    until = now + timedelta(days=days) if days else None
    _keep_own(contact, {PAUSE: until.isoformat() if until else None}, now)
    return until


def limit(contact: Contact, weekly: int | None, quiet: tuple[time, time] | None, now: datetime) -> None:
    """Keep how many messages a week the person wants at most, and their own quiet hours; None is no limit."""
    hours = f"{quiet[0]:%H:%M}-{quiet[1]:%H:%M}" if quiet else None
    _keep_own(contact, {permission.WEEKLY: weekly, permission.QUIET: hours}, now)


def _keep_own(contact: Contact, values: Mapping[str, str | int | None], now: datetime) -> None:
    """Write or remove what is the person's alone. Events that arrive meanwhile change other keys."""
    kept = {name: value for name, value in values.items() if value is not None}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_contact SET attributes = (attributes - %s::text[]) || %s::jsonb, updated_at = %s"
            " WHERE id = %s",
            [list(values), json.dumps(kept), now, contact.pk],
        )
    rest = {name: value for name, value in contact.attributes.items() if name not in values}
    contact.attributes = rest | kept


def pause_from(text: object) -> datetime | None:
    """The instant that the attribute holds; None where it holds none."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else None


def weekly_from(value: object) -> int | None:
    """The own maximum that the attribute holds; None where it holds none."""
    try:
        found = int(value) if isinstance(value, str | int) else 0
    except ValueError:
        return None
    return found if found > 0 else None


def quiet_from(text: object) -> tuple[time, time] | None:
    """The own quiet hours that the attribute holds, such as ``22:00-08:00``; None where it holds none."""
    begins, _dash, ends = text.partition("-") if isinstance(text, str) else ("", "", "")
    try:
        found = time.fromisoformat(begins), time.fromisoformat(ends)
    except ValueError:
        return None
    return None if found[0] == found[1] else found


def speak(contact: Contact, language: str, now: datetime) -> None:
    """Remember the language in which the person wants to be written to."""
    if contact.language[:2] != language:
        Contact.objects.filter(pk=contact.pk).update(language=language, updated_at=now)
        contact.language = language


def _sign(body: bytes, use: Use, key: str) -> bytes:
    return hmac.digest(f"contacts.preferences.{use}.{key}".encode(), body, "sha256")[:_SIGNATURE]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
