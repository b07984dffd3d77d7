"""What all messages of a batch may tell: surveys, data feeds, best sellers. Loaded once for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels import best_sellers, feeds
from channels.models import TemplateVersion
from channels.rendering_liquid import TemplateError
from channels.surveys import asking
from channels.surveys.asking import Asking, Surveys


@dataclass(frozen=True, slots=True)
class SharedContent:
    """For one batch: surveys by slug and version, what feeds say by slug, products for everybody."""

    surveys: Surveys
    feeds: Mapping[str, Any]
    best_sellers: list[dict[str, Any]]

    def survey(self, message: Asking, version: TemplateVersion) -> dict[str, Any]:
        """The survey that a message asks, in its template's language. Raises TemplateError."""
        shown = asking.shown(message, self.surveys, version.language)
        if asking.named(message) and not shown:
            raise TemplateError("its survey is not published")
        return dict(shown.get(asking.NAME, {}))


def load(messages: Iterable[Asking], versions: Iterable[TemplateVersion], now: datetime) -> SharedContent:
    """Three statements at most, and one request of each feed whose time is over."""
    return SharedContent(asking.load(messages), feeds_of(versions, now), best_sellers.load())


def feeds_of(versions: Iterable[TemplateVersion], now: datetime) -> dict[str, Any]:
    """What the feeds say that these templates ask for."""
    texts = (
        text
        for version in versions
        for text in (version.subject, version.compiled or version.body, version.text, version.link)
    )
    return feeds.values(feeds.named(texts), now)
