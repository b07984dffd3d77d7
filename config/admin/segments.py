"""Segments with what other rooms know: journeys and templates to ask about, and who uses a segment."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from channels.models import Template
from contacts.admin.segment_pages import Use
from contacts.admin.segments import SegmentAdmin
from contacts.models import Segment
from journeys.models import Journey, JourneyVersion

_IN_USE = (Journey.Status.LIVE, Journey.Status.PAUSED)


@admin.register(Segment)
class SegmentPageAdmin(SegmentAdmin):
    def other_words(self) -> dict[str, list[dict[str, str]]]:
        return {
            "journeys": [
                {"slug": slug, "name": name}
                for slug, name in Journey.objects.values_list("slug", "name").order_by("name")
            ],
            "templates": [
                {"slug": slug, "name": name}
                for slug, name in Template.objects.values_list("slug", "name").order_by("name")
            ],
        }

    def uses(self, segment: Segment) -> list[Use]:
        return [*super().uses(segment), *_journeys(segment.slug)]


def _journeys(slug: str) -> list[Use]:
    """Journeys whose live version or draft names the segment. Two statements."""
    journeys = list(Journey.objects.exclude(status=Journey.Status.ARCHIVED).order_by("name"))
    live = JourneyVersion.objects.filter(pk__in=[each.live_version_id for each in journeys])
    graphs = dict(live.values_list("journey_id", "graph"))
    found = []
    for journey in journeys:
        running = journey.status in _IN_USE and _names(graphs.get(journey.pk), slug)
        if not running and not _names(journey.draft, slug):
            continue
        what = _("its version that runs asks about it") if running else _("its draft asks about it")
        address = reverse("admin:journeys_journey_change", args=[journey.pk])
        found.append(Use(_("Journey"), journey.name, address, what, holds=running))
    return found


def _names(data: Any, slug: str) -> bool:
    """Whether a definition names the segment, as a trigger or in any of its rules."""
    if isinstance(data, dict):
        return data.get("segment") == slug or any(_names(part, slug) for part in data.values())
    return isinstance(data, list) and any(_names(part, slug) for part in data)
