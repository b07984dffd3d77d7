"""Which journeys ask about which segments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contacts import segment_order
from contacts.models import Segment
from journeys.models import Journey, JourneyVersion

_IN_USE = (Journey.Status.LIVE, Journey.Status.PAUSED)


def holding(segment: Segment) -> list[str]:
    """Names of the segments and of the running journeys for which a segment must stay."""
    named = [journey.name for slug, journey, runs in journeys() if runs and slug == segment.slug]
    return [other.name for other in segment_order.used_in(segment.slug)] + named


def journeys() -> Iterator[tuple[str, Journey, bool]]:
    """(slug of a segment, journey, whether the version that runs asks and not the draft alone).

    Two statements.
    """
    found = list(Journey.objects.exclude(status=Journey.Status.ARCHIVED).order_by("name"))
    live = JourneyVersion.objects.filter(pk__in=[each.live_version_id for each in found])
    graphs = dict(live.values_list("journey_id", "graph"))
    for journey in found:
        running = set(_named(graphs.get(journey.pk))) if journey.status in _IN_USE else set()
        for slug in sorted(running | set(_named(journey.draft))):
            yield slug, journey, slug in running


def _named(data: Any) -> Iterator[str]:
    """Segments that a definition names, as a trigger or in any of its rules."""
    if isinstance(data, dict):
        if isinstance(data.get("segment"), str):
            yield data["segment"]
        for part in data.values():
            yield from _named(part)
    elif isinstance(data, list):
        for part in data:
            yield from _named(part)
