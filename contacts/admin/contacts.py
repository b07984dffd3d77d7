"""The list of contacts: searched by who they are, filtered by what is known of them.

Not registered here: the page behind each line shows journeys and messages too, which this room does not
know, so config adds the page and registers both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from contacts.models import Contact, Segment, SegmentMembership
from contacts.paging import CappedPaginator
from contacts.searching import search


class KnownFilter(admin.SimpleListFilter):
    title = _("known")
    parameter_name = "known"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("yes", _("Known")), ("no", _("Anonymous"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        wanted = {"yes": True, "no": False}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(known=wanted)


class CountryFilter(admin.SimpleListFilter):
    """Offers the countries of those seen last: a list of all would read the whole table."""

    title = _("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        latest = Contact.objects.order_by("-last_seen_at", "-id").values_list("country", flat=True)[:2000]
        found = sorted({country for country in latest if country} | {self.value() or ""})
        return [(country, country) for country in found if country]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        return queryset.filter(country=self.value()) if self.value() else queryset


class SegmentFilter(admin.SimpleListFilter):
    title = _("segment")
    parameter_name = "segment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return list(Segment.objects.order_by("name").values_list("slug", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        segment = Segment.objects.filter(slug=self.value() or "").first()
        if segment is None:
            return queryset.none() if self.value() else queryset
        members = SegmentMembership.objects.filter(segment=segment, contact=OuterRef("pk"))
        return queryset.filter(Exists(members))


class ContactAdmin(ModelAdmin):
    list_display = ["who", "reach", "kind", "country", "last_seen_at"]
    list_filter = [KnownFilter, CountryFilter, SegmentFilter]
    search_fields = ["email"]  # switches the search field on; see get_search_results
    search_help_text = _("Email, name, phone or any identifier")
    ordering = ["-last_seen_at", "-id"]
    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False
    actions = None

    @display(description=_("contact"), header=True, ordering="last_name")
    def who(self, contact: Contact) -> tuple[str, str]:
        return str(contact), contact.email if (contact.first_name or contact.last_name) else ""

    @admin.display(description=_("phone"))
    def reach(self, contact: Contact) -> str:
        return contact.phone or "–"

    @display(description=_("kind"), label={"known": "success", "anonymous": "info"})
    def kind(self, contact: Contact) -> tuple[str, Any]:
        return ("known", _("Known")) if contact.known else ("anonymous", _("Anonymous"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Contact], search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        term = search_term.strip()
        return (queryset.filter(pk__in=search(term)) if term else queryset), False

    # Contacts come from events and imports, and go by the act that erases them everywhere.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Contact | None = None) -> bool:
        return False
