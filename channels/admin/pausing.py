"""Pausing a whole channel: what stands above the list of accounts, and the question before it is done."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from channels import explaining, pausing
from channels.models import ProviderAccount
from contacts import clock

_LIST = "admin:channels_provideraccount_changelist"


class ChannelPauses(ModelAdmin):
    """What the admin of accounts takes from here."""

    list_before_template = "channels/channel_pauses.html"

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view(self.pause_view), "channels_provideraccount_channel"
        return [
            path("channel/<slug:channel>/pause/", view, {"paused": True}, name=f"{name}_pause"),
            path("channel/<slug:channel>/resume/", view, {"paused": False}, name=f"{name}_resume"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"channels": _channels(), "may_pause": self.has_change_permission(request)}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def pause_view(self, request: HttpRequest, channel: str, *, paused: bool) -> HttpResponseBase:
        if not self.has_change_permission(request):
            raise PermissionDenied
        accounts = list(ProviderAccount.objects.filter(channel=channel, active=True))
        if not accounts:
            raise Http404
        if request.method == "POST":
            self._pause(request, accounts, paused=paused)
            return HttpResponseRedirect(reverse(_LIST))
        return TemplateResponse(
            request, "channels/ask.html", self._question(request, accounts, paused=paused)
        )

    def _pause(self, request: HttpRequest, accounts: list[ProviderAccount], *, paused: bool) -> None:
        with transaction.atomic():
            moved = pausing.pause(accounts) if paused else pausing.resume(accounts, clock.now())
            for account in moved:
                self.log_change(request, account, "Paused" if paused else "Resumed")
        words = _("%s is paused: its messages wait.") if paused else _("%s sends again.")
        messages.success(request, words % _name(accounts[0].channel))

    def _question(
        self, request: HttpRequest, accounts: list[ProviderAccount], *, paused: bool
    ) -> dict[str, Any]:
        channel = {"channel": _name(accounts[0].channel)}
        if paused:
            title, button = _("Pause the channel: %(channel)s?") % channel, _("Pause it")
            words = _("No message of this channel leaves until somebody lets it send again; none is lost.")
        else:
            title, button = _("Let the channel send again: %(channel)s?") % channel, _("Let it send")
            words = _("What waits is decided about anew and leaves, as far as the charter lets it.")
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "words": words,
            "lines": [(account.name, "") for account in accounts if account.paused is not paused],
            "button": button,
            "back": reverse(_LIST),
        }


def _channels() -> list[dict[str, Any]]:
    """The channels that somebody carries, each with its state and how many of its accounts are paused."""
    by_channel: dict[str, list[bool]] = {}
    for channel, paused in ProviderAccount.objects.filter(active=True).values_list("channel", "paused"):
        by_channel.setdefault(channel, []).append(paused)
    found = []
    for channel, own in by_channel.items():
        count = sum(own)
        some = ngettext("%d account paused", "%d accounts paused", count) % count
        state = _("paused") if all(own) else some if count else _("sends")
        tone = "is-warn" if count else "is-good"
        found.append({"channel": channel, "name": _name(channel), "state": state, "tone": tone,
                      "pausable": not all(own), "resumable": count > 0})  # fmt: skip
    return found


def _name(channel: str) -> str:
    return capfirst(explaining.channel_name(channel))
