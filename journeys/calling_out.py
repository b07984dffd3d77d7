"""One call of an endpoint on the wire: signed as Standard Webhooks says, its answer read within bounds."""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from channels import sealing
from channels.providers.outgoing import Answer, NoAnswerError, NotAllowedError, NotSentError, Outgoing
from channels.standard_webhooks import signed
from journeys.models import Endpoint

READ_SECONDS = 10.0
_LARGEST_ANSWER = 32_000
_DEEPEST_ANSWER = 20
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_here = threading.local()


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one try: an answer, or an error, which may be worth another try."""

    status: int | None = None
    answer: Any = None
    error: str = ""
    again: bool = False
    retry_after: float | None = None

    @property
    def good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def open_connections() -> None:
    """Once in each thread that calls."""
    _here.outgoing = Outgoing(READ_SECONDS)


def call(url: str, secrets: str, message_id: str, body_json: str, now: datetime) -> Told:
    """One try of one call, from a thread that opened its connections."""
    told = {**msgspec.json.decode(body_json), "timestamp": now.isoformat()}
    body = msgspec.json.encode(told)
    try:
        headers = signed(sealing.unseal(secrets).get("secret", ""), message_id, now, body)
        return _read(_here.outgoing.call("POST", url, body=body, headers=headers), now)
    except (NotAllowedError, sealing.SecretsUnreadableError) as error:
        return Told(error=str(error)[:300])
    except (NotSentError, NoAnswerError) as error:
        return Told(error=str(error)[:300], again=True)


def _read(answer: Answer, now: datetime) -> Told:
    if 200 <= answer.status < 300:
        return Told(answer.status, _bounded(answer.body))
    return Told(
        answer.status,
        _bounded(answer.body),
        f"answered {answer.status}",
        again=answer.status in _AGAIN,
        retry_after=answer.retry_after(now),
    )


def _bounded(body: bytes) -> Any:
    """The JSON of an answer, or None where it is none, too long or too deep."""
    if len(body) > _LARGEST_ANSWER:
        return None
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    return None if b"\\u0000" in body or b"\x00" in body or _deep(value, _DEEPEST_ANSWER) else value


def _deep(value: Any, left: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left < 0 or any(_deep(each, left - 1) for each in inner)


def new_secret(random_bytes: bytes) -> str:
    return "whsec_" + base64.b64encode(random_bytes).decode()


def seal(endpoint: Endpoint, secret: str) -> None:
    """Keep ``secret`` with the endpoint; it is saved by the caller."""
    endpoint.secrets = sealing.seal({"secret": secret})
