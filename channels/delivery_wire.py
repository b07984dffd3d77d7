"""The last step of mails that were written the short way: tracked addresses, head, finished bytes.

What a batch has in common (the frame of the head, the front of tracked addresses) is made once.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings

from channels import addresses, links, mail_ids, rendering_mail, rendering_wire, tracking
from channels.delivery_claim import Claimed
from channels.models import ProviderAccount
from channels.providers.base import Parcel
from channels.rendering import Letter
from channels.rendering_cut import Drafted
from channels.rendering_mail import BOUNDARY, Frame, Mail, Wire
from channels.rendering_markup import LINK, TEXT_LINK
from channels.rendering_wire import Target, encoded, spread
from channels.tracking import CLICK, OPEN, TRAP

_SOFT = b"=\r\n"


class Finisher:
    """Finishes the mails of one batch. ``known`` holds the ids of the addresses that links lead to."""

    def __init__(self, known: Mapping[str, int], now: datetime) -> None:
        self._known = known
        self._now = now
        self._frames: dict[tuple[object, ...], Frame] = {}
        self._sign = links.signer().token
        begins = f"{settings.SEGUE_TRACKING_URL}/t/c/"
        self._begins = {LINK: spread(html.escape(begins)), TEXT_LINK: spread(begins)}
        self._pixel = [encoded(part) for part in links.pixel_frame(settings.SEGUE_TRACKING_URL)]

    def parcel(
        self, message: Claimed, drafted: Drafted, account: ProviderAccount, unsubscribe: str
    ) -> Parcel:
        """The parcel of one mail. Raises AddressError and HeaderError."""
        address = addresses.email(message.address)
        own = tracking.front(message.id, message.created_at)
        frame = self._frame(message, account)
        sender = _sender(account)
        token = self._sign(mail_ids.USE, own).decode("ascii")
        raw = rendering_mail.framed(
            frame, address, drafted.subject, mail_ids.framed(message.key, token, sender), unsubscribe,
            self._body(drafted, own),
        )  # fmt: skip
        wire = Wire(address, sender, drafted.subject, raw)
        return Parcel(message.id, message.created_at, message.key, message.channel, address, wire)

    def _body(self, drafted: Drafted, own: bytes) -> bytes:
        known, begins, sign = self._known, self._begins, self._sign
        made: dict[int, bytes] = {}

        def link(target: Target) -> bytes:
            kind, address = target
            number = known.get(address)
            if number is None:
                return rendering_wire.shown(kind, address)
            token = made.get(number)
            if token is None:
                token = made[number] = sign(CLICK, own, number) + _SOFT
            return begins[kind] + token

        def pixel() -> bytes:
            before, between, after = self._pixel
            return b"".join((before, sign(TRAP, own), _SOFT, between, sign(OPEN, own), _SOFT, after))

        return rendering_wire.body(drafted.text, drafted.html, link, pixel, BOUNDARY)

    def _frame(self, message: Claimed, account: ProviderAccount) -> Frame:
        key = (
            account.id, message.purpose, message.transactional, message.origin_kind, message.origin_slug,
            message.origin_step,
        )  # fmt: skip
        frame = self._frames.get(key)
        if frame is None:
            example = mail(message, Letter("", "", ""), account, "", "-", self._now)
            frame = self._frames[key] = rendering_mail.frame(example)
        return frame


def mail(
    message: Claimed, letter: Letter, account: ProviderAccount, address: str, unsubscribe: str, now: datetime
) -> Mail:
    """The email of one message. Its Message-ID is the same for each attempt at it."""
    sender = _sender(account)
    headers = {
        "Feedback-ID": f"{message.origin_slug or message.origin_kind}:{message.origin_step or '-'}"
        f":{message.purpose or '-'}:segue"
    }
    if not message.transactional:
        headers["List-Id"] = f"<{message.purpose or 'messages'}.{sender.rpartition('@')[2]}>"
    return Mail(
        recipient=address,
        sender=sender,
        sender_name=str(account.settings.get("from_name") or ""),
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        message_id=mail_ids.made(message.id, message.created_at, message.key, sender),
        sent_at=now,
        reply_to=str(account.settings.get("reply_to") or ""),
        unsubscribe_url="" if message.transactional else unsubscribe,
        headers=headers,
    )


def _sender(account: ProviderAccount) -> str:
    return str(account.settings.get("from_email") or settings.DEFAULT_FROM_EMAIL)
