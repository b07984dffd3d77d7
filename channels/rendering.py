"""Templates to messages: publish once, parse once, write for each person.

``wording`` gives the parsed form of a template version, ``write`` fills it for one person, ``finish`` puts
tracked addresses in. Linting and previews take the very same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import transaction
from liquid import BoundTemplate

from channels import blocks, links
from channels import rendering_liquid as liquid
from channels import rendering_markup as markup
from channels.models import TemplateVersion
from channels.models.provider import Channel
from channels.rendering_liquid import TemplateError

#: Gmail shows no more of a mail than this.
CLIPPED_AT = 102_000
_LONGEST_SUBJECT = 500
_LONGEST_ADDRESS = 2_000
_BREAKS = re.compile("[\\s\x00-\x1f\x7f\u0085\u2028\u2029]+")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")


@dataclass(frozen=True, slots=True)
class Source:
    """The words of a template as written. ``compiled`` is the HTML of a published one."""

    channel: str
    subject: str
    body: str
    text: str = ""
    link: str = ""
    compiled: str = ""
    image: str = ""
    button: str = ""
    icon: str = ""
    button_link: str = ""
    second_button: str = ""
    second_link: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """A template version, parsed and ready to be written many times."""

    subject: BoundTemplate
    text: BoundTemplate
    html: BoundTemplate | None
    link: BoundTemplate | None
    image: BoundTemplate | None = None
    button: BoundTemplate | None = None
    icon: BoundTemplate | None = None
    button_link: BoundTemplate | None = None
    second_button: BoundTemplate | None = None
    second_link: BoundTemplate | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """One person's message. Until ``finish`` has run, addresses in it are marks."""

    subject: str
    text: str
    html: str = ""
    link: str = ""
    image: str = ""
    button: str = ""
    icon: str = ""
    button_link: str = ""
    second_button: str = ""
    second_link: str = ""


def source_of(version: TemplateVersion) -> Source:
    """The words of a version; a draft's blocks are taken in. Raises TemplateError where one is missing."""
    is_draft = version.published_at is None
    return Source(
        version.template.channel,
        version.subject,
        blocks.take_in(version.body, version.language).text if is_draft else version.body,
        version.text,
        version.link,
        version.compiled,
        version.image,
        version.button,
        version.icon,
        version.button_link,
        version.second_button,
        version.second_link,
    )


@lru_cache(maxsize=512)
def wording(source: Source) -> Wording:
    """Parse ``source``. Raises TemplateError. Parsing costs milliseconds, so the result is kept."""
    if source.channel == Channel.EMAIL:
        return Wording(*parsed(source), None)
    return Wording(
        liquid.parse(source.subject, html=False),
        liquid.parse(markup.mark_text(source.compiled or source.body), html=False),
        None,
        _link(source.link),
        _part(source.image),
        _part(source.button),
        _part(source.icon),
        _link(source.button_link),
        _part(source.second_button),
        _link(source.second_link),
    )


def _part(text: str) -> BoundTemplate | None:
    return liquid.parse(text, html=False) if text else None


def _link(address: str) -> BoundTemplate | None:
    return _part(f"{markup.START}{markup.TEXT_LINK}{address}{markup.END}") if address else None


def parsed(source: Source) -> tuple[BoundTemplate, BoundTemplate, BoundTemplate]:
    """Subject, text and HTML of an email, parsed anew. Raises TemplateError."""
    page = source.compiled or markup.to_html(source.body)
    return (
        liquid.parse(source.subject, html=False),
        liquid.parse(markup.mark_text(source.text) if source.text else markup.to_text(page), html=False),
        liquid.parse(markup.mark_html(page), html=True),
    )


def write(words: Wording, context: Mapping[str, Any]) -> Letter:
    """The message for one person, from plain values. Raises TemplateError, for this person only."""

    def part(one: BoundTemplate | None) -> str:
        return "" if one is None else liquid.render(one, context).strip()

    return Letter(
        subject_line(liquid.render(words.subject, context)),
        text_body(liquid.render(words.text, context)),
        "" if words.html is None else liquid.render(words.html, context),
        part(words.link),
        _shown_image(part(words.image)),
        _BREAKS.sub(" ", part(words.button)),
        _shown_image(part(words.icon)),
        part(words.button_link),
        _BREAKS.sub(" ", part(words.second_button)),
        part(words.second_link),
    )


def subject_line(rendered: str) -> str:
    """A rendered subject on one line. Raises TemplateError when it is too long."""
    subject = _BREAKS.sub(" ", rendered).strip()
    if len(subject) > _LONGEST_SUBJECT:
        raise TemplateError("the subject is too long")
    return subject


def text_body(rendered: str) -> str:
    """A rendered plain text without the gaps that its tags left."""
    return _BLANK_LINES.sub("\n\n", rendered).strip()


def _shown_image(address: str) -> str:
    """The address of a picture, where browsers may fetch it; pages served by https would show no other."""
    return address if address.startswith("https://") and len(address) <= _LONGEST_ADDRESS else ""


def addresses(letter: Letter) -> set[str]:
    """The web addresses that a letter leads to, to be known before it is finished."""
    parts = (letter.text, letter.html, letter.link, letter.button_link, letter.second_link)
    return {address for part in parts for address in markup.addresses(part)}


def finish(letter: Letter, track: Callable[[str], str], pixel: str = "") -> Letter:
    """``letter`` with its marks replaced: addresses through ``track``, the pixel's place by ``pixel``."""

    def button(words: str, link: str, number: int) -> str:
        if not words:
            return ""
        # The same address behind two buttons is two answers.
        return markup.resolve(link or letter.link, lambda address: _numbered(address, track, number), "")

    return replace(
        letter,
        text=markup.resolve(letter.text, track, "").replace(" ()", ""),
        html=markup.resolve(letter.html, track, pixel) if letter.html else "",
        link=markup.resolve(letter.link, track, ""),
        button_link=button(letter.button, letter.button_link, 1),
        second_link=button(letter.second_button, letter.second_link, 2),
    )


def _numbered(address: str, track: Callable[[str], str], number: int) -> str:
    tracked = track(address)
    return tracked if tracked == address else f"{tracked}?{links.BUTTON}={number}"


def publish(version: TemplateVersion, now: datetime) -> None:
    """Compile a draft and make it the one that is sent. Raises TemplateError and changes nothing then."""
    if version.published_at is not None:
        return
    taken = blocks.take_in(version.body, version.language)
    source = replace(source_of(version), compiled="")
    version.blocks = dict(taken.versions)
    if source.channel == Channel.EMAIL:
        version.compiled = markup.to_html(taken.text)
    else:
        version.compiled = taken.text if taken.versions else ""
    wording(replace(source, compiled=version.compiled))
    version.published_at = now
    with transaction.atomic():
        version.save()


def current(slugs: set[str]) -> dict[tuple[str, str], TemplateVersion]:
    """The newest published version by (template slug, language), in one statement."""
    versions = (
        TemplateVersion.objects.filter(template__slug__in=slugs, published_at__isnull=False)
        .select_related("template")
        .order_by("template_id", "language", "-number")
        .distinct("template_id", "language")
    )
    return {(version.template.slug, version.language): version for version in versions}


def choose(
    versions: Mapping[tuple[str, str], TemplateVersion], slug: str, language: str
) -> TemplateVersion | None:
    """The version for a person's language: that very one, its base language, English, or any."""
    for candidate in (language, language.split("-", maxsplit=1)[0].split("_", maxsplit=1)[0], "en"):
        if version := versions.get((slug, candidate)):
            return version
    return next((version for (name, _language), version in sorted(versions.items()) if name == slug), None)
