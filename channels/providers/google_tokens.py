"""Access to Google's services with a service account's key: a token is asked for, kept and renewed."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import jwt

from channels.providers.answering import told
from channels.providers.base import NotReadyError
from channels.providers.outgoing import NoAnswerError, NotAllowedError, NotSentError, Outgoing

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFE = 3600
#: A token is renewed so many seconds before it ends.
_EARLY = 300


class GoogleTokens:
    """One service account's tokens for one scope. ``key`` is the JSON file as Google hands it out."""

    def __init__(self, outgoing: Outgoing, key: str, scope: str) -> None:
        self._outgoing, self._scope = outgoing, scope
        self._text = key
        self._token, self._ends_at = "", 0.0

    @property
    def account(self) -> dict[str, Any]:
        """The key's fields. Raises NotReadyError when it is none."""
        try:
            found = json.loads(self._text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(
            isinstance(found.get(name), str) for name in ("client_email", "private_key", "token_uri")
        ):
            raise NotReadyError("The key is not the JSON file of a service account.", "settings")
        return found

    def bearer(self, now: datetime) -> str:
        """A token that holds for some minutes more. Raises NotReadyError."""
        if not self._token or now.timestamp() > self._ends_at - _EARLY:
            self._ask(now)
        return self._token

    def forget(self) -> None:
        """The token was refused: ask for another next time."""
        self._token = ""

    def _ask(self, now: datetime) -> None:
        account, at = self.account, int(now.timestamp())
        claims = {"iss": account["client_email"], "scope": self._scope, "aud": account["token_uri"],
                  "iat": at, "exp": at + _LIFE}  # fmt: skip
        try:
            assertion = jwt.encode(
                claims, account["private_key"], "RS256", headers={"kid": account.get("private_key_id", "")}
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            raise NotReadyError(
                "The private key in the service account's file is broken.", "settings"
            ) from None
        body = urlencode({"grant_type": _GRANT, "assertion": assertion}).encode()
        try:
            answer = self._outgoing.call(
                "POST", account["token_uri"], body=body,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )  # fmt: skip
        except NotAllowedError as error:
            raise NotReadyError(f"The key's token_uri cannot be called: {error}", "settings") from None
        except (NotSentError, NoAnswerError) as error:
            raise NotReadyError(f"Google gives no token: {error}") from None
        given = told(answer)
        if answer.status != 200 or not given.get("access_token"):
            words = str(given.get("error_description") or given.get("error") or answer.status)[:200]
            raise NotReadyError(f"Google gives no token: {words}", "auth", answer.retry_after(now))
        life = given.get("expires_in")
        self._token = str(given["access_token"])
        self._ends_at = now.timestamp() + (life if isinstance(life, int | float) else _LIFE)
