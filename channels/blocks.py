"""Content blocks in templates: taken in when a template is published, so that what is sent never changes.

``{% block "footer" %}`` stands for the block's words in the template's language. A published template keeps
which versions it took; bringing it up to date makes a new version of it with the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from channels import rendering_markup as markup
from channels.models import BlockVersion, ContentBlock, Template, TemplateVersion
from channels.rendering_liquid import TemplateError

_TAG = re.compile(r"\{%-?\s*block\s+[\"']?(?P<slug>[\w-]{1,60})[\"']?\s*-?%\}")
_DEEPEST = 3
_LARGEST = 400_000


@dataclass(frozen=True, slots=True)
class Taken:
    """A text with its blocks taken in, and the version taken of each, by slug."""

    text: str
    versions: Mapping[str, int]


def named(text: str) -> set[str]:
    """Slugs of the blocks that a text asks for."""
    return {match["slug"] for match in _TAG.finditer(text)}


Published = Mapping[tuple[str, str], BlockVersion]
"""The newest published versions by (slug, language)."""


def take_in(text: str, language: str, known: Published | None = None) -> Taken:
    """``text`` with the newest published words of its blocks. Raises TemplateError.

    One statement for each depth of blocks within blocks, of which there are three at most; none where
    ``known`` holds them all.
    """
    versions: dict[str, int] = {}
    for _depth in range(_DEEPEST):
        asked = named(text)
        if not asked:
            return Taken(text, versions)
        found = current(asked) if known is None else known
        words = {slug: _of(found, slug, language, text) for slug in asked}
        versions |= {slug: one.number for slug, one in words.items()}
        text = _poured(text, words)
        if len(text) > _LARGEST:
            raise TemplateError("the blocks make it too long")
    if named(text):
        raise TemplateError(f"blocks may stand in each other {_DEEPEST} deep, and not in themselves")
    return Taken(text, versions)


def reached(texts: Iterable[str]) -> Published:
    """All blocks that these texts take in, also by way of each other. Three statements at most."""
    found: dict[tuple[str, str], BlockVersion] = {}
    asked = {slug for text in texts for slug in named(text)}
    for _depth in range(_DEEPEST):
        if not asked:
            break
        more = current(asked)
        found |= more
        seen = {slug for slug, _language in found}
        asked = {slug for row in more.values() for slug in named(row.body)} - seen
    return found


def _poured(text: str, words: Mapping[str, BlockVersion]) -> str:
    return _TAG.sub(lambda match: words[match["slug"]].body, text)


def current(slugs: Iterable[str]) -> dict[tuple[str, str], BlockVersion]:
    """The newest published versions of these, in one statement."""
    rows = (
        BlockVersion.objects.filter(block__slug__in=set(slugs), published_at__isnull=False)
        .select_related("block")
        .order_by("block_id", "language", "-number")
        .distinct("block_id", "language")
    )
    return {(row.block.slug, row.language): row for row in rows}


def _of(found: Mapping[tuple[str, str], BlockVersion], slug: str, language: str, text: str) -> BlockVersion:
    for candidate in (language, "en"):
        if version := found.get((slug, candidate)):
            return version
    for (name, _language), version in sorted(found.items()):
        if name == slug:
            return version
    place = next((match.start() for match in _TAG.finditer(text) if match["slug"] == slug), 0)
    raise TemplateError(f"no published block is named “{slug}”", text.count("\n", 0, place) + 1)


def known() -> list[tuple[str, str]]:
    """(slug, name) of the blocks that can be used in templates."""
    found = ContentBlock.objects.filter(versions__published_at__isnull=False).distinct()
    return list(found.values_list("slug", "name"))


@dataclass(frozen=True, slots=True)
class Use:
    """A template that took a block: which version of it, and whether a newer one is published."""

    template: Template
    language: str
    number: int
    is_old: bool


def used_in(block: ContentBlock) -> list[Use]:
    """Where a block is used by what is sent now. Two statements."""
    newest = current([block.slug])
    found = []
    rows = (
        TemplateVersion.objects.filter(published_at__isnull=False)
        .select_related("template")
        .order_by("template_id", "language", "-number")
        .distinct("template_id", "language")
    )
    for version in rows:
        number = version.blocks.get(block.slug)
        if number is not None:
            of = _newest(newest, block.slug, version.language)
            found.append(Use(version.template, version.language, number, of is not None and of > number))
    return sorted(found, key=lambda use: (use.template.name, use.language))


def _newest(found: Mapping[tuple[str, str], BlockVersion], slug: str, language: str) -> int | None:
    try:
        return _of(found, slug, language, "").number
    except TemplateError:
        return None


def editable(block: ContentBlock, language: str) -> BlockVersion:
    """The draft of ``language``, or an unsaved next one that begins with the published words."""
    newest = block.versions.filter(language=language).order_by("-number").first()
    if newest is None:
        return BlockVersion(block=block, number=1, language=language)
    if newest.published_at is None:
        return newest
    return BlockVersion(block=block, number=newest.number + 1, language=language, body=newest.body)


def begin(slug: str, name: str, bodies: Mapping[str, str], user: AbstractBaseUser | None) -> ContentBlock:
    """A content block with a draft in each language of ``bodies``; the one that is there, if it is."""
    with transaction.atomic():
        block, is_new = ContentBlock.objects.get_or_create(slug=slug, defaults={"name": name})
        for language, body in bodies.items() if is_new else ():
            save(BlockVersion(block=block, number=1, language=language, body=body), user)
    return block


def save(version: BlockVersion, user: AbstractBaseUser | None) -> None:
    """Keep a draft. A published version is never written to. Raises TemplateError for what is forbidden."""
    version.body = markup.unix_lines(version.body)
    markup.check(version.body)
    with transaction.atomic():
        ContentBlock.objects.select_for_update().get(pk=version.block_id)
        if version.pk and BlockVersion.objects.filter(pk=version.pk, published_at__isnull=False).exists():
            raise ValueError("a published version does not change")
        version.created_by_id = version.created_by_id or (user.pk if user else None)
        version.save()


def publish(version: BlockVersion, now: datetime) -> None:
    """Let templates that are published from now on take these words."""
    if version.published_at is None:
        markup.check(version.body)
        version.published_at = now
        version.save(update_fields=["published_at"])
