"""Messages of which nobody knows whether they arrived: counted, listed, and settled several at once."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action

from channels import reasons, resolving
from channels.models import Message, ProviderAccount
from channels.reasons import Origin
from contacts import clock

_SHOWN = 200
_WORDS = {
    "no_answer": _("Handed over, but no answer came back"),
    "worker_lost": _("The worker was lost while handing it over"),
}


class UncertainPage(ModelAdmin):
    """What the admin of messages takes from here."""

    @action(description=_("Uncertain messages"), url_path="uncertain-page")
    def uncertain_page(self, request: HttpRequest) -> HttpResponseBase:
        return HttpResponseRedirect(reverse("admin:channels_message_uncertain"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.uncertain_view)
        return [path("uncertain/", view, name="channels_message_uncertain"), *super().get_urls()]

    def uncertain_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        may_settle = self.has_change_permission(request)
        if request.method == "POST":
            if not may_settle:
                raise PermissionDenied
            self._settle_several(request)
            return HttpResponseRedirect(request.path)
        names = {account.pk: account.name for account in ProviderAccount.objects.all()}
        rows = resolving.uncertain(_SHOWN)
        left = resolving.handed_over([row.id for row in rows])
        origins = {row.id: Origin(row.origin_kind, row.origin_id or 0, row.origin_slug) for row in rows}
        called = reasons.origin_names(set(origins.values()))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Uncertain messages"),
            "counts": [
                (names.get(account_id or 0, "–"), _WORDS.get(reason, reason), count)
                for account_id, reason, count in resolving.counts()
            ],
            "rows": [
                {
                    "message": row,
                    "wanted_by": called[origins[row.id]],
                    "account": names.get(row.provider_id or 0, "–"),
                    "why": _WORDS.get(row.reason, row.reason),
                    "at": left.get(row.id, row.created_at),
                }
                for row in rows
            ],
            "shown": _SHOWN,
            "may_settle": may_settle,
        }
        return TemplateResponse(request, "channels/uncertain.html", context)

    def _settle_several(self, request: HttpRequest) -> None:
        ids = [int(value) for value in request.POST.getlist("message") if value.isdigit()][:_SHOWN]
        verdict = request.POST.get("verdict", "")
        if not ids or verdict not in set(resolving.Verdict) or not request.POST.get("sure"):
            notices.error(request, _("Choose messages, say what happened, and confirm it."))
            return
        with transaction.atomic():
            chosen = list(Message.objects.filter(id__in=ids, state=Message.State.UNCERTAIN).order_by("id"))
            done = resolving.resolve_many(chosen, resolving.Verdict(verdict), clock.now())
            for message in chosen:
                if message.id in done:
                    self.log_change(request, message, f"Settled by hand: {verdict}")
        words: Any = ngettext("%d message settled.", "%d messages settled.", len(done)) % len(done)
        notices.success(request, words)
