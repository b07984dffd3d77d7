"""Text messages over Vonage (once Nexmo): its Messages API, one request a message."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from channels import retry, sms_segments, sms_senders
from channels.providers import answering, reading
from channels.providers.answering import PRICES, check_prices
from channels.providers.base import Mark, NotReadyError, Outcome, Parcel, Provider, Result, Setting, Words
from channels.providers.outgoing import NoAnswerError, NotAllowedError, NotSentError, Outgoing

_LONGEST_REFERENCE = 100


class Vonage(Provider):
    """Signs nothing of ours but its reports to us, with a token over the whole post."""

    kind = "vonage"
    label = "Vonage"
    channels = frozenset({"sms"})
    chunk = 8
    schedules = (retry.TEXTS, retry.TEXTS_TRANSACTIONAL)
    callbacks = (("Status URL", "/hooks/sms/<id>"), ("Inbound URL", "/hooks/sms-in/<id>"))
    settings = (
        Setting("api_key", "API key", required=True),
        Setting("api_secret", "API secret", secret=True, required=True),
        Setting("signature_secret", "Signature secret", "Proves what Vonage reports", secret=True),
        Setting("senders", "Senders", "Numbers and names with commas between", required=True),
        Setting("api_url", "Address of the API", default="https://api.nexmo.com", reads=reading.web_address),
        *PRICES,
    )

    def __init__(self, account_id: int, values: Any) -> None:
        super().__init__(account_id, values)
        self._outgoing = Outgoing()
        self._senders = sms_senders.pool(self.value("senders"))

    def check(self) -> str:
        check_prices(self.value("prices"))
        if not self._senders:
            raise NotReadyError("There is no sender: a number or a name.", "settings")
        try:
            answer = self._outgoing.call(
                "GET", f"{self.value('api_url').rstrip('/')}/account/numbers", headers=self._headers()
            )
        except NotAllowedError as error:
            raise NotReadyError(f"The address of the API cannot be called: {error}", "settings") from None
        except (NotSentError, NoAnswerError) as error:
            raise NotReadyError(f"Vonage does not answer: {error}") from None
        if answer.status in (401, 403):
            raise NotReadyError("Vonage does not know this API key with this secret.", "auth")
        if answer.status != 200:
            raise NotReadyError(f"Vonage answers {answer.status}.", "account")
        words = (
            "" if self.value("signature_secret") else " Without a signature secret its receipts are refused."
        )
        return f"Vonage knows the key.{words}"

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        return self.each(mark(parcels), lambda parcel: self._send(parcel, now))

    def close(self) -> None:
        self._outgoing.close()

    def _headers(self) -> dict[str, str]:
        pair = f"{self.value('api_key')}:{self.value('api_secret')}".encode()
        return {
            "Authorization": "Basic " + base64.b64encode(pair).decode("ascii"),
            "Content-Type": "application/json",
            "Accept": "application/json",
        }

    def _send(self, parcel: Parcel, now: datetime) -> Result:
        if not isinstance(parcel.content, Words):
            return Result(Outcome.REFUSED, "channel", "only text messages go this way")
        text = parcel.content.text
        body = {
            "message_type": "text",
            "channel": "sms",
            "to": parcel.address.removeprefix("+"),
            "from": sms_senders.pick(self._senders, parcel.address).removeprefix("+"),
            "text": text,
            "client_ref": parcel.key.hex[:_LONGEST_REFERENCE],
            "sms": {"encoding_type": "unicode" if sms_segments.count(text).odd else "text"},
        }
        url = f"{self.value('api_url').rstrip('/')}/v1/messages"
        answer = answering.ask(self._outgoing, url, json.dumps(body).encode(), self._headers())
        if isinstance(answer, Result):
            return answer
        told = answering.told(answer)
        if answer.status in (200, 202):
            name = str(told.get("message_uuid", ""))[:200]
            return Result(Outcome.ACCEPTED, str(answer.status), provider_message_id=name)
        return answering.refusal(answer, now, words=str(told.get("detail") or told.get("title") or ""))
