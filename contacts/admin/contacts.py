"""The list of contacts: searched by who they are, filtered by what is known of them.

Not registered here: the page behind each line shows journeys and messages too, which this room does not
know, so config adds the page and registers both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from contacts.models import Contact, Identifier, Segment, SegmentMembership
from contacts.paging import CappedPaginator

_MOST_FOUND = 500
"Contacts that one way of searching may bring; whoever needs more should search for more letters."


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


def search(term: str) -> set[int]:
    """Ids of contacts by exact identifier, start of the email, or start of a name.

    Each way is its own bounded question, so that each can use its own index; joined by OR none would.
    """
    folded = term.lower()
    owners = Identifier.objects.order_by().values_list("contact_id", flat=True)
    found = set(owners.filter(kind__in=Identifier.Kind.values, value__in={term, folded}))
    found.update(owners.filter(kind=Identifier.Kind.EMAIL, value__startswith=folded)[:_MOST_FOUND])
    rows = Contact.objects.order_by()
    found.update(rows.filter(email=folded).exclude(email="").values_list("pk", flat=True)[:_MOST_FOUND])
    # Names have no index, since it would slow each event down: only what may be a name is looked for in them.
    if not any(sign.isdigit() or sign == "@" for sign in term):
        first, _space, last = folded.partition(" ")
        named = rows.annotate(first=Lower("first_name"), last=Lower("last_name"))
        either = Q(first__startswith=first) | Q(last__startswith=first)
        way = named.filter(Q(first=first, last__startswith=last.strip()) if last else either)
        found.update(way.values_list("pk", flat=True)[:_MOST_FOUND])
    return found
