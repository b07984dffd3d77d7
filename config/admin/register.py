"""The register of processing as a page to print, as CSV and as JSON."""

from __future__ import annotations

import csv
import io

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import override

from config import register
from contacts import clock
from contacts.exchange import guarding
from contacts.privacy import tombstones


def page(request: HttpRequest) -> HttpResponse:
    """GET: the page; ``?as=csv`` and ``?as=json`` for files; ``?lang=fr`` in French."""
    if not request.user.has_perm("contacts.view_privacyrequest"):
        raise PermissionDenied
    language = "fr" if request.GET.get("lang") == "fr" else "en"
    now, wanted = clock.now(), request.GET.get("as", "")
    with override(language):
        if wanted == "json":
            return JsonResponse(register.as_data(now), json_dumps_params={"indent": 2, "ensure_ascii": False})
        found = register.activities()
        if wanted == "csv":
            return _csv(found)
        context = {
            **admin.site.each_context(request),
            "title": _("Register of processing"),
            "activities": found,
            "policy": tombstones.policy(),
            "now": now,
            "language": language,
        }
        return TemplateResponse(request, "config/register.html", context).render()


def _csv(found: list[register.Activity]) -> HttpResponse:
    text = io.StringIO()
    writer = csv.writer(text)
    names = (
        "Processing",
        "Purpose",
        "Legal basis",
        "People",
        "Data",
        "Sources",
        "Recipients",
        "Kept for",
        "Rows",
    )
    writer.writerow([_(name) for name in names])
    for one in found:
        cells = [
            one.name,
            one.purpose,
            one.basis,
            one.people,
            one.data,
            one.sources,
            one.recipients,
            one.kept,
        ]
        shown = ["; ".join(cell) if isinstance(cell, list) else str(cell) for cell in cells]
        writer.writerow([*map(guarding.guard, shown), one.rows])
    answer = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="register-of-processing.csv"'
    return answer
