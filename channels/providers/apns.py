"""Pushes to apps of Apple's, over APNs itself: HTTP/2, one kept connection, a token renewed in time."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import jwt

from channels.providers import reading
from channels.providers.base import Mark, NotReadyError, Outcome, Parcel, Provider, Result, Setting, Words
from channels.providers.outgoing import (
    CONNECT_SECONDS,
    READ_SECONDS,
    Answer,
    NoAnswerError,
    NotAllowedError,
    NotSentError,
    resolve,
)

PREFIX = "apns:"
#: Apple wants a token no older than an hour and no newer one more often than each twenty minutes.
_TOKEN_SECONDS = 45 * 60
_LIFE = 12 * 3600
_LARGEST = 4096
_TOKEN = re.compile(r"[0-9a-fA-F]{64,200}", re.ASCII)
_ENDED = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic", "Unregistered", "ExpiredToken"})
_OURS = frozenset({"ExpiredProviderToken", "InvalidProviderToken", "MissingProviderToken", "TopicDisallowed",
                   "BadTopic", "MissingTopic", "BadCertificateEnvironment",
                   "BadEnvironmentKeyInToken"})  # fmt: skip


class Apns(Provider):
    """One stream a message; an unregistered token ends the address. Addresses are ``apns:<token>``."""

    kind = "apns"
    label = "Apple push (APNs)"
    channels = frozenset({"push"})
    addresses = (PREFIX,)
    chunk = 16
    settings = (
        Setting("team_id", "Team ID", "Ten signs", required=True),
        Setting("key_id", "Key ID", "Ten signs", required=True),
        Setting("key", "Key", "The .p8 file, whole", lines=True, secret=True, required=True),
        Setting("topic", "Bundle ID of the app", "Such as com.example.shop", required=True),
        Setting("host", "Server", "Apps under test use https://api.sandbox.push.apple.com",
                default="https://api.push.apple.com", reads=reading.web_address),
    )  # fmt: skip

    _client: httpx2.Client | None = None
    _token, _made_at = "", 0.0

    def check(self) -> str:
        """Ask about a token that is nobody's: Apple looks at ours first."""
        now = datetime.now(UTC)
        try:
            answer = self._call(f"/3/device/{'0' * 64}", self._headers(now), b'{"aps":{}}')
        except NotAllowedError as error:
            raise NotReadyError(f"The server cannot be called: {error}", "settings") from None
        except (NotSentError, NoAnswerError) as error:
            raise NotReadyError(f"Apple does not answer: {error}") from None
        finally:
            self.close()
        reason = _reason(answer)
        if reason in _OURS:
            raise NotReadyError(f"Apple does not take the key, its ids or the bundle ID: {reason}.", "auth")
        return f"Apple takes the key for {self.value('topic')}."

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        return self.each_when_ready(
            parcels, mark, lambda: self._headers(now), lambda parcel, own: self._send(parcel, own, now)
        )

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _headers(self, now: datetime) -> dict[str, str]:
        if not self._token or now.timestamp() - self._made_at > _TOKEN_SECONDS:
            claims = {"iss": self.value("team_id"), "iat": int(now.timestamp())}
            try:
                self._token = jwt.encode(
                    claims, self.value("key"), "ES256", headers={"kid": self.value("key_id")}
                )
            except (jwt.PyJWTError, ValueError, TypeError):
                raise NotReadyError("The key is not the .p8 file that Apple hands out.", "settings") from None
            self._made_at = now.timestamp()
        return {"authorization": f"bearer {self._token}", "apns-topic": self.value("topic")}

    def _send(self, parcel: Parcel, headers: Mapping[str, str], now: datetime) -> Result:
        token = parcel.address.removeprefix(PREFIX)
        if not isinstance(parcel.content, Words) or not _TOKEN.fullmatch(token):
            return Result(Outcome.REFUSED, "BadDeviceToken", "not a token of Apple's", address_ended=True)
        body = _body(parcel.content)
        if len(body) > _LARGEST:
            return Result(Outcome.REFUSED, "PayloadTooLarge", "longer than Apple takes")
        own = {
            **headers,
            "apns-push-type": "alert",
            "apns-priority": "10",
            "apns-expiration": str(int(now.timestamp()) + _LIFE),
            "apns-id": str(parcel.key),
            "apns-collapse-id": parcel.key.hex,
        }
        try:
            answer = self._call(f"/3/device/{token}", own, body)
        except NotAllowedError as error:
            return Result(Outcome.TRY_LATER, "settings", str(error))
        except NotSentError as error:
            return Result(Outcome.TRY_LATER, "connect", str(error))
        except NoAnswerError as error:
            return Result(Outcome.UNCERTAIN, "no_answer", str(error))
        return self._read(answer, now)

    def _read(self, answer: Answer, now: datetime) -> Result:
        if answer.status == 200:
            return Result(
                Outcome.ACCEPTED, "200", provider_message_id=answer.headers.get("apns-id", "")[:200]
            )
        reason = _reason(answer)
        if answer.status == 410 or reason in _ENDED:
            return Result(Outcome.REFUSED, reason, "the app is not there any more", address_ended=True)
        if reason == "ExpiredProviderToken":
            self._token = ""
        if reason in _OURS or answer.status in (429, 503):
            return Result(Outcome.TRY_LATER, reason, retry_after=answer.retry_after(now))
        if answer.status >= 500:
            return Result(Outcome.UNCERTAIN, reason)
        return Result(Outcome.REFUSED, reason)

    def _call(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request to the address that was checked. Raises as Outgoing does."""
        place = urlsplit(self.value("host"))
        host, port = place.hostname or "", place.port or (443 if place.scheme == "https" else 80)
        if place.scheme not in ("https", "http") or not host:
            raise NotAllowedError("not an address")
        address = resolve(host, port)
        if self._client is None:
            # Without TLS, as in tests, both sides know beforehand that they speak HTTP/2.
            timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
            self._client = httpx2.Client(http1=False, http2=True, timeout=timeout, trust_env=False)
        shown = f"[{address}]" if ":" in address else address
        try:
            answer = self._client.post(
                f"{place.scheme}://{shown}:{port}{path}", content=body, extensions={"sni_hostname": host},
                headers={"host": host if place.port is None else f"{host}:{port}", **headers},
            )  # fmt: skip
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise NotSentError(f"{type(error).__name__}: {error}"[:300]) from None
        except httpx2.HTTPError as error:
            # What is left of the connection is not to be trusted.
            self.close()
            raise NoAnswerError(f"{type(error).__name__}: {error}"[:300]) from None
        return Answer(answer.status_code, dict(answer.headers), answer.content[:64_000])


def _body(words: Words) -> bytes:
    alert = {name: value for name, value in (("title", words.title), ("body", words.text)) if value}
    told: dict[str, Any] = {"aps": {"alert": alert, "sound": "default"}}
    if words.link:
        told["url"] = words.link
    if words.placing.image:
        told["aps"]["mutable-content"] = 1
        told["image"] = words.placing.image
    if words.placing.buttons:
        told["buttons"] = [{"title": one.words, "url": one.link} for one in words.placing.buttons]
    if words.receipt:
        told["receipt"] = words.receipt
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _reason(answer: Answer) -> str:
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return str(answer.status)
    return str(told.get("reason") or answer.status)[:60] if isinstance(told, dict) else str(answer.status)
