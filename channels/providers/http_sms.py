"""Text messages over any gateway that takes an HTTP request: its body is a template of the account."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from channels import retry
from channels.providers.base import Mark, NotReadyError, Outcome, Parcel, Provider, Result, Setting, Words
from channels.providers.outgoing import (
    Answer,
    NoAnswerError,
    NotAllowedError,
    NotSentError,
    Outgoing,
    resolve,
)

_BODY = '{"to": "{to}", "from": "{from}", "text": "{text}", "reference": "{key}"}'
#: Answers that are about us and not about the message: wrong key, wrong address, too many.
_OURS_TO_FIX = frozenset({401, 403, 404, 405, 408, 425, 429})


class HttpSms(Provider):
    """Each request carries an ``Idempotency-Key``: a gateway that knows it takes each message once."""

    kind = "http_sms"
    label = "HTTP SMS gateway"
    channels = frozenset({"sms"})
    chunk = 8
    schedules = (retry.TEXTS, retry.TEXTS_TRANSACTIONAL)
    settings = (
        Setting("url", "Address", "https://… of the gateway's sending call", required=True),
        Setting("sender", "Sender", "A number or a name"),
        Setting("body", "Body", "JSON with {to}, {from}, {text} and {key}", default=_BODY),
        Setting("id_field", "Where the answer holds its id", "For example id or messages.0.id", default="id"),
        Setting(
            "honours_key", "Repeats are safe", "yes if the gateway takes an Idempotency-Key", default="no"
        ),
        Setting("username", "User name", "For Basic authentication; leave empty to send the key as a bearer"),
        Setting("token", "Key or password", secret=True),
        Setting("receipt_secret", "Secret of receipts", "Signs what the gateway reports back", secret=True),
        Setting("timeout", "Longest wait for an answer, in seconds", default="20"),
    )

    def __init__(self, account_id: int, values: Any) -> None:
        super().__init__(account_id, values)
        self._outgoing = Outgoing(float(self.value("timeout")))

    def check(self) -> str:
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
        text = parcel.content.text
        try:
            answer = self._outgoing.call(
                "POST",
                self.value("url"),
                body=self._body(parcel.address, text, parcel.key.hex).encode(),
                headers=self._headers(parcel),
            )
        except NotAllowedError as error:
            return Result(Outcome.TRY_LATER, "settings", str(error))
        except NotSentError as error:
            return Result(Outcome.TRY_LATER, "connect", str(error))
        except NoAnswerError as error:
            safe = self.value("honours_key") == "yes"
            return Result(Outcome.TRY_LATER if safe else Outcome.UNCERTAIN, "no_answer", str(error))
        return self._read(answer, now)

    def _read(self, answer: Answer, now: datetime) -> Result:
        code = str(answer.status)
        words = answer.body.decode("utf-8", "replace")[:300]
        if 200 <= answer.status < 300:
            return Result(
                Outcome.ACCEPTED, code, "", provider_message_id=_dig(answer.body, self.value("id_field"))
            )
        # A gateway that fails half-way may have sent it all the same; 503 says that it did not begin.
        half_way = answer.status >= 500 and answer.status not in (501, 503)
        if half_way and self.value("honours_key") != "yes":
            return Result(Outcome.UNCERTAIN, code, words)
        if answer.status >= 500 or answer.status in _OURS_TO_FIX or 300 <= answer.status < 400:
            return Result(Outcome.TRY_LATER, code, words, retry_after=answer.retry_after(now))
        return Result(Outcome.REFUSED, code, words)

    def _body(self, to: str, text: str, key: str) -> str:
        body = self.value("body")
        for name, value in (("to", to), ("from", self.value("sender")), ("key", key), ("text", text)):
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
