"""A browser's or an app's wish to be pushed to, and the end of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from channels.models.provider import Channel
from channels.providers import apns, fcm
from contacts import consent, intake_keys
from contacts.consent import NewConsent
from contacts.models import ChannelAddress, Contact, Identifier, Purpose, SourceKey

_LONGEST = 2048
_MOST_PURPOSES = 20
_KEY = re.compile(r"[\w+/=-]{1,200}", re.ASCII)
_TOKEN = re.compile(r"[\w:.-]{20,1500}", re.ASCII)
#: What an app runs on, and how the addresses of its tokens begin.
PLATFORMS = {"android": fcm.PREFIX, "ios": apns.PREFIX, "ios_firebase": fcm.PREFIX}


class SubscriptionError(ValueError):
    """What the browser sent is no subscription; the message says what is wrong."""


def sender_of(key: str) -> tuple[int, str] | None:
    """The source of a key and what it may do; None when it may do nothing."""
    return (
        SourceKey.objects.filter(digest=intake_keys.digest(key), revoked_at__isnull=True, source__active=True)
        .values_list("source_id", "scope")
        .first()
    )


def find(user_id: str, anonymous_id: str) -> Contact | None:
    """The contact that a page knows by these ids."""
    for kind, value in ((Identifier.Kind.USER, user_id), (Identifier.Kind.ANONYMOUS, anonymous_id)):
        if value:
            found = Identifier.objects.select_related("contact").filter(kind=kind, value=value[:512]).first()
            if found:
                return found.contact
    return None


def subscribe(contact: Contact, subscription: Any, purposes: Sequence[str], now: datetime) -> ChannelAddress:
    """Keep a browser's subscription as the contact's, and what was agreed to. Raises SubscriptionError."""
    endpoint, keys = _checked(subscription)
    return _keep(contact, endpoint, {"keys": keys}, purposes, now, "browser")


def register(
    contact: Contact, platform: str, token: str, purposes: Sequence[str], now: datetime, *, former: str = ""
) -> ChannelAddress:
    """Keep an app's token as the contact's. ``former``: the token that it takes the place of.

    Raises SubscriptionError.
    """
    prefix = PLATFORMS.get(platform)
    if prefix is None:
        raise SubscriptionError(f"device.platform is none of {', '.join(PLATFORMS)}")
    if not _TOKEN.fullmatch(token):
        raise SubscriptionError("device.token is no token")
    if former and former != token:
        forget(contact, platform, former, now)
    return _keep(contact, prefix + token, {"platform": platform}, purposes, now, "app")


def forget(contact: Contact, platform: str, token: str, now: datetime) -> bool:
    """End an app's token of the contact; whether there was one."""
    address = PLATFORMS.get(platform, "") + token
    rows = ChannelAddress.objects.filter(
        channel=Channel.PUSH, contact=contact, slot=contact.slot, address=address, active=True
    )
    return bool(rows.update(active=False, ended_at=now))


def _keep(
    contact: Contact, address: str, data: dict[str, Any], purposes: Sequence[str], now: datetime, origin: str
) -> ChannelAddress:
    known = set(
        Purpose.objects.filter(slug__in=list(purposes)[:_MOST_PURPOSES]).values_list("slug", flat=True)
    )
    values = {"slot": contact.slot, "contact": contact, "data": data}
    with transaction.atomic():
        kept, _made = ChannelAddress.objects.update_or_create(
            channel=Channel.PUSH,
            address=address,
            defaults={**values, "active": True, "ended_at": None},
            create_defaults={**values, "created_at": now},
        )
        consent.record(
            [NewConsent(contact.id, Channel.PUSH, purpose, True, origin) for purpose in sorted(known)], now
        )
    return kept


def _checked(subscription: Any) -> tuple[str, dict[str, str]]:
    if not isinstance(subscription, dict):
        raise SubscriptionError("subscription is missing")
    endpoint, keys = subscription.get("endpoint"), subscription.get("keys")
    if not isinstance(endpoint, str) or len(endpoint) > _LONGEST or not _may_be_asked(endpoint):
        raise SubscriptionError("subscription.endpoint is not an https address")
    if not isinstance(keys, dict) or not all(
        isinstance(keys.get(name), str) and _KEY.fullmatch(keys[name]) for name in ("p256dh", "auth")
    ):
        raise SubscriptionError("subscription.keys is missing")
    return endpoint, {"p256dh": keys["p256dh"], "auth": keys["auth"]}


def _may_be_asked(address: str) -> bool:
    """An https address; plain http only at a host that the operator named as one of their own."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if not parts.hostname or not address.isascii() or not address.isprintable():
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in settings.SEGUE_LOCAL_HOSTS
    )
