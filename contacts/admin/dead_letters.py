"""Dead letters: events that could not be taken in, with their reasons, to be read and replayed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from contacts import clock, pulse
from contacts.intake_event import glance
from contacts.intake_replay import Replayed, replay
from contacts.models import DeadLetter
from contacts.paging import CappedPaginator

_MOST_AT_ONCE = 900
"Letters of one replay: Django takes at most 1,000 fields of a form."
_SHOWN = 40


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("open", _("Open")), ("replayed", _("Replayed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        match self.value():
            case "open":
                return queryset.filter(replayed_at=None)
            case "replayed":
                return queryset.exclude(replayed_at=None)
        return queryset


@admin.register(DeadLetter)
class DeadLetterAdmin(ModelAdmin):
    list_display = ["received_at", "source", "why", "reason", "called", "state"]
    list_display_links = ["received_at"]
    list_filter = [StateFilter, "source", "code"]
    search_fields = ["payload", "reason"]
    search_help_text = _("Words of the reason or the event")
    list_select_related = ["source"]
    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False
    ordering = ["-received_at", "-pk"]
    fields = ["received_at", "source", "code", "reason", "replayed_at", "whole"]
    readonly_fields = fields
    actions = ["replay_letters"]
    actions_detail = ["replay_letter"]

    class Media:
        css = {"all": ["contacts/sources.css"]}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        # Nothing on the page can be changed, so nothing offers to save it.
        hidden = {"show_save": False, "show_save_and_continue": False}
        page: HttpResponse = super().change_view(
            request, object_id, form_url, {**hidden, **(extra_context or {})}
        )
        return page

    @display(description=_("code"), label="warning", ordering="code")
    def why(self, letter: DeadLetter) -> str:
        return letter.code

    @display(description=_("state"), label={"open": "info", "replayed": "success"}, ordering="replayed_at")
    def state(self, letter: DeadLetter) -> tuple[str, Any]:
        return ("replayed", _("Replayed")) if letter.replayed_at else ("open", _("Open"))

    @admin.display(description=_("event"))
    def called(self, letter: DeadLetter) -> str:
        return outline(letter.payload)

    @admin.display(description=_("event"))
    def whole(self, letter: DeadLetter) -> str:
        try:
            text = msgspec.json.format(letter.payload, indent=2)
        except (msgspec.MsgspecError, RecursionError):
            text = letter.payload
        return format_html('<pre class="segue-code letter-event">{}</pre>', text)

    @admin.action(description=_("Replay…"), permissions=["change"])
    def replay_letters(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse | None:
        if request.POST.get("confirmed"):
            ids = list(queryset.order_by().values_list("pk", flat=True)[:_MOST_AT_ONCE])
            done = replay(ids, clock.now())
            pulse.wake("ingest")
            self._tell(request, done)
            return HttpResponseRedirect(request.get_full_path())
        return self._confirm(request, queryset)

    @action(description=_("Replay…"), permissions=["change"], icon="replay")
    def replay_letter(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm(request, self.get_queryset(request).filter(pk=object_id))

    def _confirm(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        chosen = letters.filter(replayed_at=None)
        address = reverse("admin:contacts_deadletter_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Replay dead letters"),
            "letters": chosen[:10],
            "ids": list(chosen.order_by().values_list("pk", flat=True)[:_MOST_AT_ONCE]),
            "more": max(0, chosen.count() - 10),
            "address": address,
            "across": request.POST.get("select_across", "0"),
            "back": request.get_full_path() if request.method == "POST" else address,
        }
        return TemplateResponse(request, "contacts/replay_confirm.html", context)

    def _tell(self, request: HttpRequest, done: Replayed) -> None:
        if done.stored:
            words = ngettext(
                "%d event waits in the inbox again.", "%d events wait in the inbox again.", done.stored
            )
            messages.success(request, words % done.stored)
        if done.rejected:
            words = ngettext("%d event was rejected again.", "%d events were rejected again.", done.rejected)
            messages.warning(request, words % done.rejected)
        if not done.stored and not done.rejected:
            messages.info(request, gettext("Nothing was left to replay."))

    # Letters are written by ingest; what can be done with one is to replay it or to throw it away.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


def outline(payload: str) -> str:
    """The call and the name of the event of a payload, or its beginning if that cannot be read."""
    call, name = glance(payload)
    short = payload[:_SHOWN] + ("…" if len(payload) > _SHOWN else "")
    return " · ".join(filter(None, (call, name[:_SHOWN]))) or short
