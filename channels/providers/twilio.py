"""Text messages over Twilio: its REST API, from one of our numbers, names, or its own pool of them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings as site

from channels import retry, sms_senders
from channels.providers import answering, reading
from channels.providers.answering import PRICES, check_prices
from channels.providers.base import Mark, NotReadyError, Outcome, Parcel, Provider, Result, Setting, Words
from channels.providers.outgoing import NoAnswerError, NotAllowedError, NotSentError, Outgoing

#: Twilio's codes after which the number is worth no further try: no such, not mobile, cannot be reached.
_ENDED = frozenset({21211, 21214, 21217, 21614, 21612})
#: The person wrote STOP to Twilio itself.
_STOPPED = 21610
#: Too much at once, or their queue is full.
_LATER = frozenset({20429, 14107, 21611, 30001, 30022})


class Twilio(Provider):
    """One request a message; Twilio knows no idempotency key, so what gets no answer stays uncertain."""

    kind = "twilio"
    label = "Twilio"
    channels = frozenset({"sms"})
    chunk = 8
    schedules = (retry.TEXTS, retry.TEXTS_TRANSACTIONAL)
    callbacks = (
        ("Receipts (set by each message)", "/hooks/sms/<id>"),
        ("A message comes in", "/hooks/sms-in/<id>"),
    )
    settings = (
        Setting("account_sid", "Account SID", "Begins with AC", required=True),
        Setting("auth_token", "Auth token", "Also proves what Twilio reports", secret=True, required=True),
        Setting(
            "senders",
            "Senders",
            "Numbers and names with commas between, or a service's SID (MG…)",
            required=True,
        ),
        Setting(
            "api_url",
            "Address of the API",
            "Another region has another",
            default="https://api.twilio.com",
            reads=reading.web_address,
        ),
        *PRICES,
    )

    def __init__(self, account_id: int, values: Any) -> None:
        super().__init__(account_id, values)
        self._outgoing = Outgoing()
        service = self.value("senders").strip()
        self._service = service if service.startswith("MG") and len(service) == 34 else ""
        self._senders = () if self._service else sms_senders.pool(service)

    def check(self) -> str:
        check_prices(self.value("prices"))
        if not (self._service or self._senders):
            raise NotReadyError("There is no sender: a number, a name or a service's SID.", "settings")
        try:
            answer = self._outgoing.call("GET", f"{self._place()}.json", headers=self._headers())
        except NotAllowedError as error:
            raise NotReadyError(f"The address of the API cannot be called: {error}", "settings") from None
        except (NotSentError, NoAnswerError) as error:
            raise NotReadyError(f"Twilio does not answer: {error}") from None
        if answer.status in (401, 403, 404):
            raise NotReadyError("Twilio does not know this account SID with this auth token.", "auth")
        status = str(answering.told(answer).get("status", ""))
        if answer.status != 200 or status != "active":
            raise NotReadyError(f"Twilio answers {answer.status}, and the account is “{status}”.", "account")
        return (
            f"Twilio knows the account “{answering.told(answer).get('friendly_name', '')}”, and it is active."
        )

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        return self.each(mark(parcels), lambda parcel: self._send(parcel, now))

    def close(self) -> None:
        self._outgoing.close()

    def _place(self) -> str:
        return f"{self.value('api_url').rstrip('/')}/2010-04-01/Accounts/{self.value('account_sid')}"

    def _headers(self) -> dict[str, str]:
        pair = f"{self.value('account_sid')}:{self.value('auth_token')}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode("ascii")}

    def _send(self, parcel: Parcel, now: datetime) -> Result:
        if not isinstance(parcel.content, Words):
            return Result(Outcome.REFUSED, "channel", "only text messages go this way")
        form = {"To": parcel.address, "Body": parcel.content.text}
        if self._service:
            form["MessagingServiceSid"] = self._service
        else:
            form["From"] = sms_senders.pick(self._senders, parcel.address)
        if site.SEGUE_BASE_URL.startswith("https://"):
            form["StatusCallback"] = f"{site.SEGUE_BASE_URL}/hooks/sms/{self.account_id}"
        headers = {**self._headers(), "Content-Type": "application/x-www-form-urlencoded"}
        answer = answering.ask(
            self._outgoing, f"{self._place()}/Messages.json", urlencode(form).encode(), headers
        )
        if isinstance(answer, Result):
            return answer
        told = answering.told(answer)
        if answer.status in (200, 201):
            return Result(
                Outcome.ACCEPTED, str(answer.status), provider_message_id=str(told.get("sid", ""))[:200]
            )
        code, words = told.get("code"), str(told.get("message") or "")
        if code in _ENDED or code == _STOPPED:
            return Result(Outcome.REFUSED, str(code), words[:300], address_ended=True)
        if code in _LATER:
            return Result(Outcome.TRY_LATER, str(code), words[:300], retry_after=answer.retry_after(now))
        return answering.refusal(answer, now, words=words, code=str(code or answer.status))
