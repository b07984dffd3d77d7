"""Several mails in one call, at the services that take whole mails so: Postmark and Resend.

Anymail knows batches of one text with other words in it only; ours are each their own. It still writes each
mail's part of the call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import requests
from urllib3.exceptions import NewConnectionError

from channels.providers.base import Outcome, Parcel, Result, every
from channels.providers.outgoing import Answer

#: Postmark's: an address that it knows to be dead, and one that is none.
_DEAD = frozenset({406, 300})


def takes(service: str) -> bool:
    return service in _PATHS


def send(
    service: str, backend: Any, parcels: Sequence[Parcel], messages: Sequence[Any], now: datetime
) -> dict[int, Result]:
    """Hand ``messages``, those of ``parcels``, over in one call."""
    payloads = [backend.build_message_payload(one, backend.send_defaults) for one in messages]
    params = payloads[0].get_request_params(backend.api_url)
    path, read = _PATHS[service]
    params |= {"url": backend.api_url.rstrip("/") + path, "data": json.dumps([one.data for one in payloads])}
    params.setdefault("timeout", backend.timeout)
    try:
        response = backend.session.request(**params)
    except requests.ConnectTimeout as error:
        return every(parcels, Result(Outcome.TRY_LATER, "connect", str(error)[:300]))
    except requests.RequestException as error:
        unsent = (
            isinstance(getattr(error.args[0], "reason", None), NewConnectionError) if error.args else False
        )
        outcome = Outcome.TRY_LATER if unsent else Outcome.UNCERTAIN
        return every(parcels, Result(outcome, "connect" if unsent else "no_answer", str(error)[:300]))
    if response.status_code == 200:
        return read(parcels, _json(response))
    return every(parcels, refusal(response.status_code, response.text[:300], response.headers, now))


def refusal(status: int, words: str, headers: Mapping[str, str], now: datetime) -> Result:
    """What a status that is not a success says about a mail."""
    code = str(status)
    if status == 429 or status in (401, 403, 503):
        lowered = {name.lower(): value for name, value in headers.items()}
        wait = Answer(status, lowered, b"").retry_after(now)
        return Result(Outcome.TRY_LATER, code, words, retry_after=wait)
    # A success whose answer cannot be read is most likely one.
    unclear = status >= 500 or status < 400
    return Result(Outcome.UNCERTAIN if unclear else Outcome.REFUSED, code, words)


def _postmark(parcels: Sequence[Parcel], told: Any) -> dict[int, Result]:
    if not isinstance(told, list) or len(told) != len(parcels):
        return every(parcels, Result(Outcome.UNCERTAIN, "answer", "not an answer for each mail"))
    return {parcel.message_id: _of_postmark(one) for parcel, one in zip(parcels, told, strict=True)}


def _of_postmark(one: Any) -> Result:
    told = one if isinstance(one, dict) else {}
    code, words = (
        told.get("ErrorCode", 0 if told.get("MessageID") else -1),
        str(told.get("Message", ""))[:300],
    )
    if code == 0:
        return Result(Outcome.ACCEPTED, "200", provider_message_id=str(told.get("MessageID", ""))[:200])
    return Result(Outcome.REFUSED, "recipient" if code in _DEAD else str(code), words)


def _resend(parcels: Sequence[Parcel], told: Any) -> dict[int, Result]:
    found = told.get("data") if isinstance(told, dict) else None
    if not isinstance(found, list) or len(found) != len(parcels):
        return every(parcels, Result(Outcome.UNCERTAIN, "answer", "not an answer for each mail"))
    return {
        parcel.message_id: Result(Outcome.ACCEPTED, "200", provider_message_id=str(one.get("id", ""))[:200])
        for parcel, one in zip(parcels, found, strict=True)
    }


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


_Read = Callable[[Sequence[Parcel], Any], dict[int, Result]]
_PATHS: Mapping[str, tuple[str, _Read]] = {
    "postmark": ("/email/batch", _postmark),
    "resend": ("/emails/batch", _resend),
}
