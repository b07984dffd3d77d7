"""Endpoints: servers of our own that journeys may call, and what was called."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldBooleanSwitchWidget

from contacts.paging import CappedPaginator
from journeys import calling_out
from journeys.models import Endpoint

_SECRET = _("Its secret is shown this once; keep it where the calls are received: %s")


class EndpointForm(forms.ModelForm):
    new_secret = forms.BooleanField(
        label=_("Make a new secret"),
        required=False,
        help_text=_("Calls are signed with it from then on; it is shown once."),
        widget=UnfoldBooleanSwitchWidget,
    )

    class Meta:
        model = Endpoint
        fields = ("name", "slug", "url", "active")


class EndpointAdmin(ModelAdmin):
    form = EndpointForm
    list_display = ["name", "slug", "url", "state"]
    search_fields = ["name", "slug", "url"]
    compressed_fields = True

    @display(description=_("state"), label={"on": "success", "off": "danger"})
    def state(self, endpoint: Endpoint) -> tuple[str, Any]:
        return ("on", _("Active")) if endpoint.active else ("off", _("Off"))

    def get_readonly_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> list[str]:
        # Published journeys name it.
        return ["slug"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ("name",)}

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        if not change or form.cleaned_data.get("new_secret"):
            self._renew(request, obj)
        super().save_model(request, obj, form, change)

    def _renew(self, request: HttpRequest, endpoint: Endpoint) -> None:
        secret = calling_out.new_secret(secrets.token_bytes(24))
        calling_out.seal(endpoint, secret)
        messages.warning(request, _SECRET % secret)


class EndpointCallAdmin(ModelAdmin):
    """Only looked at: a call belongs to its run."""

    list_display = ["created_at", "endpoint", "step", "state", "status", "attempts", "due_at", "error"]
    list_filter = ["state", "endpoint"]
    ordering = ["-id"]
    paginator = CappedPaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
