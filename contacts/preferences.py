"""What people decide for themselves: links that carry who may decide what, and the deciding.

A token names a person by their public id, what it is for, and when it ends; it is signed, so nobody can
make one for somebody else. No number that counts up is in it, and a token of one use opens nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from contacts import consent, event_log, permission, profile_rows
from contacts.consent import NewConsent, asking, wordings
from contacts.directory import ANONYMOUS, DEVICE
from contacts.event_log import NewEvent
from contacts.models import ChannelAddress, Contact, Identifier, Merge, Purpose
from contacts.permission import TRACKING
from contacts.profile import PERSON, Origin

#: Where the ledger says that such an answer was given.
ORIGIN = "preference page"

_HEAD = struct.Struct(">BI16s16s")
_BEGINS = struct.Struct(">BI")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_VERSION = 1
_SIGNATURE = 16
_NOBODY = UUID(int=0)
_MOST_MERGES = 20


class Use(StrEnum):
    """What a token opens. The value is part of what is signed."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"
    WHY = "why"


#: How long links work. The law asks for 30 days after the message; mail is read later than that.
LIFETIME = {
    Use.UNSUBSCRIBE: timedelta(days=400),
    Use.PREFERENCES: timedelta(days=120),
    Use.CONFIRM: asking.WAITS,
    Use.WHY: timedelta(days=400),
}


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
    why_url: str


def links(contact: UUID, channel: str, purpose: str, now: datetime, *, message: UUID | None = None) -> Links:
    """The links for a message to a person (their public id); ``message`` is the message's key."""
    return linker(channel, purpose, now)(contact, message or _NOBODY)


def linker(channel: str, purpose: str, now: datetime) -> Callable[[UUID, UUID], Links]:
    """``links`` for many people (public id and key of the message), who have all else in common."""
    ends = _about(channel, purpose)
    makers = [
        (f"{settings.SEGUE_BASE_URL}/{path}/", _begins(use, now), _keyed(use, settings.SECRET_KEY))
        for path, use in (("p", Use.PREFERENCES), ("u", Use.UNSUBSCRIBE), ("w", Use.WHY))
    ]

    def make(contact: UUID, message: UUID) -> Links:
        whose = contact.bytes + message.bytes + ends
        found = []
        for front, begins, keyed in makers:
            body = begins + whose
            digest = keyed.copy()
            digest.update(body)
            found.append(front + _text(body + digest.digest()[:_SIGNATURE]))
        return Links(*found)

    return make


def token(grant: Grant, use: Use, now: datetime) -> str:
    """A signed text that opens ``use`` for one person until its lifetime ends."""
    whose = grant.contact.bytes + (grant.message or _NOBODY).bytes
    body = _begins(use, now) + whose + _about(grant.channel, grant.purpose)
    return _text(body + _sign(body, use, settings.SECRET_KEY))


def _begins(use: Use, now: datetime) -> bytes:
    return _BEGINS.pack(_VERSION, int((now + LIFETIME[use]).timestamp()))


def _about(channel: str, purpose: str) -> bytes:
    return f"{channel}\x1f{purpose}".encode()


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
    """One box of the page: a purpose on a channel. ``waits``: asked for, and not confirmed yet."""

    channel: str
    purpose: str
    allowed: bool
    waits: bool = False

    @property
    def field(self) -> str:
        return f"{self.channel}:{self.purpose}"


@dataclass(frozen=True, slots=True)
class Row:
    """One purpose with a box for each channel."""

    purpose: Purpose
    choices: Sequence[Choice]


def rows(contact: Contact, now: datetime) -> list[Row]:
    """The page's boxes: marketing purposes by the channels that reach this person."""
    consents = consent.states([contact.pk], now).get(contact.pk, {})
    waiting = consent.pending(contact.pk, now)
    channels = reachable(contact, consents)
    return [
        Row(
            purpose,
            [
                Choice(
                    one,
                    purpose.slug,
                    permission.allowed(consents, one, purpose.slug),
                    (one, purpose.slug) in waiting,
                )
                for one in channels
            ],
        )
        for purpose in Purpose.objects.filter(transactional=False).exclude(slug=TRACKING)
    ]


