"""Segments with what other rooms know: journeys and templates to ask about, and who uses a segment."""

from __future__ import annotations

from collections.abc import Iterator
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

    def all_uses(self) -> dict[str, list[Use]]:
        found = super().all_uses()
        for slug, use in _journeys():
            found.setdefault(slug, []).append(use)
        return found


def _journeys() -> Iterator[tuple[str, Use]]:
    """Segments that the live version or the draft of a journey names. Two statements."""
    journeys = list(Journey.objects.exclude(status=Journey.Status.ARCHIVED).order_by("name"))
    live = JourneyVersion.objects.filter(pk__in=[each.live_version_id for each in journeys])
    graphs = dict(live.values_list("journey_id", "graph"))
    for journey in journeys:
        running = set(_named(graphs.get(journey.pk))) if journey.status in _IN_USE else set()
        address = reverse("admin:journeys_journey_change", args=[journey.pk])
        for slug in sorted(running | set(_named(journey.draft))):
            what = _("its version that runs asks about it"), _("its draft asks about it")
            yield slug, Use(_("Journey"), journey.name, address, what[slug not in running], slug in running)


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
