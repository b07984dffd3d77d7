"""Providers' callbacks, turned into hits. Who cannot prove to be the provider is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from channels import sealing, standard_webhooks
from channels.hits import KINDS, NewHit
from channels.models import ProviderAccount

#: How old a signed report may be, and how far ahead of our clock.
TOLERANCE_SECONDS = 300
_LONGEST = 500
_SMS_KINDS = {
    "delivered": "delivered",
    "undelivered": "bounced",
    "failed": "rejected",
    "rejected": "rejected",
}


class ForgedError(Exception):
    """The callback does not prove that it comes from the provider."""


class UnreadableError(Exception):
    """The callback is the provider's, but says nothing that can be read."""


def from_sms(account: ProviderAccount, body: bytes, signature: str, now: datetime) -> list[NewHit]:
    """The hits in a text gateway's report: ``{"id", "status", "event"?, "code"?, "permanent"?}`` or a list.

    The header ``X-Segue-Signature: t=<unix>,v1=<hex>`` signs ``<unix>.<body>`` with HMAC-SHA256.
    Raises ForgedError, UnreadableError.
    """
    verify(str(sealing.values_of(account).get("receipt_secret") or ""), body, signature, now)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableError("not JSON") from None
    items: Iterable[Any] = told if isinstance(told, list) else [told]
    return [hit for item in items if isinstance(item, dict) and (hit := _sms_hit(account.pk, item, now))]


class Text(NamedTuple):
    """A text message from a person, as a gateway hands it over."""

    id: str
    sender: str
    text: str


def texts_from_sms(account: ProviderAccount, body: bytes, signature: str, now: datetime) -> list[Text]:
    """The texts in a gateway's report: ``{"id", "from", "text"}`` or a list, signed as receipts are.

    Raises ForgedError, UnreadableError.
    """
    verify(str(sealing.values_of(account).get("receipt_secret") or ""), body, signature, now)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableError("not JSON") from None
    items: Iterable[Any] = told if isinstance(told, list) else [told]
    found = []
    for item in items:
        if isinstance(item, dict) and item.get("id") and isinstance(item.get("from"), str):
            text = str(item.get("text") or "").replace("\x00", "").encode(errors="ignore").decode()
            found.append(Text(str(item["id"])[:200], item["from"].replace("\x00", "")[:64], text))
    return found


def from_own(
    account: ProviderAccount, headers: Mapping[str, str], body: bytes, now: datetime
) -> list[NewHit]:
    """The hits in a post of the operator's own server: ``{"id", "status", "code"?, "permanent"?}`` or a list.

    ``status`` is a receipt's word. Signed as Standard Webhooks says. Raises ForgedError, UnreadableError.
    """
    if words := standard_webhooks.complaint(
        str(sealing.values_of(account).get("secret") or ""), headers, body, now
    ):
        raise ForgedError(words)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableError("not JSON") from None
    items: Iterable[Any] = told if isinstance(told, list) else [told]
    return [hit for item in items if isinstance(item, dict) and (hit := _own_hit(account.pk, item, now))]


def _own_hit(account_id: int, item: dict[str, Any], now: datetime) -> NewHit | None:
    kind, name, code, agent = (_plain(item.get(key)) for key in ("status", "id", "code", "agent"))
    if kind not in KINDS or not name:
        return None
    data = {
        "provider_message_id": name[:150],
        "code": code[:_LONGEST],
        "soft": kind == "bounced" and not item.get("permanent"),
        "agent": agent[:_LONGEST],
    }
    key = f"{kind}:{_plain(item.get('event')) or name}"[:200]
    return NewHit(now, kind, provider_id=account_id, receipt_key=key, data=data)


def _plain(value: object) -> str:
    # Neither NUL nor half a sign can be kept.
    return str(value or "").replace("\x00", "").encode(errors="ignore").decode()


def verify(secret: str, body: bytes, signature: str, now: datetime) -> None:
    """Raise ForgedError unless ``signature`` is fresh and made with ``secret``."""
    if not secret:
        raise ForgedError("no secret is set, so nothing can be believed")
    parts = dict(part.strip().partition("=")[::2] for part in signature.split(",")[:5])
    stamp, given = parts.get("t", ""), parts.get("v1", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12) or not given.isascii():
        raise ForgedError("no signature")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise ForgedError("an old signature")
    right = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(right, given):
        raise ForgedError("a wrong signature")


def _sms_hit(account_id: int, item: dict[str, Any], now: datetime) -> NewHit | None:
    kind = _SMS_KINDS.get(str(item.get("status", "")).lower())
    name = str(item.get("id") or "")[:200]
    if kind is None or not name:
        return None
    return NewHit(
        now,
        kind,
        provider_id=account_id,
        receipt_key=f"{kind}:{item.get('event') or name}"[:200],
        data={
            "provider_message_id": name,
            "code": str(item.get("code", ""))[:_LONGEST],
            "soft": kind == "bounced" and not item.get("permanent"),
        },
    )
