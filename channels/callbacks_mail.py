"""What email services tell us: receipts, and mails that people wrote. Read by anymail, believed by proof."""

from __future__ import annotations

import base64
import hashlib
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NamedTuple

from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailWarning,
    AnymailWebhookValidationFailure,
)
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest

from channels import bounce_kinds, mail_ids, returned_mail, sealing, sns_signature, standard_webhooks
from channels.callbacks import TOLERANCE_SECONDS, ForgedError, UnreadableError
from channels.hits import KINDS, NewHit
from channels.models import ProviderAccount

_LONGEST = 500


class _Service(NamedTuple):
    """Anymail's views of a service, and the settings that hold the keys with which it signs to each.

    ``hook``: the key of receipts is one of its own, not the API key. No ``inbound``: its post does not hold
    the mail.
    """

    tracking: str
    key: str = ""
    inbound: str = ""
    inbound_key: str = ""


_SERVICES = {
    "amazon_ses": _Service("TrackingView", "", "InboundView"),
    "brevo": _Service("BrevoTrackingWebhookView", "", "BrevoInboundWebhookView"),
    "mailersend": _Service(
        "MailerSendTrackingWebhookView", "signing_secret", "MailerSendInboundWebhookView", "inbound_secret"
    ),
    "mailgun": _Service(
        "MailgunTrackingWebhookView",
        "webhook_signing_key",
        "MailgunInboundWebhookView",
        "webhook_signing_key",
    ),
    "mailjet": _Service("MailjetTrackingWebhookView", "", "MailjetInboundWebhookView"),
    "mailtrap": _Service("MailtrapTrackingWebhookView", "tracking_secret"),
    "mandrill": _Service(
        "MandrillCombinedWebhookView", "webhook_key", "MandrillCombinedWebhookView", "webhook_key"
    ),
    "postal": _Service("PostalTrackingWebhookView", "webhook_key", "PostalInboundWebhookView", "webhook_key"),
    "postmark": _Service("PostmarkTrackingWebhookView", "", "PostmarkInboundWebhookView"),
    "resend": _Service("ResendTrackingWebhookView", "signing_secret"),
    "sendgrid": _Service(
        "SendGridTrackingWebhookView", "tracking_webhook_verification_key", "SendGridInboundWebhookView"
    ),
    "sparkpost": _Service("SparkPostTrackingWebhookView", "", "SparkPostInboundWebhookView"),
    "unisender_go": _Service("UnisenderGoTrackingWebhookView", "api_key"),
}


#: Views of our own; those of the others are anymail's.
_OWN_VIEWS = {"amazon_ses": "channels.amazon_views"}
#: Services that say when they signed; an older signature is a replay. Header, or a look into the post.
_STAMPED: dict[str, Callable[[HttpRequest], str]] = {
    "sendgrid": lambda request: request.headers.get("X-Twilio-Email-Event-Webhook-Timestamp", ""),
}


def receipts(account: ProviderAccount, request: HttpRequest, now: datetime) -> list[NewHit]:
    """The hits in an email service's report. Raises ForgedError, UnreadableError."""
    return [
        hit
        for event in _events(account, request, now, inbound=False)
        if (hit := _receipt(account, event, now)) is not None
    ]


def letters(account: ProviderAccount, request: HttpRequest, now: datetime) -> list[NewHit]:
    """The hits in mails that a service received for us: answers, bounces, complaints. Raises as above."""
    found = []
    for event in _events(account, request, now, inbound=True):
        mail = getattr(event, "message", None)
        returned = returned_mail.of(mail) if mail is not None else None
        if mail is not None and returned is not None:
            own = str(event.event_id or mail.get("Message-ID") or "")
            if hit := hit_of(returned, account.pk, own, now):
                found.append(hit)
    return found


def hit_of(
    returned: returned_mail.Returned, account_id: int | None, own: str, now: datetime
) -> NewHit | None:
    """A mail that came back as a hit; None when it names no message of ours."""
    token = mail_ids.found(returned.names)
    if token is None:
        return None
    digest = hashlib.sha256(f"{own}\0{token.message_id}".encode()).hexdigest()[:40]
    return NewHit(
        now,
        returned.kind,
        token.message_id,
        token.created_at,
        provider_id=account_id,
        receipt_key=f"mail:{returned.kind}:{digest}",
        data={"code": returned.code, "soft": returned.soft},
    )


def wants_asking(account: ProviderAccount, request: HttpRequest) -> bool:
    """Whether this is a service that shows its password only where it is asked for."""
    return account.settings.get("service") == "amazon_ses" and "Authorization" not in request.headers


def sns_confirmation(account: ProviderAccount, request: HttpRequest, now: datetime) -> str:
    """The address that confirms a subscription of Amazon's, when the post is a proven one; else nothing."""
    if request.headers.get("x-amz-sns-message-type") != "SubscriptionConfirmation":
        return ""
    view = _view(account, request, now, inbound=False)
    return str(view._parse_sns_message(request).get("SubscribeURL", ""))


