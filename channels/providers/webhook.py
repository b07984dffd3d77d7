"""Finished messages to a server of your own, which brings them to people: signed as Standard Webhooks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from channels import standard_webhooks
from channels.providers import answering, reading
from channels.providers.base import Mark, NotReadyError, Outcome, Parcel, Provider, Result, Setting, Words
from channels.providers.outgoing import NotAllowedError, NotSentError, Outgoing, resolve
from channels.rendering_mail import Mail


class Webhook(Provider):
    """One post a message. ``webhook-id`` is its key: who knows it takes each message once."""

    kind = "webhook"
    label = "Webhook (a server of your own)"
    channels = frozenset({"email", "sms", "push"})
    chunk = 8
    callbacks = (("Receipts, signed with the same secret", "/hooks/webhook/<id>"),)
    settings = (
        Setting("url", "Address", "https://… that takes messages", required=True, reads=reading.web_address),
        Setting(
            "secret", "Secret", "Signs what we post and what comes back. Empty: made by itself", secret=True
        ),
        Setting(
            "honours_key",
            "Repeats are safe",
            "Yes if the same webhook-id is taken once",
            default="no",
            choices=reading.NO_YES,
        ),
        Setting(
            "timeout", "Longest wait for an answer, in seconds", default="20", reads=reading.number(1, 120)
        ),
    )

    def __init__(self, account_id: int, values: Any) -> None:
        super().__init__(account_id, values)
        self._outgoing = Outgoing(float(self.value("timeout")))

    def check(self) -> str:
        scheme, _sep, rest = self.value("url").partition("://")
        host = rest.partition("/")[0].partition(":")[0]
        if scheme not in ("https", "http") or not host:
            raise NotReadyError("The address is missing.", "settings")
        if not self.value("secret"):
            raise NotReadyError("The account has no secret yet: save it once.", "settings")
        try:
            resolve(host, 443)
        except (NotAllowedError, NotSentError) as error:
            raise NotReadyError(str(error)) from None
        return f"{host} can be called. Whether it takes messages, a test shows."

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        return self.each(mark(parcels), lambda parcel: self._send(parcel, now))

    def close(self) -> None:
        self._outgoing.close()

    def _send(self, parcel: Parcel, now: datetime) -> Result:
        body = json.dumps(_told(parcel, now), ensure_ascii=False).encode("utf-8", "replace")
        try:
            headers = standard_webhooks.signed(self.value("secret"), parcel.key.hex, now, body)
        except ValueError:
            return Result(Outcome.TRY_LATER, "settings", "the secret is not one of Standard Webhooks")
        keyed = self.value("honours_key") == "yes"
        answer = answering.ask(self._outgoing, self.value("url"), body, headers, keyed=keyed)
        if isinstance(answer, Result):
            return answer
        if 200 <= answer.status < 300:
            name = str(answering.told(answer).get("id") or parcel.key.hex)[:200]
            return Result(Outcome.ACCEPTED, str(answer.status), provider_message_id=name)
        if answer.status == 410:
            return Result(Outcome.REFUSED, "410", "gone", address_ended=True)
        return answering.refusal(answer, now, keyed=keyed)


def _told(parcel: Parcel, now: datetime) -> dict[str, Any]:
    content = parcel.content
    words: dict[str, Any]
    if isinstance(content, Mail):
        words = {
            "subject": content.subject, "text": content.text, "html": content.html, "from": content.sender,
            "from_name": content.sender_name, "reply_to": content.reply_to,
            "unsubscribe_url": content.unsubscribe_url,
        }  # fmt: skip
    elif isinstance(content, Words):
        words = {
            "title": content.title, "text": content.text, "link": content.link,
            "image": content.placing.image, "button": content.placing.button, "icon": content.placing.icon,
        }  # fmt: skip
    else:
        raise TypeError("finished mails go over SMTP")
    data = {"id": parcel.key.hex, "channel": parcel.channel, "to": parcel.address, **words}
    return {"type": "message.send", "timestamp": now.isoformat(), "data": data}
