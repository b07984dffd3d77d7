"""From claimed messages to finished parcels: a set at a time, each failing alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from channels import (
    addresses,
    links,
    rendering,
)
from channels.addresses import AddressError
from channels.delivery_claim import Claimed
from channels.delivery_drafts import Draft, Drafts
from channels.delivery_wire import Finisher, mail
from channels.models import ProviderAccount
from channels.models.provider import Channel
from channels.providers.base import Button, Parcel, Placing, Words
from channels.rendering import Letter
from channels.rendering_liquid import TemplateError
from channels.rendering_mail import HeaderError, Mail
from channels.surveys import asking
from contacts.models import ChannelAddress

#: What a text message may hold: ten segments of the longest kind.
_LONGEST_TEXT = 1_530
_LONGEST_MAIL = 1_000_000


@dataclass(frozen=True, slots=True)
class Fault:
    """Why one message cannot be written. ``code`` becomes its reason."""

    code: str
    detail: str
    address_invalid: bool = False


def pack(
    messages: Sequence[Claimed], by_message: Mapping[int, ProviderAccount], now: datetime
) -> tuple[dict[int, Parcel], dict[int, Fault]]:
    """A parcel or a fault for each message; a constant number of statements."""
    writer = Drafts(messages, now)
    subscriptions = _subscriptions(messages)
    drafts: dict[int, Draft] = {}
    faults: dict[int, Fault] = {}
    for message in messages:
        try:
            drafts[message.id] = writer.write(message, by_message[message.id])
        except TemplateError as error:
            faults[message.id] = Fault("template", str(error)[:500])
    known = links.ids(set().union(*(draft.addresses for draft in drafts.values())))
    finisher = Finisher(known, now)
    parcels: dict[int, Parcel] = {}
    for message in messages:
        if message.id in drafts:
            account = by_message[message.id]
            try:
                draft = drafts[message.id]
                parcels[message.id] = (
                    finisher.parcel(message, draft.mail, account, draft.links["unsubscribe_url"])
                    if draft.mail is not None
                    else _parcel(message, draft, account, known, subscriptions, now)
                )
            except AddressError as error:
                faults[message.id] = Fault("address", str(error), address_invalid=True)
            except HeaderError as error:
                faults[message.id] = Fault("header", str(error))
            except TemplateError as error:
                faults[message.id] = Fault("template", str(error)[:500])
    return parcels, faults


def _parcel(
    message: Claimed,
    draft: Draft,
    account: ProviderAccount,
    known: dict[str, int],
    subscriptions: Mapping[tuple[int, str], dict[str, Any]],
    now: datetime,
) -> Parcel:
    track = links.tracker(message.id, message.created_at, known)
    pixel = links.pixel(message.id, message.created_at)
    letter = rendering.finish(draft.letter or Letter("", ""), track, pixel)
    address, extra = message.address, {}
    content: Mail | Words
    if message.channel == Channel.EMAIL:
        address = addresses.email(address)
        content = mail(message, letter, account, address, draft.links["unsubscribe_url"], now)
        if len(letter.html) > _LONGEST_MAIL:
            raise TemplateError("the mail is too long")
    else:
        if message.channel == Channel.SMS:
            address = addresses.phone(address)
            if len(letter.text) > _LONGEST_TEXT:
                raise TemplateError("the text message is too long")
        else:
            extra = subscriptions.get((message.contact_id, address), {})
        content = Words(letter.text, letter.subject, letter.link)
        if message.channel == Channel.PUSH:
            told = links.receipt(message.id, message.created_at)
            content = replace(content, placing=look(letter), receipt=told)
        elif message.channel == Channel.INAPP:
            content = replace(content, placing=_placing(message, letter, draft, now))
    return Parcel(message.id, message.created_at, message.key, message.channel, address, content, extra)


def look(letter: Letter) -> Placing:
    """How a push looks. A button that leads nowhere is none."""
    pairs = ((letter.button, letter.button_link), (letter.second_button, letter.second_link))
    buttons = tuple(Button(words, link) for words, link in pairs if words and link)
    return Placing(image=letter.image, button=letter.button, icon=letter.icon, buttons=buttons)


def _placing(message: Claimed, letter: Letter, draft: Draft, now: datetime) -> Placing:
    """Shown for the template's days, and never after the message is of no more use."""
    version = draft.version
    until = now + timedelta(days=version.days)
    return Placing(
        version.place,
        tuple(line.strip() for line in version.pages.splitlines() if line.strip()),
        letter.image,
        letter.button,
        version.importance,
        min(until, message.deadline_at or until),
        asking.in_app(draft.survey),
    )


def _subscriptions(messages: Sequence[Claimed]) -> dict[tuple[int, str], dict[str, Any]]:
    wanted = [message for message in messages if message.channel == Channel.PUSH]
    if not wanted:
        return {}
    rows = ChannelAddress.objects.filter(
        channel=Channel.PUSH, contact_id__in={message.contact_id for message in wanted}
    )
    return {(row.contact_id, row.address): row.data for row in rows}
