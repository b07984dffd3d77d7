"""Journeys as files in the back office: take one along, bring some in after a look at what would change."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from journeys import filing, notation
from journeys.admin.pages import page
from journeys.models import Journey

_MOST = 50
"Files at once."


def export(request: HttpRequest, journey: Journey) -> HttpResponse:
    """The draft, or the version asked for, as a file."""
    asked = request.GET.get("version", "")
    try:
        text = filing.write(journey, int(asked) if asked.isdecimal() and len(asked) < 9 else None)
    except LookupError as error:
        raise Http404 from error
    answer = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{journey.slug}.yaml"'
    return answer


def bring_in(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show what files would do; do it once that was seen."""
    sent = _sent(request) if request.method == "POST" else []
    plans = filing.plan(filing.read(slug, text) for slug, text in sent)
    if request.method == "POST" and request.POST.get("act") == "apply" and plans:
        try:
            changed = filing.apply(plans)
        except ValueError:
            messages.error(request, _("Some of the files cannot be applied: look again."))
        else:
            for journey in changed:
                admin.log_change(request, journey, "Applied the draft from a file")
            messages.success(
                request, _("%d journeys have a new draft. Nothing is published yet.") % len(changed)
            )
            return HttpResponseRedirect(reverse("admin:journeys_journey_changelist"))
    return page(
        admin,
        request,
        "journeys/bring_in.html",
        title=_("Bring in journeys"),
        plans=list(zip(plans, [text for _slug, text in sent], strict=True)),
        good=bool(plans) and not any(each.faults for each in plans),
    )


def _sent(request: HttpRequest) -> list[tuple[str, str]]:
    """Slug and text of each file: as uploaded, or as the page that showed them sends them back."""
    uploaded: list[UploadedFile[Any]] = request.FILES.getlist("files")[:_MOST]
    if uploaded:
        # One byte more than fits is enough to be refused for its length.
        return [
            (PurePath(each.name or "").stem, each.read(notation.LARGEST * 4 + 1).decode("utf-8", "replace"))
            for each in uploaded
        ]
    return list(zip(request.POST.getlist("slug")[:_MOST], request.POST.getlist("text")[:_MOST], strict=False))
