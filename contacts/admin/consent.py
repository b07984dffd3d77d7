"""Addresses that must not be written to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from contacts import clock, consent
from contacts.models import Suppression
from contacts.paging import CappedPaginator

_CHANNELS = [
    ("email", _("email")),
    ("sms", _("SMS")),
    ("push", _("web push")),
    ("inapp", _("in-app messages")),
]


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
