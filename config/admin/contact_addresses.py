"""What staff may do about a contact's addresses and consent: suppress, lift, record what was said."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from config import contact_page, timeline_names
from config.admin.contact_acts import ContactActs
from contacts import clock, consent
from contacts.consent import NewConsent
from contacts.models import Purpose, Suppression


class SuppressForm(forms.Form):
    """Which of the contact's own addresses must not be written to any more, and why."""

    note = forms.CharField(
        label=_("Why"), max_length=300, required=False, help_text=_("Kept with the suppression.")
    )

    def __init__(self, *args: Any, reach: list[contact_page.Reach], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(one.channel, f"{one.label}: {one.address}") for one in reach]
        self.fields["channel"] = forms.ChoiceField(
            label=_("Address"), widget=forms.RadioSelect, choices=choices
        )


class ConsentForm(forms.Form):
    """What the contact said outside of our own pages, for one line of the ledger."""

    channel = forms.ChoiceField(label=_("Channel"))
    purpose = forms.ModelChoiceField(
        Purpose.objects.filter(transactional=False),
        label=_("Purpose"),
        to_field_name="slug",
        empty_label=None,
    )
    answer = forms.ChoiceField(
        label=_("What they said"),
        widget=forms.RadioSelect,
        choices=[("in", _("They agree")), ("out", _("They do not want it"))],
    )
    origin = forms.CharField(
        label=_("Where they said so"),
        max_length=60,
        help_text=_("Such as: paper form, by phone, at the till. It stays in the ledger as proof."),
    )
    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(channel, timeline_names.channel_label(channel)) for channel in consent.CHANNELS]
        self.fields["channel"].choices = choices  # type: ignore[attr-defined]


class LiftForm(SuppressForm):
    """Which suppressed address may be written to again; the reason stays in the history."""

    note = forms.CharField(label=_("Why"), max_length=300, help_text=_("Kept in the history of the contact."))


class AddressActs(ContactActs):
    def suppress(self, request: HttpRequest, contact_id: int) -> HttpResponseBase:
        """Ask which address, then never write to it again."""
        contact = self.contact_for(request, contact_id, "contacts.add_suppression")
        reach = [one for one in contact_page.reach(contact) if one.address and not one.suppressed]
        form = SuppressForm(request.POST or None, reach=reach)
        page = self.page_of(contact)
        if request.method == "POST" and form.is_valid():
            chosen = next(one for one in reach if one.channel == form.cleaned_data["channel"])
            consent.suppress(
                [(chosen.channel, chosen.address)],
                Suppression.Reason.MANUAL,
                clock.now(),
                note=form.cleaned_data["note"],
            )
            self.log_change(request, contact, f"Suppressed {chosen.channel}")
            messages.success(request, _("%s will not be written to any more.") % chosen.address)
            return HttpResponseRedirect(page)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Suppress an address"),
            "contact": contact,
            "form": form,
            "reach": reach,
            "page": page,
        }
        return TemplateResponse(request, "config/suppress.html", context)

    def record_consent(self, request: HttpRequest, contact_id: int) -> HttpResponseBase:
        """Ask what the contact said and where, then write it to the ledger."""
        contact = self.contact_for(request, contact_id, "contacts.add_consententry")
        form = ConsentForm(request.POST or None)
        page = self.page_of(contact)
        if request.method == "POST" and form.is_valid():
            said = form.cleaned_data
            proof = {"by": request.user.get_username()} | ({"note": said["note"]} if said["note"] else {})
            line = NewConsent(
                contact.pk,
                said["channel"],
                said["purpose"].slug,
                said["answer"] == "in",
                said["origin"],
                proof=proof,
            )
            consent.record([line], clock.now())
            self.log_change(request, contact, f"Recorded consent: {said['channel']}, {said['purpose'].slug}")
            messages.success(request, _("Written to the ledger."))
            return HttpResponseRedirect(page)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Record consent"),
            "contact": contact,
            "form": form,
            "page": page,
        }
        return TemplateResponse(request, "config/consent.html", context)

    def lift(self, request: HttpRequest, contact_id: int) -> HttpResponseBase:
        """Ask which of the contact's addresses may be written to again, and why."""
        contact = self.contact_for(request, contact_id, "contacts.delete_suppression")
        reach = [one for one in contact_page.reach(contact) if one.suppressed]
        form = LiftForm(request.POST or None, reach=reach)
        if request.method == "POST" and form.is_valid():
            chosen = next(one for one in reach if one.channel == form.cleaned_data["channel"])
            consent.allow_again([(chosen.channel, chosen.address)], clock.now())
            why = form.cleaned_data["note"]
            self.log_change(request, contact, f"Lifted the suppression of {chosen.channel}: {why}")
            messages.success(request, _("%s may be written to again.") % chosen.address)
            return HttpResponseRedirect(self.page_of(contact))
        return self.ask(
            request,
            contact,
            title=_("Lift a suppression"),
            form=form if reach else None,
            note=_(
                "Whoever complained or asked to be left alone is written to again, as far as their consent "
                "allows. Do it only when they asked for it, or when the address was wrong and is mended."
            ),
            button=_("Lift"),
            empty=_("None of this contact’s addresses is suppressed."),
            danger=True,
        )
