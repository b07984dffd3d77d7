"""From claimed messages to finished parcels: a set at a time, each failing alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from channels import (
    addresses,
    feeds,
    links,
    mail_ids,
    rendering,
    rendering_cut,
    rendering_people,
    rendering_wire,
    shared_content,
)
from channels.addresses import AddressError
from channels.delivery_claim import Claimed
from channels.models import ProviderAccount, TemplateVersion
from channels.models.provider import Channel
from channels.providers import PROVIDERS
from channels.providers.base import Button, Parcel, Placing, Words
from channels.rendering import Letter, Source
from channels.rendering_cut import Drafted
from channels.rendering_liquid import TemplateError
from channels.rendering_mail import BOUNDARY, HeaderError, Mail, Wire, wire
from channels.rendering_people import Person
from channels.shared_content import SharedContent
from channels.surveys import asking
from contacts import preferences
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


@dataclass(frozen=True, slots=True)
class _Draft:
    """A message as written, the short way (``mail``) or the long one, until its addresses are known."""

    letter: Letter | None
    mail: Drafted | None
    links: Mapping[str, str]
    version: TemplateVersion
    survey: Mapping[str, Any]

    @property
    def addresses(self) -> Collection[str]:
        if self.mail is not None:
            return self.mail.addresses
        return rendering.addresses(self.letter) if self.letter is not None else ()


class _Templates:
    """The newest versions of what a batch needs, each read once."""

    def __init__(self, messages: Sequence[Claimed]) -> None:
        slugs = {message.content.get(message.channel, "") for message in messages} - {""}
        self._versions = rendering.current(slugs)
        self._chosen: dict[tuple[str, str], TemplateVersion | None] = {}
        self._sources: dict[int, Source] = {}

    @property
    def versions(self) -> Collection[TemplateVersion]:
        """Every version that may be chosen."""
        return self._versions.values()

    def choose(self, slug: str, language: str) -> TemplateVersion:
        """Raises TemplateError when there is none."""
        if (slug, language) not in self._chosen:
            self._chosen[slug, language] = rendering.choose(self._versions, slug, language)
        version = self._chosen[slug, language]
        if version is None:
            raise TemplateError(f"no published template “{slug}”")
        return version

    def source(self, version: TemplateVersion) -> Source:
        if version.pk not in self._sources:
            self._sources[version.pk] = rendering.source_of(version)
        return self._sources[version.pk]


def pack(
    messages: Sequence[Claimed], by_message: Mapping[int, ProviderAccount], now: datetime
) -> tuple[dict[int, Parcel], dict[int, Fault]]:
    """A parcel or a fault for each message; a constant number of statements."""
    templates = _Templates(messages)
    people = rendering_people.people({message.contact_id for message in messages})
    subscriptions = _subscriptions(messages)
    shared = shared_content.load(messages, templates.versions, now)
    drafts: dict[int, _Draft] = {}
    faults: dict[int, Fault] = {}
    for message in messages:
        try:
            account = by_message[message.id]
            drafts[message.id] = _draft(message, account, templates, people, shared, now)
        except TemplateError as error:
            faults[message.id] = Fault("template", str(error)[:500])
    known = links.ids(set().union(*(draft.addresses for draft in drafts.values())))
    parcels: dict[int, Parcel] = {}
    for message in messages:
        if message.id in drafts:
            account = by_message[message.id]
            try:
                parcels[message.id] = _parcel(message, drafts[message.id], account, known, subscriptions, now)
            except AddressError as error:
                faults[message.id] = Fault("address", str(error), address_invalid=True)
            except HeaderError as error:
                faults[message.id] = Fault("header", str(error))
            except TemplateError as error:
                faults[message.id] = Fault("template", str(error)[:500])
    return parcels, faults


def _draft(
    message: Claimed,
    account: ProviderAccount,
    templates: _Templates,
    people: Mapping[int, Person],
    shared: SharedContent,
    now: datetime,
) -> _Draft:
    person = people.get(message.contact_id)
    if person is None:
        raise TemplateError("the contact is gone")
    version = templates.choose(message.content.get(message.channel, ""), person.language)
    wanted = message_links(person, message, now)
    asked = shared.survey(message, version)
    products = account.settings.get("best_sellers") or shared.best_sellers
    context = rendering_people.context(person, message, wanted, organisation(account), products)
    context |= {feeds.NAME: shared.feeds} | ({asking.NAME: asked} if asked else {})
    source = templates.source(version)
    if message.channel == Channel.EMAIL and _takes_wire(account):
        cut = rendering_cut.of(source)
        mail = cut.write(context) if cut is not None else None
        if mail is not None:
            return _Draft(None, mail, wanted, version, asked)
    return _Draft(rendering.write(rendering.wording(source), context), None, wanted, version, asked)


def _takes_wire(account: ProviderAccount) -> bool:
    """Whether mails may come finished: what Segue signs by itself is signed as a whole."""
    provider = PROVIDERS.get(account.kind)
    return provider is not None and provider.takes_wire and not account.settings.get("dkim_selector")


def message_links(person: Person, message: Claimed, now: datetime) -> dict[str, str]:
    """The person's own pages: to unsubscribe from this, to say what they want, and to see why it came."""
    own = preferences.links(person.public_id, message.channel, message.purpose, now, message=message.key)
    return {
        "unsubscribe_url": own.unsubscribe_url,
        "preferences_url": own.preferences_url,
        "why_url": own.why_url,
    }


