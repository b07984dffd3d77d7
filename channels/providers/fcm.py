"""Pushes to apps over Firebase Cloud Messaging, HTTP v1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from channels.providers import answering, reading
from channels.providers.base import Mark, NotReadyError, Outcome, Parcel, Provider, Result, Setting, Words
from channels.providers.google_tokens import GoogleTokens
from channels.providers.outgoing import Outgoing

PREFIX = "fcm:"
_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_LIFE = "43200s"
#: Firebase's words for a token to which nothing will ever come again.
_ENDED = frozenset({"UNREGISTERED", "SENDER_ID_MISMATCH"})


class Fcm(Provider):
    """One request a message; an unregistered token ends the address. Addresses are ``fcm:<token>``."""

    kind = "fcm"
    label = "Firebase (apps on Android and iOS)"
    channels = frozenset({"push"})
    addresses = (PREFIX,)
    chunk = 16
    settings = (
        Setting(
            "service_account",
            "Service account",
            "The JSON file of its key, whole",
            lines=True,
            secret=True,
            required=True,
            reads=reading.google_key,
        ),
        Setting(
            "api_url", "Address of the API", default="https://fcm.googleapis.com", reads=reading.web_address
        ),
    )

    def __init__(self, account_id: int, values: Any) -> None:
        super().__init__(account_id, values)
        self._outgoing = Outgoing()
        self._tokens = GoogleTokens(self._outgoing, self.value("service_account"), _SCOPE)

    def check(self) -> str:
        self._tokens.bearer(datetime.now(UTC))
        return f"Google takes the key of {self._tokens.account['client_email']} for “{self._project()}”."

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        return self.each_when_ready(
            parcels, mark, lambda: self._place(now), lambda parcel, place: self._send(parcel, *place, now)
        )

    def close(self) -> None:
        self._outgoing.close()

    def _place(self, now: datetime) -> tuple[str, str]:
        """Where messages are posted, and the token that goes with them. Raises NotReadyError."""
        token = self._tokens.bearer(now)
        return f"{self.value('api_url').rstrip('/')}/v1/projects/{self._project()}/messages:send", token

    def _project(self) -> str:
        project = str(self._tokens.account.get("project_id") or "")
        if not project.replace("-", "").isalnum():
            raise NotReadyError("The service account's file names no project.", "settings")
        return project

    def _send(self, parcel: Parcel, url: str, token: str, now: datetime) -> Result:
        if not isinstance(parcel.content, Words) or not parcel.address.startswith(PREFIX):
            return Result(Outcome.REFUSED, "channel", "only pushes to Firebase's tokens go this way")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = json.dumps({"message": _message(parcel, parcel.content)}).encode()
        answer = answering.ask(self._outgoing, url, body, headers)
        if isinstance(answer, Result):
            return answer
        told = answering.told(answer)
        if answer.status == 200:
            return Result(Outcome.ACCEPTED, "200", provider_message_id=str(told.get("name", ""))[:200])
        error = told.get("error") if isinstance(told.get("error"), dict) else {}
        code, words = _code(error), str((error or {}).get("message", ""))[:300]
        if code in _ENDED or (code == "INVALID_ARGUMENT" and "registration token" in words):
            return Result(Outcome.REFUSED, code, words, address_ended=True)
        if answer.status == 401:
            self._tokens.forget()
        if answer.status == 404:
            # Not UNREGISTERED: the project is not there.
            return Result(Outcome.TRY_LATER, "settings", words)
        return answering.refusal(answer, now, words=words, code=code)


def _message(parcel: Parcel, words: Words) -> dict[str, Any]:
    shown = {"title": words.title, "body": words.text, "image": words.placing.image}
    # What is for the app itself: Firebase takes texts only.
    data = {"url": words.link, "message": parcel.key.hex}
    if words.placing.buttons:
        data["buttons"] = json.dumps([{"title": one.words, "url": one.link} for one in words.placing.buttons])
    if words.receipt:
        data["receipt"] = words.receipt
    return {
        "token": parcel.address.removeprefix(PREFIX),
        "notification": {name: value for name, value in shown.items() if value},
        "data": data,
        "android": {"ttl": _LIFE, "notification": {"tag": parcel.key.hex}},
        "apns": {"headers": {"apns-collapse-id": parcel.key.hex}},
    }


def _code(error: Any) -> str:
    for detail in error.get("details") or [] if isinstance(error, dict) else []:
        if isinstance(detail, dict) and detail.get("errorCode"):
            return str(detail["errorCode"])[:60]
    return str((error or {}).get("status") or "")[:60]
