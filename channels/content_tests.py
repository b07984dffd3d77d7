"""Who gets which variant of a message: dealt by a hash, so that people keep theirs; kept on the message."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection

from channels.intents import Intent
from channels.models import ContentTest, Template

#: The variable of a message that says which variants it got.
NAME = "variants"
MOST_VARIANTS = 10


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the templates, and its share among all."""

    name: str
    template: str
    share: float


@dataclass(frozen=True, slots=True)
class Running:
    """A test that runs, in the place of ``template`` on ``channel``."""

    slug: str
    template: str
    channel: str
    variants: tuple[Variant, ...]


def running() -> list[Running]:
    """The tests that run. One statement."""
    rows = ContentTest.objects.filter(started_at__isnull=False, ended_at=None).select_related("template")
    return [
        Running(row.slug, row.template.slug, row.template.channel, tuple(read(row.variants))) for row in rows
    ]


def read(data: Any) -> list[Variant]:
    """Variants as they are stored, those without a share left out."""
    listed = data if isinstance(data, list) else []
    found = [
        Variant(str(one.get("name")), str(one.get("template")), float(one.get("share") or 0))
        for one in listed
        if isinstance(one, dict)
    ]
    return [one for one in found if one.share > 0]


def deal(slug: str, contact_id: int, variants: Sequence[Variant]) -> Variant:
    """The variant of one contact in one test: the same whenever it is asked, while the shares stay."""
    digest = hashlib.blake2b(f"{slug}\x1f{contact_id}".encode(), digest_size=8).digest()
    place = int.from_bytes(digest) / 2**64 * sum(one.share for one in variants)
    for one in variants:
        place -= one.share
        if place < 0:
            return one
    return variants[-1]


def assign(intents: Sequence[Intent], tests: Iterable[Running]) -> list[Intent]:
    """The intents with the templates of their variants, and what they got written on them. Pure."""
    by_place = {(test.channel, test.template): test for test in tests if test.variants}
    return [_assigned(intent, by_place) for intent in intents] if by_place else list(intents)


def _assigned(intent: Intent, by_place: dict[tuple[str, str], Running]) -> Intent:
    content, got = dict(intent.content), {}
    for channel, slug in intent.content.items():
        if test := by_place.get((channel, slug)):
            variant = deal(test.slug, intent.contact_id, test.variants)
            content[channel] = variant.template
            got[test.slug] = variant.name
    if not got:
        return intent
    return replace(intent, content=content, variables={**intent.variables, NAME: got})


def problems(test: ContentTest) -> list[str]:
    """What keeps a test from being started, as codes."""
    variants = read(test.variants)
    names = [one.name for one in variants]
    if not 2 <= len(variants) <= MOST_VARIANTS:
        return ["number"]
    if len(set(names)) != len(names) or not all(0 < len(name) <= 40 for name in names):
        return ["names"]
    fitting = Template.objects.filter(
        channel=test.template.channel,
        slug__in={one.template for one in variants},
        versions__published_at__isnull=False,
    )
    known = set(fitting.values_list("slug", flat=True))
    return [] if {one.template for one in variants} <= known else ["template"]


def start(test: ContentTest, now: datetime) -> list[str]:
    """Let it run from now on, unless it has problems. One test a template runs at a time."""
    found = problems(test)
    others = ContentTest.objects.filter(template=test.template, started_at__isnull=False, ended_at=None)
    if others.exclude(pk=test.pk).exists():
        found.append("running")
    if not found and test.started_at is None:
        test.started_at = now
        test.save(update_fields=["started_at"])
    return found


def end(test: ContentTest, now: datetime) -> None:
    """Whoever is written to from now on gets the template itself."""
    if test.started_at and test.ended_at is None:
        test.ended_at = now
        test.save(update_fields=["ended_at"])


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of one variant's messages: people's opens and clicks, where they may be measured."""

    name: str
    sent: int
    opened: int
    clicked: int

    @property
    def rate(self) -> float:
        """Clicks to a hundred messages."""
        return 100 * self.clicked / self.sent if self.sent else 0.0


def figures(test: ContentTest) -> list[Figures]:
    """Each variant of a test that was started. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT variables #>> ARRAY['variants', %s], count(*), count(opened_at), count(clicked_at)"
            " FROM channels_message WHERE variables ? 'variants' AND created_at >= %s"
            " AND accepted_at IS NOT NULL GROUP BY 1",
            [test.slug, test.started_at],
        )
        found = {row[0]: row for row in cursor.fetchall()}
    names = [one.name for one in read(test.variants)]
    return [Figures(*found.get(name, (name, 0, 0, 0))) for name in names]
