"""Retargeting audiences over HTTP: anybody's address, Meta's Custom Audiences, Google's Data Manager.

Each takes a batch of changes as one request for those who join and one for those who leave. The order does
not matter to it, and the same change told twice does no harm.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from channels.providers import answering, reading
from channels.providers.audience import ADD, REMOVE
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
from channels.providers.google_tokens import GoogleTokens
from channels.providers.outgoing import Outgoing

_JSON = {"Content-Type": "application/json"}


class _Remote(Provider):
    """Calls once for each audience and action. ``names``: whether a list has a name of theirs."""

    channels = frozenset({"audience"})
    honours_key = True
    named: ClassVar[bool] = True

    def __init__(self, account_id: int, values: Any) -> None:
        super().__init__(account_id, values)
        self._outgoing = Outgoing()

    @abstractmethod
    def tell(self, remote: str, action: str, parcels: Sequence[Parcel], now: datetime) -> Result:
        """Make one call about people who join or leave one list."""

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        going = mark(parcels)
        results: dict[int, Result] = {}
        groups: dict[tuple[str, str], list[Parcel]] = {}
        for parcel in going:
            name = str(parcel.extra.get("remote" if self.named else "audience") or "")
            action = ADD if parcel.extra.get("action") == ADD else REMOVE
            groups.setdefault((name, action), []).append(parcel)
        for (name, action), own in groups.items():
            if not name:
                words = "the audience has no id at the destination yet"
                results |= every(own, Result(Outcome.TRY_LATER, "settings", words))
            else:
                results |= every(own, self.tell(name, action, own, now))
        return results

    def close(self) -> None:
        self._outgoing.close()


class AudienceHttp(_Remote):
    """One request a batch: ``{"audience", "add": [{"email_sha256", "phone_sha256"}], "remove": […]}``."""

    kind = "audience_http"
    label = "Audience over HTTP"
    chunk = 1_000
    named = False
    settings = (
        Setting(
            "url", "Address", "https://… that takes the changes", required=True, reads=reading.web_address
        ),
        Setting("token", "Key", "Sent as a bearer", secret=True),
    )

    def check(self) -> str:
        if not self.value("url").startswith(("https://", "http://")):
            raise NotReadyError("The address is missing.", "settings")
        return "The address is set. Whether it takes changes, the first sync shows."

    def tell(self, remote: str, action: str, parcels: Sequence[Parcel], now: datetime) -> Result:
        people = [
            {"email_sha256": one.address, "phone_sha256": str(one.extra.get("phone", ""))} for one in parcels
        ]
        told = {"audience": remote, ADD: [], REMOVE: [], action: people}
        headers = dict(_JSON)
        if self.value("token"):
            headers["Authorization"] = f"Bearer {self.value('token')}"
        answer = answering.ask(self._outgoing, self.value("url"), json.dumps(told).encode(), headers)
        if isinstance(answer, Result):
            return answer
        words = answer.body.decode("utf-8", "replace")[:300]
        if 200 <= answer.status < 300:
            return Result(Outcome.ACCEPTED, str(answer.status), words)
        if answer.status in (400, 410, 413, 422):
            return Result(Outcome.REFUSED, str(answer.status), words)
        return Result(Outcome.TRY_LATER, str(answer.status), words, retry_after=answer.retry_after(now))


class AudienceMeta(_Remote):
    """Meta's Custom Audiences: email in lower case, phone as digits, both hashed."""

    kind = "audience_meta"
    label = "Meta Custom Audiences"
    chunk = 5_000
    settings = (
        Setting("token", "Access token", "Of a system user who may manage ads", secret=True, required=True),
        Setting(
            "api_url",
            "Address of the API",
            "With its version",
            default="https://graph.facebook.com/v25.0",
            reads=reading.web_address,
        ),
    )
    #: Codes of Meta's for too many calls.
    _BUSY = frozenset({4, 17, 32, 613, 80003})

    def check(self) -> str:
        url = f"{self.value('api_url').rstrip('/')}/me"
        answer = answering.ask(self._outgoing, url, b"", self._headers(), method="GET")
        if isinstance(answer, Result):
            raise NotReadyError(f"Meta does not answer: {answer.detail}", answer.code)
        if answer.status != 200:
            raise NotReadyError(f"Meta does not take the token: {_words(answering.told(answer))}", "auth")
        return f"Meta knows the token of “{answering.told(answer).get('name', '')}”."

    def tell(self, remote: str, action: str, parcels: Sequence[Parcel], now: datetime) -> Result:
        data = [[one.address, str(one.extra.get("digits", ""))] for one in parcels]
        told: dict[str, Any] = {"payload": {"schema": ["EMAIL", "PHONE"], "data": data}}
        if action == ADD:
            session = int.from_bytes(parcels[0].key.bytes[:6], "big")
            told["session"] = {"session_id": session, "batch_seq": 1, "last_batch_flag": True,
                               "estimated_num_total": len(parcels)}  # fmt: skip
        url = f"{self.value('api_url').rstrip('/')}/{remote}/users"
        answer = answering.ask(
            self._outgoing, url, json.dumps(told).encode(), self._headers(), keyed=True,
            method="POST" if action == ADD else "DELETE",
        )  # fmt: skip
        if isinstance(answer, Result):
            return answer
        said = answering.told(answer)
        if answer.status == 200 and "error" not in said:
            invalid = said.get("num_invalid_entries") or 0
            return Result(Outcome.ACCEPTED, "200", f"{invalid} not understood" if invalid else "")
        error = said.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        # A wrong id or a missing right is ours to mend: nobody is forgotten for it.
        busy = code in self._BUSY or answer.status == 429 or answer.status >= 500
        return Result(Outcome.TRY_LATER, str(code or answer.status), _words(said),
                      retry_after=answer.retry_after(now) or (300.0 if busy else None))  # fmt: skip

    def _headers(self) -> dict[str, str]:
        return {**_JSON, "Authorization": f"Bearer {self.value('token')}"}


