"""All versions of a journey: compare any two, take one back as the draft."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from journeys import comparing, figures
from journeys.admin.pages import page
from journeys.admin.publish_page import KINDS
from journeys.models import Journey

_DRAFT = "draft"


def versions(admin: ModelAdmin, request: HttpRequest, journey: Journey) -> HttpResponse:
    """The list, and what differs between the two that were chosen."""
    if request.method == "POST":
        return _take_back(admin, request, journey)
    rows = list(journey.versions.select_related("published_by")[:200])
    inside: dict[int, int] = {}
    for number, _step, count in figures.standing(journey):
        inside[number] = inside.get(number, 0) + count
    live = next((row.number for row in rows if row.pk == journey.live_version_id), None)
    before = request.GET.get("from", str(live or ""))
    after = request.GET.get("to", _DRAFT)
    return page(
        admin,
        request,
        "journeys/versions.html",
        title=_("Versions of %s") % journey,
        journey=journey,
        rows=[(row, inside.get(row.number, 0)) for row in rows],
        live=live,
        before=before,
        after=after,
        changes=_changes(journey, before, after),
        may_edit=admin.has_change_permission(request, journey),
    )


def _changes(journey: Journey, before: str, after: str) -> list[tuple[comparing.Change, Any]] | None:
    """What differs, or None where one of the two is not there."""
    found = [_graph(journey, name) for name in (before, after)]
    if None in found:
        return None
    return [(change, KINDS[change.kind]) for change in comparing.compare(*found)]


def _graph(journey: Journey, name: str) -> Any:
    if name == _DRAFT:
        return journey.draft
    if not name.isdecimal() or len(name) > 8:
        return None
    return journey.versions.filter(number=int(name)).values_list("graph", flat=True).first()


def _take_back(admin: ModelAdmin, request: HttpRequest, journey: Journey) -> HttpResponse:
    """Make a version's graph the draft; the audit entry says which one it was."""
    if not admin.has_change_permission(request, journey):
        raise PermissionDenied
    number = request.POST.get("version", "")
    graph = _graph(journey, number) if number != _DRAFT else None
    if graph is None:
        messages.error(request, _("There is no such version."))
    else:
        journey.draft = graph
        journey.save(update_fields=["draft", "updated_at"])
        admin.log_change(request, journey, f"Made the draft from version {number}")
        messages.success(request, _("The draft is what version %s was. Nothing is published yet.") % number)
    return HttpResponseRedirect(reverse("admin:journeys_journey_versions", args=[journey.pk]))
