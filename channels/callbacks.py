"""Providers' callbacks, turned into hits. Who cannot prove to be the provider is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NamedTuple

from anymail.exceptions import AnymailConfigurationError, AnymailWebhookValidationFailure
from django.http import HttpRequest

from channels import sealing
from channels.hits import KINDS, NewHit
from channels.models import ProviderAccount

#: How old a signed report may be, and how far ahead of our clock.
TOLERANCE_SECONDS = 300
_LONGEST = 500
#: Anymail's view of each service, and the setting that holds the key with which the service signs.
_VIEWS: dict[str, tuple[str, str]] = {
    "amazon_ses": ("AmazonSESTrackingWebhookView", ""),
    "brevo": ("BrevoTrackingWebhookView", ""),
    "mailersend": ("MailerSendTrackingWebhookView", "signing_secret"),
    "mailgun": ("MailgunTrackingWebhookView", "webhook_signing_key"),
    "mailjet": ("MailjetTrackingWebhookView", ""),
    "mailtrap": ("MailtrapTrackingWebhookView", "webhook_secret"),
    "mandrill": ("MandrillCombinedWebhookView", "webhook_key"),
    "postal": ("PostalTrackingWebhookView", "webhook_key"),
    "postmark": ("PostmarkTrackingWebhookView", ""),
    "resend": ("ResendTrackingWebhookView", "signing_secret"),
    "sendgrid": ("SendGridTrackingWebhookView", ""),
    "sparkpost": ("SparkPostTrackingWebhookView", ""),
    "unisender_go": ("UnisenderGoTrackingWebhookView", "api_key"),
}
_HARD = frozenset({"bounced", "invalid"})
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


def from_anymail(account: ProviderAccount, request: HttpRequest, now: datetime) -> list[NewHit]:
    """The hits in an email service's report. Raises ForgedError, UnreadableError."""
    values = sealing.values_of(account)
    service = str(values.get("service", ""))
    if service not in _VIEWS:
        raise ForgedError("this service reports nothing")
    name, key_setting = _VIEWS[service]
    signing_key, basic = str(values.get("signing_key") or ""), str(values.get("webhook_secret") or "")
    if not basic and not (signing_key and key_setting):
        raise ForgedError("no secret is set, so nothing can be believed")
    given: dict[str, Any] = {"webhook_secret": basic} if basic else {}
    if signing_key and key_setting:
        given[key_setting] = signing_key
    view_class = getattr(import_module(f"anymail.webhooks.{service}"), name)
    view_class.warn_if_no_basic_auth = False
    try:
        view = view_class(**given)
        view.setup(request)
        view.run_validators(request)
    except (AnymailWebhookValidationFailure, AnymailConfigurationError) as error:
        raise ForgedError(str(error)[:200]) from None
    try:
        events = view.parse_events(request)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableError(type(error).__name__) from None
    return [hit for event in events if (hit := _anymail_hit(account.pk, event, now)) is not None]


def _anymail_hit(account_id: int, event: Any, now: datetime) -> NewHit | None:
    kind = str(getattr(event, "event_type", ""))
    if kind not in KINDS:
        return None
    message_id, created_at = _ours((getattr(event, "metadata", None) or {}).get("segue"))
    reason = str(event.reject_reason or "")
    at = event.timestamp or now
    own = event.event_id or f"{event.message_id}:{event.recipient}:{at.timestamp()}"
    return NewHit(
        min(at, now),
        kind,
        message_id,
        created_at,
        provider_id=account_id,
        receipt_key=f"{kind}:{own}"[:200],
        data={
            "provider_message_id": str(event.message_id or "")[:200],
            "agent": str(event.user_agent or "")[:_LONGEST],
            "url": str(event.click_url or "")[:2000],
            "code": reason or str(event.mta_response or "")[:_LONGEST],
            "soft": kind == "bounced" and reason not in _HARD,
        },
    )


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


def _ours(text: object) -> tuple[int | None, datetime | None]:
    """The message that our own metadata names."""
    try:
        number, _dot, seconds = str(text or "").partition(".")
        return int(number), datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None, None
