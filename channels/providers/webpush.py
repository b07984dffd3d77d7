"""Web push: encrypted for one browser, signed with our VAPID key, to whatever push service it uses."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02, VapidException
from pywebpush import WebPusher, WebPushException

from channels.providers.base import Mark, NotReadyError, Outcome, Parcel, Provider, Result, Setting, Words
from channels.providers.outgoing import Answer, NoAnswerError, NotAllowedError, NotSentError, Outgoing

_ENDED = frozenset({404, 410})
_LIFE = 12 * 3600


class WebPush(Provider):
    """One request a message. An ended subscription (404, 410) ends the address."""

    kind = "webpush"
    label = "Web push"
    channels = frozenset({"push"})
    addresses = ("https:", "http:")
    chunk = 16
    settings = (
        Setting(
            "contact",
            "Contact for push services",
            "mailto: or https: address",
            default="mailto:push@localhost",
        ),
        Setting(
            "private_key",
            "VAPID private key",
            "Made by itself; changing it ends every subscription",
            secret=True,
        ),
    )

    def __init__(self, account_id: int, values: Any) -> None:
        super().__init__(account_id, values)
        self._outgoing = Outgoing()

    def check(self) -> str:
        return f"The keys are good. Browsers subscribe with {public_key(self._key())}."

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        return self.each_when_ready(
            parcels,
            mark,
            lambda: Vapid02.from_string(self._key()),
            lambda parcel, key: self._send(parcel, key, now),
        )

    def close(self) -> None:
        self._outgoing.close()

    def _key(self) -> str:
        key = self.value("private_key")
        if not key:
            raise NotReadyError("The account has no VAPID key yet.", "settings")
        return key

    def _send(self, parcel: Parcel, key: Vapid02, now: datetime) -> Result:
        if not isinstance(parcel.content, Words):
            return Result(Outcome.REFUSED, "channel", "only pushes go this way")
        if not parcel.address.startswith(self.addresses):
            return Result(Outcome.REFUSED, "channel", "an app's token, and no account carries pushes to it")
        try:
            body = self._encrypt(parcel, parcel.content)
        except (WebPushException, ValueError, KeyError, TypeError) as error:
            return Result(Outcome.REFUSED, "subscription", f"its keys are no good: {error}"[:300],
                          address_ended=True)  # fmt: skip
        try:
            signature = self._sign(parcel.address, key, now)
        except (VapidException, ValueError) as error:
            return Result(Outcome.REFUSED, "endpoint", str(error)[:300], address_ended=True)
        headers = {
            **signature,
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(_LIFE),
        }
        try:
            answer = self._outgoing.call("POST", parcel.address, body=body, headers=headers)
        except NotAllowedError as error:
            return Result(Outcome.REFUSED, "endpoint", str(error), address_ended=True)
        except NotSentError as error:
            # Each browser has its own push service, so this says nothing about the others.
            return Result(Outcome.TRY_LATER, "no_service", str(error))
        except NoAnswerError as error:
            return Result(Outcome.UNCERTAIN, "no_answer", str(error))
        return _read(answer, now)

    def _sign(self, endpoint: str, key: Vapid02, now: datetime) -> dict[str, str]:
        place = urlsplit(endpoint)
        claims = {
            "aud": f"{place.scheme}://{place.netloc}",
            "exp": int(now.timestamp()) + _LIFE,
            "sub": self.value("contact"),
        }
        return {str(name): str(value) for name, value in key.sign(claims).items()}

    def _encrypt(self, parcel: Parcel, words: Words) -> bytes:
        keys = parcel.extra.get("keys") or {}
        payload: dict[str, Any] = {
            "title": words.title,
            "body": words.text,
            "url": words.link,
            "tag": parcel.key.hex,
        }
        look = words.placing
        if icon := look.icon or look.image:
            payload["icon"] = icon
        if look.image:
            payload["image"] = look.image
        if look.buttons:
            payload["actions"] = [
                {"action": str(number), "title": one.words, "url": one.link}
                for number, one in enumerate(look.buttons, 1)
            ]
        if words.receipt:
            payload["receipt"] = words.receipt
        pusher = WebPusher(
            {"endpoint": parcel.address, "keys": {"p256dh": keys["p256dh"], "auth": keys["auth"]}}
        )
        encoded = pusher.encode(json.dumps(payload).encode(), content_encoding="aes128gcm")
        body: bytes = encoded["body"]
        return body


def _read(answer: Answer, now: datetime) -> Result:
    code, words = str(answer.status), answer.body.decode("utf-8", "replace")[:300]
    if answer.status in (200, 201, 202, 204):
        return Result(Outcome.ACCEPTED, code, provider_message_id=answer.headers.get("location", "")[:200])
    if answer.status in _ENDED:
        return Result(Outcome.REFUSED, code, words or "the subscription has ended", address_ended=True)
    if answer.status == 429 or answer.status >= 500:
        return Result(Outcome.TRY_LATER, code, words, retry_after=answer.retry_after(now))
    return Result(Outcome.REFUSED, code, words)


def new_private_key() -> str:
    """A VAPID key as the text that accounts keep."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _text(key.private_numbers().private_value.to_bytes(32, "big"))


def public_key(private_key: str) -> str:
    """What a browser subscribes with."""
    vapid = Vapid02.from_string(private_key)
    return _text(
        vapid.public_key.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
    )


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
