"""Whether an email service takes our key: it is asked to send nothing, by the very call that sends.

A call without a mail in it is refused by all of them, with other words when the key is wrong. No other call
needs so few rights: many keys may send and do nothing else.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import requests

from channels.providers.base import NotReadyError

#: How services that answer 400 or 500, or even 200, to a wrong key put it.
_KEY = re.compile(
    r"invalid.{0,3}(server.?)?(api|access|auth)?.?.?(key|token)|(key|token)\b.{0,60}\b(in|not )valid"
    r"|unauthori[sz]ed|authenticat",
    re.IGNORECASE,
)


def ask(name: str, backend: Any, message: Any) -> str:
    """What was found, in plain words. ``message`` only names the place. Raises NotReadyError."""
    try:
        params = _empty(backend.build_message_payload(message, backend.send_defaults), backend.api_url)
        params.setdefault("timeout", backend.timeout)
        backend.open()
        response = backend.session.request(**params)
    except requests.ConnectionError as error:
        raise NotReadyError(f"{name} does not answer: {_reason(error)}") from None
    except (requests.RequestException, ValueError) as error:
        raise NotReadyError(f"{name} cannot be asked: {str(error)[:200]}", "settings") from None
    words = " ".join(response.text[:300].split())
    if response.status_code in (401, 403) or _KEY.search(words):
        raise NotReadyError(f"{name} does not take the key: {words or response.status_code}", "auth")
    if response.status_code == 404:
        raise NotReadyError(f"{name} knows the key, but no such domain or address: {words}", "settings")
    if response.status_code == 429:
        raise NotReadyError(f"{name} was asked too often; try again in a minute.", "429")
    if response.status_code >= 500 and not _is_told(response):
        raise NotReadyError(f"{name} has trouble of its own: {response.status_code} {words}", "service")
    return f"{name} answers at {urlsplit(str(params['url'])).hostname} and takes the key."


def _empty(payload: Any, api_url: str) -> dict[str, Any]:
    """The call that would send, without a mail in it."""
    params: dict[str, Any] = payload.get_request_params(api_url)
    data = payload.data if isinstance(payload.data, dict) else {}
    # Some want the key among the data.
    kept = {"key": data["key"]} if "key" in data else {}
    params["files"] = None
    params["data"] = json.dumps(kept) if isinstance(params.get("data"), str | bytes) else kept
    return params


def _is_told(response: requests.Response) -> bool:
    """Whether it is an answer to what was asked: Mandrill says with a 500 that there is no mail."""
    try:
        return isinstance(response.json().get("name"), str)
    except (ValueError, AttributeError, RecursionError):
        return False


def _reason(error: requests.ConnectionError) -> str:
    cause = getattr(error.args[0], "reason", error.args[0]) if error.args else error
    return str(cause).rpartition(": ")[2][:200]
