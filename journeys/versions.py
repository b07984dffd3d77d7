"""Published versions as engine and triggers need them. A version never changes, so its graph is kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet

from journeys import graph
from journeys.graph import Graph, GraphError
from journeys.models import Journey, JourneyVersion

_KEPT_MOST = 1000
_kept: dict[tuple[int, datetime], Graph | None] = {}


@dataclass(frozen=True, slots=True)
class Version:
    """A published version and its journey's status of now. ``graph`` is None if it cannot be read."""

    id: int
    number: int
    journey_id: int
    slug: str
    status: str
    graph: Graph | None
    published_at: datetime
    #: What wants its messages: a journey or a campaign.
    kind: str = Journey.Kind.JOURNEY


def load(version_ids: Collection[int]) -> dict[int, Version]:
    """The versions by id. One statement, and one more when a graph is met for the first time."""
    return {version.id: version for version in _load(JourneyVersion.objects.filter(id__in=version_ids))}


def live() -> list[Version]:
    """The live version of each live journey; campaigns, which nobody enters by themselves, are left out.

    Two statements, and one more for new graphs.
    """
    found = Journey.objects.filter(status=Journey.Status.LIVE, kind=Journey.Kind.JOURNEY)
    ids = found.values_list("live_version_id", flat=True)
    return list(load([version_id for version_id in ids if version_id]).values())


def watched() -> frozenset[str]:
    """Names of events that may wake somebody: those watched by any version that can have live runs."""
    found = JourneyVersion.objects.exclude(
        journey__status__in=(Journey.Status.DRAFT, Journey.Status.ARCHIVED)
    )
    # Every occurrence of a campaign has a version of its own, which watches what the live one does.
    found = found.filter(~Q(journey__kind=Journey.Kind.CAMPAIGN) | Q(pk=F("journey__live_version_id")))
    names = (version.graph.watched() for version in _load(found) if version.graph)
    return frozenset[str]().union(*names)


def _load(found: QuerySet[JourneyVersion]) -> list[Version]:
    rows = list(
        found.values_list(
            "id", "published_at", "number", "journey_id", "journey__slug", "journey__status", "journey__kind"
        )
    )
    new = {row[0]: row[1] for row in rows if (row[0], row[1]) not in _kept}
    if new:
        if len(_kept) + len(new) > _KEPT_MOST:
            _kept.clear()
            new = {row[0]: row[1] for row in rows}
        for version_id, data in JourneyVersion.objects.filter(id__in=new).values_list("id", "graph"):
            _kept[version_id, new[version_id]] = _read(data)
    return [
        Version(
            version_id,
            number,
            journey_id,
            slug,
            status,
            _kept.get((version_id, published_at)),
            published_at,
            kind,
        )
        for version_id, published_at, number, journey_id, slug, status, kind in rows
    ]


def _read(data: object) -> Graph | None:
    try:
        return graph.parse(data)
    except GraphError:
        return None
