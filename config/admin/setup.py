"""The set-up page: one step after the other, each green once it is really so."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from channels import addresses, organisation, starter
from channels.models import ProviderAccount
from channels.models.provider import Channel
from config import setup_steps
from contacts import clock
from journeys import library

PERMISSION = "channels.change_provideraccount"


class OrganisationForm(forms.Form):
    """Who writes. Kept with the account that carries emails."""

    from_name = forms.CharField(label=_("Name of the organisation"), max_length=120)
    postal_address = forms.CharField(
        label=_("Postal address"), max_length=300, help_text=_("Street, postcode, town, in one line.")
    )
    from_email = forms.CharField(
        label=_("Address that emails come from"), max_length=254, help_text=_("Of a domain of yours.")
    )
    reply_to = forms.CharField(label=_("Answers go to"), max_length=254, required=False)

    def clean_from_email(self) -> str:
        return _address(self.cleaned_data["from_email"])

    def clean_reply_to(self) -> str:
        told = self.cleaned_data["reply_to"]
        return _address(told) if told else ""


def _address(text: str) -> str:
    try:
        return addresses.email(text)
    except addresses.AddressError as error:
        raise forms.ValidationError(str(error)) from None


def page(request: HttpRequest) -> HttpResponse:
    """GET: the steps. POST: say who writes, or take the starter templates or journeys."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    account = organisation.email_account()
    form = OrganisationForm(request.POST if "organisation" in request.POST else None, initial=_known(account))
    if request.method == "POST":
        done = _act(request, form, account)
        if done:
            messages.success(request, done)
            return HttpResponseRedirect(reverse("setup"))
    found = setup_steps.steps()
    context = {
        **admin.site.each_context(request),
        "title": _("Set-up"),
        "steps": found,
        "done": sum(step.state == "done" for step in found),
        "ready": setup_steps.is_ready(found),
        "form": form,
        "account": account,
    }
    return TemplateResponse(request, "config/setup.html", context).render()


def _act(request: HttpRequest, form: OrganisationForm, account: ProviderAccount | None) -> Any:
    """Do what was asked; what was done in words, or nothing where the form has faults."""
    if "organisation" in request.POST:
        if not form.is_valid():
            return ""
        account = account or ProviderAccount(name="Email sandbox", channel=Channel.EMAIL, kind="sandbox")
        account.settings = {**account.settings, **form.cleaned_data}
        account.save()
        _note(request, account, "said who writes")
        return _("Kept. It stands at the foot of each email.")
    if "templates" in request.POST:
        return _("%d templates were added.") % starter.load(clock.now())
    if "journeys" in request.POST:
        return _("%d journeys are there as drafts.") % len(library.load())
    return ""


def _known(account: ProviderAccount | None) -> dict[str, str]:
    told = account.settings if account else {}
    if told.get("from_email") == organisation.EXAMPLE_SENDER:
        return {}
    return {name: str(told.get(name) or "") for name in OrganisationForm.base_fields}


def _note(request: HttpRequest, account: ProviderAccount, said: str) -> None:
    LogEntry.objects.log_actions(
        request.user.pk or 0, [account], CHANGE, change_message=said, single_object=True
    )