def measured(contact: Contact, now: datetime) -> bool | None:
    """Whether the person lets us measure their reading; None when they were never asked."""
    consents = consent.states([contact.pk], now).get(contact.pk, {})
    said = [allowed for (_channel, purpose), allowed in consents.items() if purpose == TRACKING]
    return all(said) if said else None


def reachable(contact: Contact, consents: permission.Consents) -> list[str]:
    """Channels with an address, or about which the person has said something; email if there are none."""
    has = {"email": bool(contact.email), "sms": bool(contact.phone)}
    active = Q(contact=contact, slot=contact.slot, active=True)
    for channel in ChannelAddress.objects.filter(active).values_list("channel", flat=True):
        has[channel] = True
    # What waits on a website reaches whoever has come there.
    has["inapp"] = Identifier.objects.filter(contact=contact, kind__in=(ANONYMOUS, DEVICE)).exists()
    # Measuring is answered for all channels at once; that gives nobody an address.
    spoken = {channel for channel, purpose in consents if purpose != TRACKING}
    return [one for one in consent.CHANNELS if has.get(one) or one in spoken] or ["email"]


def choose(
    contact: Contact, wanted: Collection[str], grant: Grant, now: datetime, proof: Mapping[str, str]
) -> Counter[str]:
    """Write down what the page's boxes (``channel:purpose``) changed; how many ``recorded`` and ``asked``.

    Who holds a link from a message on a channel has shown that the channel is theirs; on the others a
    purpose may ask for a confirmation first.
    """
    wording = wordings.reference(wordings.PREFERENCES, now)
    with transaction.atomic():
        consent.lock([contact.pk])
        changed = [
            NewConsent(
                contact.pk,
                choice.channel,
                choice.purpose,
                choice.field in wanted,
                ORIGIN,
                wording=wording,
                proof=proof,
            )
            for row in rows(contact, now)
            for choice in row.choices
            if (choice.field in wanted) is not choice.allowed
        ]
        # An empty box that waits for its confirmation is no refusal, and was none before.
        waiting = consent.pending(contact.pk, now)
        changed = [one for one in changed if one.given or (one.channel, one.purpose) not in waiting]
        proven = [one for one in changed if one.channel == grant.channel]
        recorded = consent.record(proven, now)
        rest = consent.ask([one for one in changed if one.channel != grant.channel], now)
        return Counter(recorded=recorded) + rest


def measure(contact: Contact, wanted: bool, now: datetime, proof: Mapping[str, str]) -> int:
    """Let the person's reading be measured, or no longer, on every channel; returns how many lines."""
    with transaction.atomic():
        consent.lock([contact.pk])
        if measured(contact, now) is wanted:
            return 0
        wording = wordings.reference(wordings.MEASURING, now)
        return consent.record(
            [
                NewConsent(contact.pk, one, TRACKING, wanted, ORIGIN, wording=wording, proof=proof)
                for one in consent.CHANNELS
            ],
            now,
        )


def leave(contact: Contact, now: datetime, proof: Mapping[str, str]) -> bool:
    """Withdraw everything on every channel, measuring too; whether any message was open."""
    with transaction.atomic():
        left = bool(consent.withdraw(contact.pk, now, origin=ORIGIN, proof=proof))
        measure(contact, False, now, proof)
    return left


def speak(contact: Contact, language: str, now: datetime) -> None:
    """Remember the language in which the person wants to be written to."""
    if contact.language[:2] == language:
        return
    with transaction.atomic():
        Contact.objects.filter(pk=contact.pk).update(language=language, updated_at=now)
        profile_rows.trace(contact.pk, ["language"], ["language"], Origin.told(PERSON, now))
        # Segments judge the contact anew.
        event_log.append([NewEvent(contact.pk, "Identified", now, now, properties={"language": language})])
    contact.language = language


def _sign(body: bytes, use: Use, key: str) -> bytes:
    digest = _keyed(use, key).copy()
    digest.update(body)
    return digest.digest()[:_SIGNATURE]


@lru_cache(maxsize=32)
def _keyed(use: Use, key: str) -> hmac.HMAC:
    return hmac.new(f"contacts.preferences.{use}.{key}".encode(), digestmod="sha256")


def _text(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE).rstrip(b"=").decode("ascii")
