"""Text messages over any gateway that takes an HTTP request: its body is a template of the account."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from channels import retry, sms_senders
from channels.providers import answering, reading
from channels.providers.answering import PRICES, check_prices
from channels.providers.base import Mark, NotReadyError, Outcome, Parcel, Provider, Result, Setting, Words
from channels.providers.outgoing import NotAllowedError, NotSentError, Outgoing, resolve

_BODY = '{"to": "{to}", "from": "{from}", "text": "{text}", "reference": "{key}"}'


class HttpSms(Provider):
    """Each request carries an ``Idempotency-Key``: a gateway that knows it takes each message once."""

    kind = "http_sms"
    label = "HTTP SMS gateway"
    channels = frozenset({"sms"})
    chunk = 8
    schedules = (retry.TEXTS, retry.TEXTS_TRANSACTIONAL)
    callbacks = (("Receipts", "/hooks/sms/<id>"), ("Texts that people write", "/hooks/sms-in/<id>"))
    settings = (
        Setting(
            "url",
            "Address",
            "https://… of the gateway's sending call",
            required=True,
            reads=reading.web_address,
        ),
        Setting("sender", "Sender", "A number or a name; several with commas between"),
        Setting("body", "Body", "JSON with {to}, {from}, {text} and {key}", default=_BODY),
        Setting("id_field", "Where the answer holds its id", "For example id or messages.0.id", default="id"),
        Setting(
            "honours_key",
            "Repeats are safe",
            "Yes if the gateway takes an Idempotency-Key",
            default="no",
            choices=reading.NO_YES,
        ),
        Setting("username", "User name", "For Basic authentication; leave empty to send the key as a bearer"),
        Setting("token", "Key or password", secret=True),
        Setting("receipt_secret", "Secret of receipts", "Signs what the gateway reports back", secret=True),
        *PRICES,
        Setting(
            "timeout", "Longest wait for an answer, in seconds", default="20", reads=reading.number(1, 120)
        ),
    )

    def __init__(self, account_id: int, values: Any) -> None:
        super().__init__(account_id, values)
        self._outgoing = Outgoing(float(self.value("timeout")))
        self._senders = tuple(filter(None, (one.strip() for one in self.value("sender").split(","))))

    def check(self) -> str:
        check_prices(self.value("prices"))
        host = self.value("url").partition("://")[2].partition("/")[0].partition(":")[0]
        try:
            resolve(host, 443)
            json.loads(self._body("+10000000000", "a", "k"))
        except (NotAllowedError, NotSentError) as error:
            raise NotReadyError(str(error)) from None
        except ValueError:
            raise NotReadyError("The body is not JSON.", "settings") from None
        return f"{host} can be called, and the body is good JSON. Whether the key is right, a test shows."

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        return self.each(mark(parcels), lambda parcel: self._send(parcel, now))

    def close(self) -> None:
        self._outgoing.close()

    def _send(self, parcel: Parcel, now: datetime) -> Result:
        if not isinstance(parcel.content, Words):
            return Result(Outcome.REFUSED, "channel", "only text messages go this way")
        keyed = self.value("honours_key") == "yes"
        body = self._body(parcel.address, parcel.content.text, parcel.key.hex).encode()
        answer = answering.ask(self._outgoing, self.value("url"), body, self._headers(parcel), keyed=keyed)
        if isinstance(answer, Result):
            return answer
        if 200 <= answer.status < 300:
            name = _dig(answer.body, self.value("id_field"))
            return Result(Outcome.ACCEPTED, str(answer.status), "", provider_message_id=name)
        return answering.refusal(answer, now, keyed=keyed)

    def _body(self, to: str, text: str, key: str) -> str:
        body = self.value("body")
        for name, value in (
            ("to", to),
            ("from", sms_senders.pick(self._senders, to)),
            ("key", key),
            ("text", text),
        ):
            body = body.replace("{" + name + "}", json.dumps(value)[1:-1])
        return body

    def _headers(self, parcel: Parcel) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Idempotency-Key": parcel.key.hex}
        token = self.value("token")
        if token and self.value("username"):
            pair = f"{self.value('username')}:{token}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode("ascii")
        elif token:
            headers["Authorization"] = f"Bearer {token}"
        return headers


def _dig(body: bytes, path: str) -> str:
    """The value at ``path`` (names and numbers with dots) of a JSON answer, or nothing."""
    try:
        value: Any = json.loads(body)
        for step in path.split("."):
            value = value[int(step)] if isinstance(value, list) else value[step]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return str(value)[:200] if isinstance(value, str | int) else ""