class AudienceGoogle(_Remote):
    """Google's Data Manager: email in lower case, phone in E.164, both hashed; consent goes with them."""

    kind = "audience_google"
    label = "Google Ads (Data Manager)"
    chunk = 5_000
    settings = (
        Setting(
            "service_account",
            "Service account",
            "The JSON file of its key",
            lines=True,
            secret=True,
            required=True,
            reads=reading.google_key,
        ),
        Setting("account_id", "Customer ID", "Of the Google Ads account, digits alone", required=True),
        Setting("login_id", "Manager's customer ID", "Where access comes by a manager account"),
        Setting(
            "api_url",
            "Address of the API",
            default="https://datamanager.googleapis.com",
            reads=reading.web_address,
        ),
    )
    _SCOPE = "https://www.googleapis.com/auth/datamanager"

    def __init__(self, account_id: int, values: Any) -> None:
        super().__init__(account_id, values)
        self._tokens = GoogleTokens(self._outgoing, self.value("service_account"), self._SCOPE)

    def check(self) -> str:
        if not self.value("account_id").replace("-", "").isdigit():
            raise NotReadyError("The customer ID is digits alone.", "settings")
        self._tokens.bearer(datetime.now(UTC))
        return f"Google takes the key of {self._tokens.account['client_email']}."

    def tell(self, remote: str, action: str, parcels: Sequence[Parcel], now: datetime) -> Result:
        try:
            headers = {**_JSON, "Authorization": f"Bearer {self._tokens.bearer(now)}"}
        except NotReadyError as error:
            return error.later()
        verb = "ingest" if action == ADD else "remove"
        url = f"{self.value('api_url').rstrip('/')}/v1/audienceMembers:{verb}"
        body = json.dumps(self._body(remote, action, parcels)).encode()
        answer = answering.ask(self._outgoing, url, body, headers, keyed=True)
        if isinstance(answer, Result):
            return answer
        said = answering.told(answer)
        if answer.status == 200:
            return Result(Outcome.ACCEPTED, "200", str(said.get("requestId", ""))[:300])
        if answer.status == 401:
            self._tokens.forget()
        return Result(
            Outcome.TRY_LATER, str(answer.status), _words(said), retry_after=answer.retry_after(now)
        )

    def _body(self, remote: str, action: str, parcels: Sequence[Parcel]) -> dict[str, Any]:
        owner = {"accountType": "GOOGLE_ADS", "accountId": self.value("account_id").replace("-", "")}
        place: dict[str, Any] = {"operatingAccount": owner, "productDestinationId": remote}
        if self.value("login_id"):
            place["loginAccount"] = {**owner, "accountId": self.value("login_id").replace("-", "")}
        told: dict[str, Any] = {
            "destinations": [place],
            "audienceMembers": [{"userData": {"userIdentifiers": _identifiers(one)}} for one in parcels],
            "encoding": "HEX",
        }
        if action == ADD:
            told["consent"] = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}
            told["termsOfService"] = {"customerMatchTermsOfServiceStatus": "ACCEPTED"}
        return told


def _identifiers(parcel: Parcel) -> list[dict[str, str]]:
    known = (("emailAddress", parcel.address), ("phoneNumber", str(parcel.extra.get("phone", ""))))
    return [{name: value} for name, value in known if value]


def _words(said: dict[str, Any]) -> str:
    error = said.get("error")
    return str(error.get("message") if isinstance(error, dict) else error or "no reason")[:300]
