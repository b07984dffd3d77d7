"""A text message that somebody sent us and no gateway handed over: staff write it down, or try the words."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from channels import replying
from channels.models import SandboxMessage
from channels.reply_words import Asked
from contacts import clock, normalise

_DONE = {
    Asked.STOP: _("STOP: %(number)s gets no more text messages."),
    Asked.START: _("START: %(number)s gets text messages again."),
    Asked.HELP: _("HELP: %(number)s was sent how to stop."),
    Asked.NOTHING: _("This asks for nothing that we obey: it was written to the log of its owner."),
}


class IncomingForm(forms.Form):
    number = forms.CharField(
        label=_("From"), max_length=40, help_text=_("With the country's prefix, such as +33 6 12 34 56 78.")
    )
    text = forms.CharField(
        label=_("What they wrote"),
        max_length=500,
        help_text=_("STOP, START and HELP are obeyed in English and French, as if a gateway had sent them."),
    )

    def clean_number(self) -> str:
        number = normalise.phone(self.cleaned_data["number"])
        if number is None:
            raise forms.ValidationError(_("This is no telephone number with its country's prefix."))
        return number


def urls(site: admin.AdminSite) -> list[URLPattern]:
    return [path("incoming-text/", site.admin_view(incoming), name="channels_incoming_text")]


def incoming(request: HttpRequest) -> HttpResponse:
    """Take a text as if a gateway had handed it over."""
    if not request.user.has_perm("contacts.add_suppression"):
        raise PermissionDenied
    form = IncomingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        number, by = form.cleaned_data["number"], request.user.get_username()
        taken = replying.take(
            number, form.cleaned_data["text"], clock.now(), key=uuid.uuid4().hex, proof={"actor": by}
        )
        messages.success(request, _DONE[taken.asked] % {"number": number})
        return HttpResponseRedirect(reverse("admin:channels_incoming_text"))
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "opts": SandboxMessage._meta,
        "title": _("A text message from somebody"),
        "form": form,
    }
    return TemplateResponse(request, "channels/incoming_text.html", context)
