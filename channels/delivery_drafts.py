"""Drafts: messages as written, until the addresses that their links lead to are known.

What the messages of a batch have in common is looked up once: template versions, the sender, the variables
that thousands of them share.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from channels import feeds, organisation, rendering, rendering_cut, rendering_people, shared_content
from channels.delivery_claim import Claimed
from channels.models import ProviderAccount, TemplateVersion
from channels.models.provider import Channel
from channels.providers import PROVIDERS
from channels.rendering import Letter, Source
from channels.rendering_cut import Cut, Drafted
from channels.rendering_liquid import TemplateError, plain
from channels.surveys import asking
from contacts import preferences


class Draft(NamedTuple):
    """A message as written, the short way (``mail``) or the long one.

    ``links`` are the person's own pages.
    """

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


class _Chosen(NamedTuple):
    """The version for a person, and its cut where it may be sent cut."""

    version: TemplateVersion
    source: Source
    cut: Cut | None


class _Sender(NamedTuple):
    """What an account adds to what templates may say."""

    organisation: Mapping[str, str]
    products: Sequence[Any]
    takes_wire: bool


class Drafts:
    """Writes the messages of one batch; a constant number of statements whatever their number."""

    def __init__(self, messages: Sequence[Claimed], now: datetime) -> None:
        slugs = {message.content.get(message.channel, "") for message in messages} - {""}
        self._versions = rendering.current(slugs)
        self._people = rendering_people.people({message.contact_id for message in messages})
        self._shared = shared_content.load(messages, self._versions.values(), now)
        self._now = now
        self._chosen: dict[tuple[str, str], _Chosen | None] = {}
        self._senders: dict[int, _Sender] = {}
        self._links: dict[tuple[str, str], Callable[[UUID, UUID], preferences.Links]] = {}
        self._variables: dict[int, dict[str, Any]] = {}

    def write(self, message: Claimed, account: ProviderAccount) -> Draft:
        """Raises TemplateError: no such person or template, or it cannot be written for this person."""
        person = self._people.get(message.contact_id)
        if person is None:
            raise TemplateError("the contact is gone")
        chosen = self._choose(message.content.get(message.channel, ""), person.language)
        sender = self._senders.get(account.id) or self._sender(account)
        wanted = self._own_pages(person.public_id, message)
        asks = asking.NAME in message.variables
        asked = self._shared.survey(message, chosen.version) if asks else {}
        variables = self._variables.get(id(message.variables))
        if variables is None:
            variables = self._variables[id(message.variables)] = rendering_people.variables(message)
        context = rendering_people.context(
            person, message, wanted, sender.organisation, sender.products, variables
        )
        context[feeds.NAME] = self._shared.feeds
        if asked:
            context[asking.NAME] = asked
        if chosen.cut is not None and sender.takes_wire:
            mail = chosen.cut.write(context, wanted.values())
            if mail is not None:
                return Draft(None, mail, wanted, chosen.version, asked)
        letter = rendering.write(rendering.wording(chosen.source), context)
        return Draft(letter, None, wanted, chosen.version, asked)

    def _choose(self, slug: str, language: str) -> _Chosen:
        if (slug, language) not in self._chosen:
            version = rendering.choose(self._versions, slug, language)
            self._chosen[slug, language] = None if version is None else _read(version)
        chosen = self._chosen[slug, language]
        if chosen is None:
            raise TemplateError(f"no published template “{slug}”")
        return chosen

    def _sender(self, account: ProviderAccount) -> _Sender:
        provider = PROVIDERS.get(account.kind)
        products = account.settings.get("best_sellers") or self._shared.best_sellers
        found = self._senders[account.id] = _Sender(
            organisation.of(account),
            plain(products),
            provider is not None and provider.takes_wire,
        )
        return found

    def _own_pages(self, public_id: UUID, message: Claimed) -> dict[str, str]:
        """The person's own pages: to unsubscribe from this, to say what they want, and to see why it came."""
        about = (message.channel, message.purpose)
        make = self._links.get(about)
        if make is None:
            make = self._links[about] = preferences.linker(*about, self._now)
        own = make(public_id, message.key)
        return {
            "unsubscribe_url": own.unsubscribe_url,
            "preferences_url": own.preferences_url,
            "why_url": own.why_url,
        }


def _read(version: TemplateVersion) -> _Chosen:
    source = rendering.source_of(version)
    is_mail = source.channel == Channel.EMAIL
    return _Chosen(version, source, rendering_cut.of(source) if is_mail else None)