def _events(account: ProviderAccount, request: HttpRequest, now: datetime, *, inbound: bool) -> list[Any]:
    view = _view(account, request, now, inbound=inbound)
    try:
        events: list[Any] = view.parse_events(request)
    except (AnymailAPIError, AnymailConfigurationError, SuspiciousOperation) as error:
        raise UnreadableError(type(error).__name__) from None
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise UnreadableError(type(error).__name__) from None
    # One address takes both kinds of some services.
    return [one for one in events if hasattr(one, "message") is inbound]


def _view(account: ProviderAccount, request: HttpRequest, now: datetime, *, inbound: bool) -> Any:
    """Anymail's view of the account's service, after the request was proven to come from there.

    Raises ForgedError, CertificateAwayError.
    """
    values = sealing.values_of(account)
    name = str(values.get("service", ""))
    service = _SERVICES.get(name)
    view_name = "" if service is None else service.inbound if inbound else service.tracking
    if service is None or not view_name:
        raise ForgedError("this service reports nothing here")
    key_setting = service.inbound_key if inbound else service.key
    key = str(values.get("inbound_key" if inbound and values.get("inbound_key") else "signing_key") or "")
    basic = str(values.get("webhook_secret") or "")
    if not basic and not (key and key_setting):
        raise ForgedError("no secret is set, so nothing can be believed")
    given: dict[str, Any] = {"webhook_secret": basic} if basic else {}
    if key and key_setting and name != "resend":
        given[key_setting] = key
    if name == "mandrill":
        given["webhook_url"] = _address(request)
    elif name == "brevo" and inbound:
        given["api_key"] = str(values.get("api_key") or "")
    _fresh(name, request, now)
    if name == "resend" and key:
        _standard(key, request, now)
    view_class = getattr(import_module(_OWN_VIEWS.get(name, f"anymail.webhooks.{name}")), view_name)
    view_class.warn_if_no_basic_auth = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AnymailWarning)
            view = view_class(**given)
        view.setup(request)
        view.run_validators(request)
        words = sns_signature.complaint(view._parse_sns_message(request)) if name == "amazon_ses" else ""
    except (AnymailWebhookValidationFailure, AnymailConfigurationError) as error:
        raise ForgedError(str(error)[:200]) from None
    except (AnymailAPIError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ForgedError("not what this service posts") from None
    if words:
        raise ForgedError(words)
    return view


def _fresh(name: str, request: HttpRequest, now: datetime) -> None:
    if name not in _STAMPED:
        return
    stamp = _STAMPED[name](request)
    if stamp and not (
        stamp.isascii() and stamp.isdigit() and abs(now.timestamp() - int(stamp[:12])) <= TOLERANCE_SECONDS
    ):
        raise ForgedError("an old signature")


def _standard(secret: str, request: HttpRequest, now: datetime) -> None:
    """Prove a webhook that is signed as Svix does, which became Standard Webhooks."""
    if words := standard_webhooks.complaint(secret, request.headers, request.body, now, prefix="svix"):
        raise ForgedError(words)


def _address(request: HttpRequest) -> str:
    """This request's address as the service knows it, with the user name and password in it."""
    scheme, _sep, rest = settings.SEGUE_BASE_URL.partition("://")
    header = request.headers.get("Authorization", "")
    pair = ""
    if header.lower().startswith("basic "):
        try:
            pair = base64.b64decode(header[6:]).decode() + "@"
        except ValueError:
            raise ForgedError("no user name and password") from None
    return f"{scheme}://{pair}{rest}{request.get_full_path()}"


def _receipt(account: ProviderAccount, event: Any, now: datetime) -> NewHit | None:
    kind = str(getattr(event, "event_type", ""))
    if kind == "failed":
        kind = "rejected"
    if kind not in KINDS:
        return None
    metadata = getattr(event, "metadata", None)
    message_id, created_at = _ours((metadata if isinstance(metadata, dict) else {}).get("segue"))
    reason = str(event.reject_reason or "")
    at = event.timestamp if isinstance(event.timestamp, datetime) and event.timestamp.tzinfo else now
    own = event.event_id or f"{event.message_id}:{event.recipient}:{at.timestamp()}"
    return NewHit(
        min(at, now),
        kind,
        message_id,
        created_at,
        provider_id=account.pk,
        receipt_key=f"{kind}:{own}"[:200],
        data={
            "provider_message_id": str(event.message_id or "")[:200],
            "agent": str(event.user_agent or "")[:_LONGEST],
            "url": str(event.click_url or "")[:2000],
            "code": reason or str(event.mta_response or "")[:_LONGEST],
            "soft": kind == "bounced"
            and not bounce_kinds.ended(account.settings.get("service"), event.esp_event),
        },
    )


def _ours(text: object) -> tuple[int | None, datetime | None]:
    """The message that our own metadata names."""
    try:
        number, _dot, seconds = str(text or "").partition(".")
        return int(number), datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None, None
