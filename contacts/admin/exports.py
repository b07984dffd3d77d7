"""Exports: choose what to take out, wait, fetch the file by a link that only the asker can use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from contacts import clock, pulse
from contacts.exchange import exporting, files, words
from contacts.exchange.export_tables import ExportTable, tables
from contacts.models import Export, Segment


@admin.register(Export)
class ExportAdmin(ModelAdmin):
    list_display = ["what", "standing", "format", "rows", "by", "made_at", "expires_at"]
    list_filter = ["what", "state"]
    list_select_related = ["by"]
    list_per_page = 50
    actions = None

    @display(
        description=_("state"),
        ordering="state",
        label={"ready": "success", "failed": "danger", "running": "info", "waiting": "info"},
    )
    def standing(self, export: Export) -> tuple[str, str]:
        return export.state, export.get_state_display()

    def has_delete_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        # Who took what out stays on record.
        return False

    def has_change_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/progress/", view(self.progress), name="contacts_export_progress"),
            path("<int:pk>/cancel/", view(require_POST(self.cancel)), name="contacts_export_cancel"),
            path("file/<str:ticket>/", view(self.fetch), name="contacts_export_file"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        offered = self._offered(request)
        if not self.has_add_permission(request) or not offered:
            raise PermissionDenied
        asked = request.POST if request.method == "POST" else request.GET
        table = offered.get(asked.get("what", ""), next(iter(offered.values())))
        problem = ""
        if request.method == "POST" and "make" in request.POST:
            try:
                export = self._ask(request, table)
            except (exporting.UnknownColumnError, ValueError):
                problem = gettext("A column or a day could not be understood.")
            else:
                return HttpResponseRedirect(reverse("admin:contacts_export_change", args=[export.pk]))
        context = {
            "title": gettext("Export to a file"),
            "problem": problem,
            "tables": offered.values(),
            "table": table,
            "chosen": table.usual,
            "segments": Segment.objects.order_by("name") if " c" in f" {table.source} " else (),
            "segment": asked.get("segment", ""),
            "formats": Export.Format.choices,
        }
        return self._page(request, "contacts/export_add.html", context)

    def _offered(self, request: HttpRequest) -> dict[str, ExportTable]:
        return {name: table for name, table in tables().items() if request.user.has_perm(table.permission)}

    def _ask(self, request: HttpRequest, table: ExportTable) -> Export:
        posted = request.POST
        columns = [name for name in posted.getlist("column") if name]
        columns += [
            f"attribute:{name.strip()}" for name in posted.get("attributes", "").split(",") if name.strip()
        ]
        filters: dict[str, Any] = {}
        if posted.get("segment", "").isdigit():
            filters["segment"] = int(posted["segment"])
        if posted.get("event", "").strip():
            filters["event"] = posted["event"].strip()
        for key in ("since", "until"):
            if text := posted.get(key, ""):
                if (day := parse_date(text)) is None:
                    raise ValueError(text)
                filters[key] = datetime(day.year, day.month, day.day).isoformat() + "+00:00"  # noqa: DTZ001
        form = posted.get("format", Export.Format.CSV)
        form = form if form in Export.Format.values else Export.Format.CSV
        export = exporting.ask(table.name, columns, form, filters, request.user.pk, clock.now())
        self.log_addition(request, export, f"Asked for {table.name}: {', '.join(export.columns)}; {filters}")
        pulse.wake("exchange")
        return export

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405)
        export = self._export(request, int(object_id) if object_id.isdigit() else 0)
        mine = export.by_id == request.user.pk
        ready = export.state == Export.State.READY
        context = {
            **_standing(export),
            "title": gettext("Export of %s") % str(tables()[export.what].title).lower(),
            "mine": mine,
            "may_cancel": mine and export.state in Export.WORK,
            "ticket": exporting.ticket(export, request.user.pk or 0) if mine and ready else "",
            "fault": words.FAULTS.get(export.fault, export.fault),
            "downloads": export.downloads.select_related("by")[:50],
            "segment": Segment.objects.filter(pk=export.filters.get("segment") or 0).first(),
        }
        return self._page(request, "contacts/export.html", context)

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        export = self._export(request, pk)
        answer = TemplateResponse(request, "contacts/export_progress.html", _standing(export))
        answer["X-State"] = export.state
        return answer

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        export = self._export(request, pk)
        if export.by_id != request.user.pk and not request.user.is_superuser:
            raise PermissionDenied
        if Export.objects.filter(pk=pk, state__in=Export.WORK).update(state=Export.State.CANCELLED):
            messages.success(request, gettext("The export is cancelled."))
        return HttpResponseRedirect(reverse("admin:contacts_export_change", args=[pk]))

    def fetch(self, request: HttpRequest, ticket: str) -> Any:
        """The file, for the person who asked, for some days; anything else is not found."""
        export = exporting.redeem(ticket, request.user.pk or 0, clock.now())
        if export is None or not request.user.has_perm(tables()[export.what].permission):
            raise Http404
        self.log_change(
            request, export, f"Took {export.rows} {export.what} along, columns: {', '.join(export.columns)}"
        )
        answer = FileResponse(
            files.path_of(export.key, export.format).open("rb"),
            as_attachment=True,
            filename=f"{export.what}-{export.made_at:%Y-%m-%d}-{export.pk}.{export.format}",
            content_type="text/csv; charset=utf-8" if export.format == "csv" else "application/octet-stream",
        )
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Cache-Control"] = "no-store"
        return answer

    def _export(self, request: HttpRequest, pk: int) -> Export:
        export = Export.objects.select_related("by").filter(pk=pk).first()
        if export is None or export.what not in tables():
            raise Http404
        if not self.has_view_permission(request, export):
            raise PermissionDenied
        return export

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(
            request, template, {**self.admin_site.each_context(request), "opts": self.opts, **context}
        )


def _standing(export: Export) -> dict[str, Any]:
    return {"export": export, "working": export.state in Export.WORK}
