"""Ready-made journeys: maps written as YAML beside this module, to start from or to run as they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from channels.models import Audience
from journeys import graph, notation, publishing
from journeys.models import Journey

FOLDER = Path(__file__).resolve().parent / "library"


@dataclass(frozen=True, slots=True)
class Map:
    """One ready-made journey. ``data`` is its definition."""

    slug: str
    name: str
    description: str
    data: dict[str, Any]


def maps() -> list[Map]:
    """Every map of the library, by slug."""
    return [_read(path) for path in sorted(FOLDER.glob("*.yaml"))]


def _read(path: Path) -> Map:
    data, _problems = notation.read(path.read_text(encoding="utf-8"))
    return Map(path.stem, data["name"], " ".join(data.get("description", "").split()), data)


def load() -> list[Journey]:
    """Add the maps that are not there yet as drafts, with the audiences they name; returns all of them."""
    for each in maps():
        for slug in graph.parse(each.data).audiences().values():
            Audience.objects.get_or_create(slug=slug, defaults={"name": slug.replace("-", " ").capitalize()})
        Journey.objects.get_or_create(
            slug=each.slug, defaults={"name": each.name, "description": each.description, "draft": each.data}
        )
    return list(Journey.objects.filter(slug__in=[each.slug for each in maps()]))


#: Those that need no attribute or event of one's own; the demo lets them run.
EVERYWHERE = ("cart-reminder", "reactivation", "thanks", "welcome")


def publish_all(
    now: datetime, user: AbstractBaseUser | None = None, slugs: Collection[str] = EVERYWHERE
) -> int:
    """Load the library and publish those of ``slugs`` that never were; returns how many went live.

    The templates and purposes that the maps name must exist; GraphError says which do not.
    """
    drafts = [
        journey for journey in load() if journey.status == Journey.Status.DRAFT and journey.slug in slugs
    ]
    for journey in drafts:
        publishing.publish(journey, user, now)
    return len(drafts)
