"""Email over any service that django-anymail knows: the account names its backend and settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from email.utils import quote
from typing import Any

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailError,
    AnymailImproperlyInstalled,
    AnymailRecipientsRefused,
    AnymailUnsupportedFeature,
)
from django.core.mail import EmailMultiAlternatives, get_connection

from channels.providers.base import Mark, NotReadyError, Outcome, Parcel, Provider, Result, Setting
from channels.rendering_mail import Mail

#: Services with sending and status reports, by the name of their module in anymail.
SERVICES = (
    "amazon_ses", "brevo", "mailersend", "mailgun", "mailjet", "mailtrap", "mandrill", "postal", "postmark",
    "resend", "scaleway", "sendgrid", "sparkpost", "unisender_go", "test",
)  # fmt: skip
_TAKEN = frozenset({"sent", "queued", "unknown"})


class Anymail(Provider):
    """One API call a message. Its id here travels as metadata, so that reports find their way back."""

    kind = "anymail"
    label = "Email service (anymail)"
    channels = frozenset({"email"})
    chunk = 8
    settings = (
        Setting("service", "Service", "One of: " + ", ".join(SERVICES[:-1]), required=True),
        Setting("options", "Options", 'JSON, for example {"sender_domain": "mg.example.com"}', default="{}"),
        Setting("api_key", "API key", secret=True),
        Setting(
            "webhook_secret", "Webhook secret", "user:password that the service's reports carry", secret=True
        ),
        Setting("signing_key", "Webhook signing key", "Where the service signs its reports", secret=True),
    )

    _backend: Any = None

    def check(self) -> str:
        self._open()
        return f"{self.value('service')} is set up. Whether its key is right, a test shows."

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        try:
            backend = self._open()
        except NotReadyError as error:
            return {one.message_id: Result(Outcome.TRY_LATER, error.code, str(error)) for one in parcels}
        return self.each(mark(parcels), lambda parcel: self._send(backend, parcel))

    def close(self) -> None:
        if self._backend is not None:
            self._backend.close()
            self._backend = None

    def _open(self) -> Any:
        if self._backend is None:
            service = self.value("service")
            if service not in SERVICES:
                raise NotReadyError(f"There is no service called {service!r}.", "settings")
            try:
                options = json.loads(self.value("options") or "{}")
                if self.value("api_key"):
                    options["api_key"] = self.value("api_key")
                self._backend = get_connection(f"anymail.backends.{service}.EmailBackend", **options)
            except (AnymailConfigurationError, AnymailImproperlyInstalled, TypeError, ValueError) as error:
                raise NotReadyError(str(error).splitlines()[0][:300], "settings") from None
        return self._backend

    def _send(self, backend: Any, parcel: Parcel) -> Result:
        mail = parcel.content
        if not isinstance(mail, Mail):
            return Result(Outcome.REFUSED, "channel", "only email goes this way")
        message = _message(mail, parcel)
        try:
            backend.send_messages([message])
        except AnymailRecipientsRefused as error:
            return Result(Outcome.REFUSED, "recipient", str(error)[:300])
        except AnymailAPIError as error:
            return _refusal(error)
        except (AnymailUnsupportedFeature, ValueError) as error:
            return Result(Outcome.REFUSED, "message", str(error)[:300])
        except requests.ConnectionError as error:
            return Result(Outcome.UNCERTAIN, "no_answer", str(error)[:300])
        except AnymailError as error:
            return Result(Outcome.TRY_LATER, "service", str(error)[:300])
        status = message.anymail_status  # type: ignore[attr-defined]
        if status.status and status.status <= _TAKEN:
            return Result(Outcome.ACCEPTED, "200", provider_message_id=str(status.message_id or "")[:200])
        return Result(Outcome.REFUSED, ",".join(sorted(map(str, status.status or {"unknown"}))))


def _message(mail: Mail, parcel: Parcel) -> EmailMultiAlternatives:
    # Quoted, for a comma in the shop's name would make two senders of one.
    sender = f'"{quote(mail.sender_name)}" <{mail.sender}>' if mail.sender_name else mail.sender
    headers = {"Message-ID": mail.message_id, **mail.headers}
    if mail.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message = EmailMultiAlternatives(
        mail.subject, mail.text, sender, [mail.recipient], headers=headers,
        reply_to=[mail.reply_to] if mail.reply_to else None,
    )  # fmt: skip
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    message.metadata = {"segue": f"{parcel.message_id}.{parcel.created_at.timestamp():.6f}"}  # type: ignore[attr-defined]
    message.track_opens = message.track_clicks = False  # type: ignore[attr-defined]
    return message


def _refusal(error: AnymailAPIError) -> Result:
    status = getattr(error, "status_code", None)
    words = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
    if status is None:
        # A connection that failed or fell silent: anymail wraps both alike.
        cause = error.__cause__
        if isinstance(cause, requests.exceptions.ConnectTimeout):
            return Result(Outcome.TRY_LATER, "connect", words)
        if isinstance(cause, requests.ConnectionError) and "NewConnectionError" in repr(cause):
            return Result(Outcome.TRY_LATER, "connect", words)
        return Result(Outcome.UNCERTAIN, "no_answer", words)
    if status == 429 or status in (401, 403, 503):
        return Result(Outcome.TRY_LATER, str(status), words)
    if status >= 500:
        return Result(Outcome.UNCERTAIN, str(status), words)
    return Result(Outcome.REFUSED, str(status), words)
