"""The charter in force, and how a new one comes into force. Its rules are read in ``charter_rules``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Q

from channels import charter_rules
from channels.charter_doubts import Known
from channels.charter_rules import DEFAULT, Charter, CharterError, Problem
from channels.models import CharterVersion, Template
from channels.policy_facts import tags_from
from contacts.models import Purpose, Segment

__all__ = [
    "DEFAULT",
    "Charter",
    "CharterError",
    "Problem",
    "current",
    "draft",
    "in_force",
    "lint",
    "publish",
    "rulers",
    "rules_in_force",
]


#: Before everything.
EVER = datetime(1, 1, 1, tzinfo=UTC)


class AlreadyPublishedError(Exception):
    """A published charter never changes: make a new draft of it."""


def in_force(now: datetime) -> CharterVersion | None:
    """Of the published versions that are effective, the latest; None when the default rules."""
    return (
        CharterVersion.objects.filter(published_at__isnull=False, published_at__lte=now)
        .filter(Q(effective_at__isnull=True) | Q(effective_at__lte=now))
        .order_by("-effective_at", "-number")
        .first()
    )


def current(now: datetime) -> Charter:
    """The charter that rules at ``now``."""
    version = in_force(now)
    if version is None:
        return charter_rules.parse(DEFAULT)
    return charter_rules.parse(version.rules, version.number)


def rulers(until: datetime) -> list[tuple[datetime, Charter]]:
    """The charters that ruled one after the other until ``until``, each with since when."""
    found = [(EVER, charter_rules.parse(DEFAULT))]
    published = CharterVersion.objects.filter(published_at__lte=until, effective_at__lte=until)
    # Of two with the same date the higher number rules; one published late rules from then on.
    for version in published.order_by("effective_at", "number"):
        since = max(version.effective_at or until, version.published_at or until)
        found.append((since, charter_rules.parse(version.rules, version.number)))
    return sorted(found, key=lambda one: one[0])


def rules_in_force(now: datetime) -> dict[str, Any]:
    """The rules that hold at ``now``, as data."""
    version = in_force(now)
    return dict(version.rules) if version else DEFAULT


def lint(rules: object, now: datetime) -> list[Problem]:
    """Everything wrong or doubtful in rules, also in what they name. Three statements."""
    purposes = dict(Purpose.objects.values_list("slug", "transactional"))
    tags = Template.objects.exclude(tags="").values_list("tags", flat=True)
    known = Known(
        today=now.date(),
        purposes=frozenset(purposes),
        marketing=frozenset(slug for slug, transactional in purposes.items() if not transactional),
        segments=frozenset(Segment.objects.filter(archived_at=None).values_list("slug", flat=True)),
        tags=frozenset().union(*map(tags_from, tags)),
    )
    return charter_rules.lint(rules, known)


def draft(rules: dict[str, Any], note: str = "", author: User | None = None) -> CharterVersion:
    """A new version to work on, with the next number."""
    with transaction.atomic():
        latest = CharterVersion.objects.aggregate(latest=Max("number"))["latest"] or 0
        return CharterVersion.objects.create(number=latest + 1, rules=rules, note=note, created_by=author)


def publish(version: CharterVersion, now: datetime) -> CharterVersion:
    """Let ``version`` rule from its effective date, or from now.

    Raises CharterError where its rules cannot be read, AlreadyPublishedError where it is published.
    """
    charter_rules.parse(version.rules)
    effective_at = max(version.effective_at or now, now)
    published = CharterVersion.objects.filter(pk=version.pk, published_at__isnull=True).update(
        published_at=now, effective_at=effective_at
    )
    if not published:
        raise AlreadyPublishedError
    version.refresh_from_db()
    return version
