"""The sandbox's outbox: every message as it would have arrived."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from channels.admin import incoming
from channels.framing import framed
from channels.models import Message, SandboxMessage
from contacts.paging import CappedPaginator


@admin.register(SandboxMessage)
class SandboxMessageAdmin(ModelAdmin):
    list_display = ["words", "channel_shown", "address_shown", "received_at"]
    list_filter = ["channel"]
    search_fields = ["address"]
    search_help_text = _("Address")
    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False
    actions = None

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("packed_html")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SandboxMessage | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: SandboxMessage | None = None) -> bool:
        """Whoever may see messages may see what they say."""
        return bool(request.user.has_perm("channels.view_message"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: SandboxMessage | None = None) -> bool:
        return False

    @display(description=_("message"), header=True)
    def words(self, kept: SandboxMessage) -> tuple[str, str]:
        text = Truncator(kept.text).chars(90)
        return (kept.subject, text) if kept.subject else (text, "")

    @display(description=_("channel"), ordering="channel", label=True)
    def channel_shown(self, kept: SandboxMessage) -> str:
        return kept.channel

    @admin.display(description=_("to"), ordering="address")
    def address_shown(self, kept: SandboxMessage) -> str:
        return Truncator(kept.address).chars(60)

    def get_urls(self) -> list[URLPattern]:
        frame = self.admin_site.admin_view(self.frame)
        return [
            path("<int:pk>/frame/", frame, name="channels_sandboxmessage_frame"),
            *incoming.urls(self.admin_site),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        kept = self._kept(request, int(object_id) if object_id.isdigit() else 0)
        message = Message.objects.filter(id=kept.message_id).first() if kept.message_id else None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": kept.subject or _("Message in the sandbox"),
            "kept": kept,
            "message": message,
        }
        return TemplateResponse(request, "channels/sandbox_message.html", context)

    def frame(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        return framed(self._kept(request, pk).html, "text/html")

    def _kept(self, request: HttpRequest, pk: int) -> SandboxMessage:
        if not self.has_view_permission(request):
            raise PermissionDenied
        kept = SandboxMessage.objects.filter(pk=pk).first()
        if kept is None:
            raise Http404
        return kept
