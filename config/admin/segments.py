"""Segments with what other rooms know: journeys and templates to ask about, and who uses a segment."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from channels.models import Template
from config import segment_uses
from contacts.admin.segment_pages import Use
from contacts.admin.segments import SegmentAdmin
from contacts.models import Segment
from journeys.models import Journey


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
        what = _("its draft asks about it"), _("its version that runs asks about it")
        for slug, journey, runs in segment_uses.journeys():
            address = reverse(f"admin:journeys_{journey.kind}_change", args=[journey.pk])
            use = Use(
                _("Campaign") if journey.kind == Journey.Kind.CAMPAIGN else _("Journey"),
                journey.name,
                address,
                what[runs],
                runs,
            )
            found.setdefault(slug, []).append(use)
        return found
