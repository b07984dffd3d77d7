"""Imports: upload, say what columns mean, look at the dry run, follow, take the rejected lines along."""

from __future__ import annotations

from typing import Any

import msgspec
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from contacts import clock, pulse
from contacts.admin import import_form
from contacts.exchange import files, importing, rejected, sheets, words
from contacts.exchange.mapping import MappingError
from contacts.exchange.sheets import Format
from contacts.models import Import, RejectedLine

_State = Import.State
_WORKING = {*Import.WORK}
_SHOWN = 20


@admin.register(Import)
class ImportAdmin(ModelAdmin):
    list_display = [
        "file",
        "what",
        "standing",
        "lines",
        "created",
        "updated",
        "unchanged",
        "rejected",
        "by",
        "made_at",
    ]
    list_filter = ["what", "state"]
    search_fields = ["name"]
    list_per_page = 50
    list_select_related = ["by"]
    actions = None

    @display(description=_("file"), header=True, ordering="name")
    def file(self, job: Import) -> tuple[str, str]:
        return job.name, f"{job.size / 2**20:.1f} MB"

    @display(
        description=_("state"),
        ordering="state",
        label={
            "finished": "success",
            "failed": "danger",
            "running": "info",
            "checking": "info",
            "paused": "warning",
        },
    )
    def standing(self, job: Import) -> tuple[str, str]:
        return job.state, job.get_state_display()

    def has_delete_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        # What came in by which file stays on record.
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/progress/", view(self.progress), name="contacts_import_progress"),
            path("<int:pk>/rejected.csv", view(self.rejected_file), name="contacts_import_rejected"),
            path("<int:pk>/format/", view(require_POST(self.read_again)), name="contacts_import_format"),
            path("<int:pk>/map/", view(require_POST(self.map)), name="contacts_import_map"),
            path("<int:pk>/act/<slug:act>/", view(require_POST(self.move)), name="contacts_import_move"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        problem = ""
        if request.method == "POST":
            upload, what = request.FILES.get("file"), request.POST.get("what", "")
            if upload is None or isinstance(upload, list) or not upload.size:
                problem = gettext("Choose a file that is not empty.")
            elif what not in Import.What.values:
                problem = gettext("Choose what the file holds.")
            else:
                try:
                    job = importing.begin(
                        what, upload.name or "?", upload.chunks(), request.user.pk, clock.now()
                    )
                except files.TooLargeError:
                    problem = gettext("The file is larger than this installation takes.")
                else:
                    self.log_addition(request, job, f"Uploaded {job.name}, {job.size} bytes")
                    pulse.wake("exchange")
                    return self._to(job)
        context = {"title": gettext("Import a file"), "problem": problem, "whats": Import.What.choices}
        return self._page(request, "contacts/import_add.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405)
        return self._show(request, self._job(request, int(object_id) if object_id.isdigit() else 0))

    def _show(self, request: HttpRequest, job: Import, problem: str = "") -> HttpResponse:
        may = self.has_change_permission(request, job)
        context: dict[str, Any] = {
            **_standing(job),
            "title": gettext("Import of %s") % job.name,
            "problem": problem,
            "may": may,
            "acts": [
                act
                for act in ("start", "pause", "resume", "cancel", "undo")
                if may and importing.may(job, act)
            ],
            "fault": words.FAULTS.get(job.fault, job.fault),
        }
        if job.state in {_State.MAPPING, _State.CHECKED} and files.path_of(job.key, "csv").exists():
            context |= import_form.choices(job)
        if job.state == _State.CHECKED:
            context |= _forecast(job)
        if job.rejected:
            context["rejects"] = [
                (one, words.REASONS.get(one.code, one.code))
                for one in RejectedLine.objects.filter(job=job).order_by("line")[:_SHOWN]
            ]
        return self._page(request, "contacts/import.html", context)

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far it is, as a piece of the page."""
        job = self._job(request, pk)
        answer = TemplateResponse(request, "contacts/import_progress.html", _standing(job))
        answer["X-State"] = job.state
        return answer

    def read_again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read the file in another encoding, or cut lines at another sign; columns are guessed anew."""
        job = self._changing(request, pk, {_State.MAPPING, _State.CHECKED})
        encoding, delimiter = request.POST.get("encoding", ""), request.POST.get("delimiter", "")
        importing.read(job, encoding=encoding or None, delimiter=delimiter or None)
        if job.state == _State.MAPPING:
            decimal, dates = request.POST.get("decimal", ""), request.POST.get("dates", "")
            form = msgspec.convert(job.format, Format)
            if decimal in {".", ","} and dates in {"dmy", "mdy", "ymd"}:
                importing.set_format(job, msgspec.structs.replace(form, decimal=decimal, dates=dates))
                job.save()
        return self._to(job)

    def map(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Keep what the columns mean and let the dry run begin."""
        job = self._changing(request, pk, {_State.MAPPING, _State.CHECKED})
        try:
            job.mapping = msgspec.to_builtins(import_form.read(job, request.POST))
        except MappingError as error:
            return self._show(request, job, str(words.PROBLEMS.get(str(error), error)))
        job.save(update_fields=["mapping"])
        return self._move(request, job, "check")

    def move(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        job = self._changing(request, pk, set(_State))
        if act not in {"start", "pause", "resume", "cancel", "undo"}:
            raise Http404
        if act == "undo" and request.POST.get("confirmed") != "yes":
            return self._page(
                request, "contacts/import_undo.html", {"job": job, "title": gettext("Undo the import")}
            )
        return self._move(request, job, act)

    def _move(self, request: HttpRequest, job: Import, act: str) -> HttpResponse:
        try:
            importing.move(job, act)
        except importing.NotNowError:
            messages.warning(request, gettext("The import has moved on meanwhile; nothing was done."))
        else:
            self.log_change(request, job, f"Import: {act}")
            pulse.wake("exchange")
        return self._to(job)

    def rejected_file(self, request: HttpRequest, pk: int) -> Any:
        job = self._job(request, pk)
        self.log_change(request, job, f"Took {job.rejected} rejected lines along")
        answer = StreamingHttpResponse(rejected.rejected_csv(job), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="rejected-{job.pk}.csv"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer

    def _job(self, request: HttpRequest, pk: int) -> Import:
        job = Import.objects.select_related("by").filter(pk=pk).first()
        if job is None:
            raise Http404
        if not self.has_view_permission(request, job):
            raise PermissionDenied
        return job

    def _changing(self, request: HttpRequest, pk: int, states: set[Any]) -> Import:
        job = self._job(request, pk)
        if not self.has_change_permission(request, job):
            raise PermissionDenied
        if job.state not in states:
            raise Http404
        return job

    def _to(self, job: Import) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:contacts_import_change", args=[job.pk]))

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(
            request, template, {**self.admin_site.each_context(request), "opts": self.opts, **context}
        )


def _standing(job: Import) -> dict[str, Any]:
    """How far an import is: share of the bytes, lines a second, seconds left."""
    size, start = int(job.format.get("bytes", 0)), int(job.format.get("start", 0))
    done = job.offset - start
    if job.state == _State.CHECKING:
        lines = int(job.forecast.get("lines", 0))
        return {"job": job, "working": True, "share": None, "lines": lines, "rate": 0, "left": None}
    rate = job.lines / job.seconds if job.seconds > 0.5 else 0
    left = job.seconds * (size - job.offset) / done if done > 0 and job.seconds else None
    return {
        "job": job,
        "working": job.state in _WORKING,
        "share": 100 * done // max(size - start, 1) if size else None,
        "lines": job.lines,
        "rate": int(rate),
        "left": None if left is None else int(left),
    }


def _forecast(job: Import) -> dict[str, Any]:
    """The dry run's answer with the lines it names, read from the file."""
    form, forecast = msgspec.convert(job.format, Format), job.forecast
    examples = []
    with files.open_settled(job.key) as file:
        for example in forecast.get("examples", []):
            row = next(sheets.rows(file, form, example["at"], example["line"]), None)
            examples.append(
                {
                    **example,
                    "cells": row.cells[:8] if row else [],
                    "words": words.OUTCOMES.get(example["of"])
                    or words.REASONS.get(example["of"], example["of"]),
                    "bad": example["of"] not in words.OUTCOMES,
                }
            )
    reasons = [(words.REASONS.get(code, code), count) for code, count in forecast.get("reasons", {}).items()]
    return {"forecast": forecast, "reasons": reasons, "examples": examples}
