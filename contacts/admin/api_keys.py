"""API keys: who may reach what from outside, made and revoked by integrators and administrators."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from contacts import api_keys, clock
from contacts.models import ApiKey

_LIVES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("one year")), ("", _("no end"))]


class KeyForm(forms.Form):
    """What a new key is for, what it may do, and for how long."""

    name = forms.CharField(
        label=_("For which program"),
        max_length=120,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("So that people know what stops when it is revoked."),
    )
    days = forms.ChoiceField(
        label=_("Ends after"), choices=_LIVES, initial="365", required=False, widget=UnfoldAdminSelectWidget
    )
    scopes = forms.MultipleChoiceField(label=_("May"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, user: Any, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.fields["scopes"].choices = [  # type: ignore[attr-defined]
            (name, format_html("<span>{} <code>{}</code></span>", scope.words, name))
            for name, scope in settings.SEGUE_API_SCOPES.items()
            if not scope.guarded or user.has_perm(scope.permission)
        ]


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    list_display = ["name", "start", "may", "state", "last_used_at", "expires_at", "made_by"]
    list_display_links = ["name"]
    list_select_related = ["made_by"]
    search_fields = ["name", "prefix"]
    list_per_page = 50
    ordering = ["-created_at"]
    actions = None
    fields = [
        "name",
        "start",
        "may",
        "state",
        "made_by",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    ]
    readonly_fields = fields
    list_before_template = "contacts/api_key_list_head.html"
    change_form_outer_before_template = "contacts/api_key_head.html"

    @admin.display(description=_("key"), ordering="prefix")
    def start(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @admin.display(description=_("may"))
    def may(self, key: ApiKey) -> str:
        return ", ".join(key.scopes) or "–"

    @display(description=_("state"), label={"use": "success", "ended": "warning", "revoked": "danger"})
    def state(self, key: ApiKey) -> tuple[str, Any]:
        if key.revoked_at:
            return "revoked", _("Revoked")
        if key.expires_at and key.expires_at <= clock.now():
            return "ended", _("Ended")
        return "use", _("In use")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = KeyForm(request.user, request.POST or None)
        if request.method != "POST" or not form.is_valid():
            context = {"form": form, "title": gettext("A new API key"), "opts": self.opts}
            return self._page(request, "contacts/api_key_add.html", context)
        now = clock.now()
        days = form.cleaned_data["days"]
        with transaction.atomic():
            key, text = api_keys.issue(
                form.cleaned_data["name"],
                form.cleaned_data["scopes"],
                int(request.user.pk or 0),
                now,
                now + timedelta(days=int(days)) if days else None,
            )
            said = gettext("Made, for %s") % ", ".join(key.scopes)
            LogEntry.objects.log_actions(int(request.user.pk or 0), [key], ADDITION, said, single_object=True)
        context = {"key": key, "text": text, "title": gettext("The new key"), "opts": self.opts}
        return self._page(request, "contacts/api_key_made.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        key = self.get_object(request, object_id)
        may_revoke = bool(key and not key.revoked_at and request.user.has_perm("contacts.change_apikey"))
        context = {"key": key, "may_revoke": may_revoke, "show_save": False, "show_save_and_continue": False}
        page: HttpResponse = super().change_view(
            request,
            object_id,
            form_url,
            {**context, "show_save_and_add_another": False, **(extra_context or {})},
        )
        return page

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [path("<int:pk>/revoke/", view(self.revoke), name="contacts_apikey_revoke")]
        return [*own, *super().get_urls()]

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm("contacts.change_apikey"):
            raise PermissionDenied
        key = get_object_or_404(ApiKey, pk=pk)
        if request.method != "POST":
            context = {"key": key, "title": gettext("Revoke a key"), "opts": self.opts}
            return self._page(request, "contacts/api_key_revoke.html", context)
        with transaction.atomic():
            if api_keys.revoke(pk, clock.now()):
                self.log_change(request, key, gettext("Revoked"))
        messages.success(request, gettext("The key %s is revoked. Its next request is refused.") % key)
        return HttpResponseRedirect(reverse("admin:contacts_apikey_changelist"))

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        # What it did is written down with its name; revoking refuses it.
        return False

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(request, template, {**self.admin_site.each_context(request), **context})
