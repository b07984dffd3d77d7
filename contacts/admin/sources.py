"""Sources: what each sent today, and the keys by which it may send."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from contacts import clock, intake_keys
from contacts.admin.source_pages import SourcePages
from contacts.models import DeadLetter, Source, SourceKey
from contacts.source_counts import with_counts

OVERLAPS = [(24, _("one day")), (1, _("one hour")), (24 * 7, _("a week")), (24 * 30, _("30 days"))]
"Hours for which an old key goes on beside its successor; the first is offered."


@admin.register(Source)
class SourceAdmin(SourcePages):
    list_display = ["named", "kind", "active", "received", "accepted", "duplicate", "rejected", "waiting"]
    list_filter = ["active", "kind"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "kind", "site", "unplanned", "active"]
    actions = None
    list_before_template = "contacts/source_list_head.html"
    change_form_outer_before_template = "contacts/source_overview.html"

    class Media:
        css = {"all": ["contacts/sources.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        return with_counts(super().get_queryset(request), clock.now().date())

    @display(description=_("source"), header=True, ordering="name")
    def named(self, source: Source) -> tuple[str, str]:
        return source.name, source.slug

    @admin.display(description=_("received today"), ordering="received")
    def received(self, source: Any) -> int:
        return int(source.received)

    @admin.display(description=_("accepted"), ordering="accepted")
    def accepted(self, source: Any) -> int:
        return int(source.accepted)

    @admin.display(description=_("duplicate"), ordering="duplicate")
    def duplicate(self, source: Any) -> int:
        return int(source.duplicate)

    @admin.display(description=_("rejected"), ordering="rejected")
    def rejected(self, source: Any) -> Any:
        if not source.rejected:
            return 0
        return format_html('<a href="{}">{}</a>', letters_of(source), source.rejected)

    @admin.display(description=_("waiting"), ordering="waiting")
    def waiting(self, source: Any) -> int:
        return int(source.waiting)

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> list[str]:
        # Links and programs name a source by its slug.
        return ["slug"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Source | None = None) -> dict[str, Any]:
        return {} if obj else self.prepopulated_fields

    def has_delete_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        # Its events remain and name it; switching it off refuses new ones.
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        source = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if source is not None:
            context = {
                "source": source,
                "keys": source.keys.order_by("revoked_at", "-created_at"),
                "letters": DeadLetter.objects.filter(source=source, replayed_at=None).order_by(
                    "-received_at"
                )[:5],
                "letters_url": letters_of(source),
                "now": clock.now(),
                "overlaps": OVERLAPS,
                "scopes": SourceKey.Scope.choices,
                "may_make_keys": request.user.has_perm("contacts.add_sourcekey"),
                "may_revoke": request.user.has_perm("contacts.change_sourcekey"),
            }
        page: HttpResponse = super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )
        return page

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/keys/", view(require_POST(self.make_key)), name="contacts_source_make_key"),
            path(
                "<int:pk>/keys/<int:key>/rotate/",
                view(require_POST(self.rotate_key)),
                name="contacts_source_rotate_key",
            ),
            path("<int:pk>/keys/<int:key>/revoke/", view(self.revoke_key), name="contacts_source_revoke_key"),
        ]
        return [*own, *super().get_urls()]

    def make_key(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make a key and show it, this once."""
        if not request.user.has_perm("contacts.add_sourcekey"):
            raise PermissionDenied
        source = get_object_or_404(Source, pk=pk)
        scope = request.POST.get("scope", "")
        if scope not in SourceKey.Scope.values:
            scope = SourceKey.Scope.WRITE
        with transaction.atomic():
            key, text = intake_keys.issue(source, scope)
            self.log_change(request, source, gettext("Made the key %s") % key)
        context = {"source": source, "text": text, "title": gettext("The new key")}
        return self._page(request, "contacts/source_key_made.html", context)

    def rotate_key(self, request: HttpRequest, pk: int, key: int) -> HttpResponse:
        """Make the key that follows another, show it this once, and let the old one end later."""
        if not request.user.has_perm("contacts.add_sourcekey"):
            raise PermissionDenied
        old = get_object_or_404(
            SourceKey.objects.select_related("source"), pk=key, source_id=pk, revoked_at=None
        )
        asked = request.POST.get("hours", "")
        hours = int(asked) if asked in {str(value) for value, _words in OVERLAPS} else OVERLAPS[0][0]
        with transaction.atomic():
            made, text = intake_keys.rotate(old, timedelta(hours=hours), clock.now())
            words = gettext("Made the key %(made)s in the place of %(old)s, which ends in %(hours)s h")
            self.log_change(request, old.source, words % {"made": made, "old": old, "hours": hours})
        context = {
            "source": old.source,
            "text": text,
            "title": gettext("The new key"),
            "old": old,
            "hours": hours,
        }
        return self._page(request, "contacts/source_key_made.html", context)

    def revoke_key(self, request: HttpRequest, pk: int, key: int) -> HttpResponse:
        if not request.user.has_perm("contacts.change_sourcekey"):
            raise PermissionDenied
        found = get_object_or_404(SourceKey.objects.select_related("source"), pk=key, source_id=pk)
        if request.method != "POST":
            context = {"source": found.source, "key": found, "title": gettext("Revoke a key")}
            return self._page(request, "contacts/source_key_revoke.html", context)
        with transaction.atomic():
            if SourceKey.objects.filter(pk=key, revoked_at=None).update(revoked_at=clock.now()):
                self.log_change(request, found.source, gettext("Revoked the key %s") % found)
        messages.success(request, gettext("The key %s is revoked. It is refused within seconds.") % found)
        return HttpResponseRedirect(reverse("admin:contacts_source_change", args=[pk]))

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(request, template, {**self.admin_site.each_context(request), **context})


def letters_of(source: Source) -> str:
    return f"{reverse('admin:contacts_deadletter_changelist')}?source__id__exact={source.pk}"
