"""Merges: which contacts turned out to be one person, what that moved, and the way back."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from contacts import clock, pulse
from contacts.contention import ContendedTooLong
from contacts.models import Contact, Merge
from contacts.paging import CappedPaginator
from contacts.unmerging import NotUndoableError, undo


@admin.register(Merge)
class MergeAdmin(ModelAdmin):
    list_display = ["merged_at", "former", "remaining", "state"]
    list_display_links = ["merged_at"]
    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False
    ordering = ["-id"]
    fields = ["merged_at", "former", "remaining", "reason", "undone_at", "came_along"]
    readonly_fields = fields
    actions = ["undo_merges"]
    actions_detail = ["undo_merge"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Merge]:
        """With what names the remaining contact, so that a list of merges asks once."""
        named = ("id", "public_id", "first_name", "last_name", "email", "phone")
        row = Contact.objects.filter(pk=OuterRef("winner_id")).values(
            row=JSONObject(**dict(zip(named, named)))
        )
        return super().get_queryset(request).annotate(found=Subquery(row))  # type: ignore[no-any-return]

    @admin.display(description=_("former contact"))
    def former(self, merge: Merge) -> str:
        known = merge.snapshot.get("contact", {})
        name = f"{known.get('first_name', '')} {known.get('last_name', '')}".strip()
        return name or known.get("email") or gettext("Anonymous %s") % str(merge.loser_public_id)[:8]

    @admin.display(description=_("became part of"))
    def remaining(self, merge: Merge) -> str:
        if not (found := merge.found):  # type: ignore[attr-defined]
            return gettext("a contact that was merged again")
        address = reverse("admin:contacts_contact_change", args=[found["id"]])
        return format_html('<a href="{}">{}</a>', address, Contact(**found))

    @display(description=_("state"), label={"stands": "success", "undone": "info"})
    def state(self, merge: Merge) -> tuple[str, Any]:
        return ("undone", _("Undone")) if merge.undone_at else ("stands", _("Stands"))

    @admin.display(description=_("what came along"))
    def came_along(self, merge: Merge) -> str:
        moved = merge.snapshot.get("moved", {})
        named = {model._meta.db_table: model._meta.verbose_name_plural for model in apps.get_models()}
        rows = sorted((str(named.get(table, table)), len(keys)) for table, keys in moved.items())
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}</li>", rows)) if rows else "–"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A page to read: undoing has its own button, and there is nothing to save."""
        nothing = {"show_save": False, "show_save_and_continue": False}
        page: HttpResponse = super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **nothing}
        )
        return page

    @admin.action(description=_("Undo…"), permissions=["change"])
    def undo_merges(self, request: HttpRequest, queryset: QuerySet[Merge]) -> HttpResponse | None:
        if not request.POST.get("confirmed"):
            return self._confirm(request, queryset)
        for merge in queryset.order_by("-id"):
            try:
                undo(merge.pk, clock.now())
            except NotUndoableError as error:
                messages.warning(request, f"{self.former(merge)}: {error}")
            except ContendedTooLong:
                said = gettext("Others keep changing this contact just now. Nothing was done; try again.")
                messages.warning(request, f"{self.former(merge)}: {said}")
            else:
                messages.success(request, gettext("%s is a contact again.") % self.former(merge))
        pulse.wake("segments")
        return HttpResponseRedirect(request.get_full_path())

    @action(description=_("Undo…"), permissions=["change"], icon="undo")
    def undo_merge(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm(request, self.get_queryset(request).filter(pk=object_id))

    def _confirm(self, request: HttpRequest, merges: QuerySet[Merge]) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        address = reverse("admin:contacts_merge_changelist")
        chosen = list(merges.filter(undone_at=None)[:100])
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Undo merges"),
            "merges": [(merge, self.former(merge), self.remaining(merge)) for merge in chosen],
            "address": address,
            "back": request.get_full_path() if request.method == "POST" else address,
        }
        return TemplateResponse(request, "contacts/undo_confirm.html", context)

    # Merges are written by ingest, and kept: they explain why a contact is no more.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Merge | None = None) -> bool:
        return False
