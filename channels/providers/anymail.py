"""Email over any service that django-anymail knows: the account names its backend and settings."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import quote
from typing import Any

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailError,
    AnymailImproperlyInstalled,
    AnymailNotSupportedWarning,
    AnymailRecipientsRefused,
    AnymailUnsupportedFeature,
)
from django.core.mail import EmailMultiAlternatives, get_connection

from channels.providers import amazon, anymail_batches, anymail_check, reading
from channels.providers.base import (
    Mark,
    NotReadyError,
    Outcome,
    Parcel,
    Provider,
    Result,
    Setting,
    every,
)
from channels.rendering_mail import Mail

#: Services with sending and status reports, by the name of their module in anymail.
SERVICES = (
    "amazon_ses", "brevo", "mailersend", "mailgun", "mailjet", "mailtrap", "mandrill", "postal", "postmark",
    "resend", "scaleway", "sendgrid", "sparkpost", "unisender_go", "test",
)  # fmt: skip
_NAMES = {
    "amazon_ses": "Amazon SES",
    "mailersend": "MailerSend",
    "sendgrid": "SendGrid",
    "sparkpost": "SparkPost",
}
_CHOICES = tuple((one, _NAMES.get(one) or one.replace("_", " ").title()) for one in SERVICES[:-1])
#: What anymail calls a service's secret, where it is not its API key.
_KEYS = {
    "mailersend": "api_token", "mailjet": "secret_key", "mailtrap": "api_token", "postmark": "server_token",
    "scaleway": "secret_key",
}  # fmt: skip
_TAKEN = frozenset({"sent", "queued", "unknown"})


class Anymail(Provider):
    """One API call a message. Its id here travels as metadata, so that reports find their way back."""

    kind = "anymail"
    label = "Email service (anymail)"
    channels = frozenset({"email"})
    chunk = 8
    callbacks = (("Receipts", "/hooks/email/<id>"), ("Mails that people write back", "/hooks/email-in/<id>"))
    settings = (
        Setting("service", "Service", required=True, choices=_CHOICES),
        Setting(
            "options",
            "Options",
            'JSON, for example {"sender_domain": "mg.example.com"}',
            default="{}",
            reads=reading.json_object,
        ),
        Setting(
            "api_key", "API key", "Or what the service calls its secret: a token, a secret key", secret=True
        ),
        Setting(
            "webhook_secret", "Webhook secret", "user:password that the service's reports carry", secret=True
        ),
        Setting("signing_key", "Webhook signing key", "Where the service signs its reports", secret=True),
        Setting("inbound_key", "Inbound signing key", "Where it signs mails with another one", secret=True),
        Setting("dkim_selectors", "DKIM selectors", "Those that the service shows, with commas between"),
    )

    _backend: Any = None

    def check(self) -> str:
        backend, service = self._open(), self.value("service")
        name = dict(_CHOICES).get(service, service)
        if not hasattr(backend, "session"):
            return f"{name} is set up. Whether its key is right, a test shows."
        sender = self.value("from_email") or "check@example.com"
        try:
            return anymail_check.ask(name, backend, EmailMultiAlternatives("", "", sender, [sender]))
        finally:
            self.close()

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        try:
            backend = self._open()
        except NotReadyError as error:
            return every(parcels, error.later())
        going, service = mark(parcels), self.value("service")
        mails = [(one, one.content) for one in going if isinstance(one.content, Mail)]
        if len(mails) == len(going) > 1 and anymail_batches.takes(service):
            messages = [_message(mail, parcel) for parcel, mail in mails]
            return self._batch(service, backend, going, messages, now)
        return self.each(going, lambda parcel: self._send(backend, parcel, now))

    def _batch(
        self,
        service: str,
        backend: Any,
        going: Sequence[Parcel],
        messages: Sequence[EmailMultiAlternatives],
        now: datetime,
    ) -> dict[int, Result]:
        try:
            backend.open()
            found = anymail_batches.send(service, backend, going, messages, now)
        except (AnymailUnsupportedFeature, ValueError):
            # One that cannot be written must not keep the others: each for itself.
            return self.each(going, lambda parcel: self._send(backend, parcel, now))
        if len({one.code for one in found.values()}) == 1 and next(iter(found.values())).code in (
            "400",
            "422",
        ):
            # Nothing was taken, for the sake of one: each for itself.
            return self.each(going, lambda parcel: self._send(backend, parcel, now))
        return {name: replace(one, detail=self.hushed(one.detail)) for name, one in found.items()}

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
                # Some cannot be told that we track by ourselves, and would send nothing for it.
                options = {"ignore_unsupported_features": True, **json.loads(self.value("options") or "{}")}
                if service == amazon.NAME:
                    options = amazon.options(options, self.value("api_key"))
                elif self.value("api_key"):
                    options[_KEYS.get(service, "api_key")] = self.value("api_key")
                with warnings.catch_warnings():
                    # Anymail only says that it does not try SendGrid itself any more.
                    warnings.simplefilter("ignore", AnymailNotSupportedWarning)
                    self._backend = get_connection(f"anymail.backends.{service}.EmailBackend", **options)
            except AnymailImproperlyInstalled:
                raise NotReadyError(amazon.MISSING, "settings") from None
            except (AnymailConfigurationError, TypeError, ValueError) as error:
                raise NotReadyError(str(error).splitlines()[0][:300], "settings") from None
        return self._backend

    def _send(self, backend: Any, parcel: Parcel, now: datetime) -> Result:
        mail = parcel.content
        if not isinstance(mail, Mail):
            return Result(Outcome.REFUSED, "channel", "only email goes this way")
        message = _message(mail, parcel)
        try:
            backend.send_messages([message])
        except AnymailRecipientsRefused as error:
            return Result(Outcome.REFUSED, "recipient", str(error)[:300])
        except AnymailAPIError as error:
            return _refusal(error, now)
        except (AnymailUnsupportedFeature, ValueError) as error:
            return Result(Outcome.REFUSED, "message", str(error)[:300])
        except requests.ConnectionError as error:
            return Result(Outcome.UNCERTAIN, "no_answer", str(error)[:300])
        except AnymailError as error:
            return Result(Outcome.TRY_LATER, "service", str(error)[:300])
        except (LookupError, TypeError, AttributeError) as error:
            # The service answered something that anymail cannot read.
            return Result(Outcome.UNCERTAIN, "answer", f"{type(error).__name__}: {error}"[:300])
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


def _refusal(error: AnymailAPIError, now: datetime) -> Result:
    status = getattr(error, "status_code", None)
    words = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
    if type(error.__cause__).__module__.startswith("botocore"):
        return amazon.refusal(error.__cause__, words, now)
    if status is None:
        # A connection that failed or fell silent: anymail wraps both alike.
        cause = error.__cause__
        if isinstance(cause, requests.exceptions.ConnectTimeout):
            return Result(Outcome.TRY_LATER, "connect", words)
        if isinstance(cause, requests.ConnectionError) and "NewConnectionError" in repr(cause):
            return Result(Outcome.TRY_LATER, "connect", words)
        return Result(Outcome.UNCERTAIN, "no_answer", words)
    answer = getattr(error, "response", None)
    return anymail_batches.refusal(status, words, getattr(answer, "headers", {}), now)