def organisation(account: ProviderAccount) -> dict[str, str]:
    """Who writes, as every commercial message must say."""
    return {
        "name": str(account.settings.get("from_name") or "Segue"),
        "address": str(account.settings.get("postal_address") or ""),
    }


def _parcel(
    message: Claimed,
    draft: _Draft,
    account: ProviderAccount,
    known: dict[str, int],
    subscriptions: Mapping[tuple[int, str], dict[str, Any]],
    now: datetime,
) -> Parcel:
    track = links.tracker(message.id, message.created_at, known)
    pixel = links.pixel(message.id, message.created_at)
    if draft.mail is not None:
        return _wire(message, draft, draft.mail, account, (track, pixel), now)
    letter = rendering.finish(draft.letter or Letter("", ""), track, pixel)
    address, extra = message.address, {}
    content: Mail | Wire | Words
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


def _wire(
    message: Claimed,
    draft: _Draft,
    drafted: Drafted,
    account: ProviderAccount,
    measured: tuple[Callable[[str], str], str],
    now: datetime,
) -> Parcel:
    """The parcel of a mail that was written the short way: finished to its last byte."""
    address = addresses.email(message.address)
    body = rendering_wire.body(drafted.text, drafted.html, *measured, BOUNDARY)
    letter = Letter(drafted.subject, "", "")
    head = mail(message, letter, account, address, draft.links["unsubscribe_url"], now)
    return Parcel(message.id, message.created_at, message.key, message.channel, address, wire(head, body))


def look(letter: Letter) -> Placing:
    """How a push looks. A button that leads nowhere is none."""
    pairs = ((letter.button, letter.button_link), (letter.second_button, letter.second_link))
    buttons = tuple(Button(words, link) for words, link in pairs if words and link)
    return Placing(image=letter.image, button=letter.button, icon=letter.icon, buttons=buttons)


def _placing(message: Claimed, letter: Letter, draft: _Draft, now: datetime) -> Placing:
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


def mail(
    message: Claimed, letter: Letter, account: ProviderAccount, address: str, unsubscribe: str, now: datetime
) -> Mail:
    """The email of one message. Its Message-ID is the same for each attempt at it."""
    sender = str(account.settings.get("from_email") or settings.DEFAULT_FROM_EMAIL)
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


def _subscriptions(messages: Sequence[Claimed]) -> dict[tuple[int, str], dict[str, Any]]:
    wanted = [message for message in messages if message.channel == Channel.PUSH]
    if not wanted:
        return {}
    rows = ChannelAddress.objects.filter(
        channel=Channel.PUSH, contact_id__in={message.contact_id for message in wanted}
    )
    return {(row.contact_id, row.address): row.data for row in rows}
