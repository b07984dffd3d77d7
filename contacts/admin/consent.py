"""What people allow: purposes, the ledger (read only), and addresses that must not be written to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from contacts import clock, consent
from contacts.models import ConsentEntry, Purpose, Suppression
from contacts.paging import CappedPaginator
from contacts.searching import search

_CHANNELS = [("email", _("email")), ("sms", _("SMS")), ("push", _("web push"))]


@admin.register(Purpose)
class PurposeAdmin(ModelAdmin):
    """Topics that people choose among. One that somebody spoke about stays."""

    list_display = ["name", "slug", "name_fr", "transactional"]
    search_fields = ["name", "slug"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "description", "transactional"]}),
        (_("On the French page"), {"fields": ["name_fr", "description_fr"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Purpose | None = None) -> list[str]:
        # The ledger names purposes by their slug.
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Purpose | None = None) -> bool:
        if obj is not None and ConsentEntry.objects.filter(purpose=obj.slug).exists():
            return False
        return super().has_delete_permission(request, obj)  # type: ignore[no-any-return]


@admin.register(ConsentEntry)
class ConsentEntryAdmin(ModelAdmin):
    """The ledger as it was written. Nobody changes it here or anywhere."""

    list_display = ["recorded_at", "who", "said", "channel", "about", "origin"]
    list_filter = ["action", "channel", "purpose"]
    search_fields = ["contact__email"]  # switches the search field on; see get_search_results
    search_help_text = _("Email, name, phone or any identifier")
    ordering = ["-id"]
    list_per_page = 50
    list_select_related = ["contact"]
    paginator = CappedPaginator
    show_full_result_count = False
    actions = None

    @admin.display(description=_("contact"))
    def who(self, entry: ConsentEntry) -> SafeString:
        address = reverse("admin:contacts_contact_change", args=[entry.contact_id])
        return format_html('<a href="{}">{}</a>', address, entry.contact)

    @display(description=_("said"), label={"in": "success", "out": "danger"})
    def said(self, entry: ConsentEntry) -> tuple[str, str]:
        return entry.action, entry.get_action_display()

    @admin.display(description=_("purpose"), ordering="purpose")
    def about(self, entry: ConsentEntry) -> str:
        return str(_("everything")) if entry.purpose == "*" else entry.purpose

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ConsentEntry], search_term: str
    ) -> tuple[QuerySet[ConsentEntry], bool]:
        term = search_term.strip()
        return (queryset.filter(contact_id__in=search(term)) if term else queryset), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ConsentEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ConsentEntry | None = None) -> bool:
        return False


class SuppressionForm(forms.ModelForm):
    """An address to add by hand, kept in the form in which it is looked up."""

    channel = forms.ChoiceField(label=_("Channel"), choices=_CHANNELS, widget=UnfoldAdminSelectWidget)
    address = forms.CharField(
        label=_("Address"),
        max_length=2048,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("No message goes there any more, not even a receipt, whoever owns it."),
    )

    class Meta:
        model = Suppression
        fields = ["channel", "address", "note"]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        address, channel = values.get("address"), values.get("channel", "")
        if address:
            values["address"] = consent.address_key(channel, address)
            if consent.suppressed([(channel, address)]):
                self.add_error("address", _("This address is suppressed already."))
        return values


@admin.register(Suppression)
class SuppressionAdmin(ModelAdmin):
    """Addresses that must not be written to. Lifting one asks first."""

    form = SuppressionForm
    list_display = ["address", "channel", "why", "note", "created_at"]
    list_filter = ["channel", "reason"]
    search_fields = ["address__startswith"]
    search_help_text = _("Start of an address")
    ordering = ["-id"]
    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False

    @display(
        description=_("reason"),
        label={"complaint": "danger", "hard_bounce": "warning", "manual": "info"},
    )
    def why(self, suppression: Suppression) -> tuple[str, str]:
        return suppression.reason, suppression.get_reason_display()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Suppression], search_term: str
    ) -> tuple[QuerySet[Suppression], bool]:
        return super().get_search_results(request, queryset, search_term.strip().lower())  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        consent.suppress([(obj.channel, obj.address)], Suppression.Reason.MANUAL, clock.now(), note=obj.note)
        # The page that follows names the row that the act has written.
        obj.pk = Suppression.objects.get(channel=obj.channel, address=obj.address).pk

    def delete_model(self, request: HttpRequest, obj: Suppression) -> None:
        consent.allow_again([(obj.channel, obj.address)], clock.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> None:
        consent.allow_again(list(queryset.values_list("channel", "address")), clock.now())

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False
