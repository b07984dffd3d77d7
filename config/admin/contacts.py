"""The contact list with the page behind each line, which shows every room at once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from config import contact_page, timeline, timeline_names, timeline_words
from contacts import clock, consent
from contacts.admin.contacts import ContactAdmin
from contacts.consent import NewConsent
from contacts.models import Contact, Purpose, Suppression

KIND_LABELS = {
    "": (_("Everything"), "apps"),
    "activity": (_("Activity"), "bolt"),
    "messages": (_("Messages"), "send"),
    "decisions": (_("Decisions"), "rule"),
    "journeys": (_("Journeys"), "route"),
    "segments": (_("Segments"), "category"),
    "consent": (_("Consent"), "verified_user"),
}


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


@admin.register(Contact)
class ContactPageAdmin(ContactAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:contact_id>/suppress/", view(self.suppress), name="contacts_contact_suppress"),
            path("<int:contact_id>/consent/", view(self.record_consent), name="contacts_contact_consent"),
            path("<int:contact_id>/export/", view(self.export), name="contacts_contact_export"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponseBase:
        contact = self._contact(request, int(object_id) if object_id.isdigit() else 0)
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405)
        asked = request.GET.get("kind", "")
        kind = asked if asked in timeline.KINDS else ""
        page = timeline.read(
            contact,
            kind=kind,
            below=timeline.mark_from(request.GET.get("below", "")),
            may_see=request.user.has_perm,
        )
        zone = contact_page.zone_of(contact)
        panels = contact_page.panels(contact)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(contact),
            "original": contact,
            "contact": contact,
            "zone": zone,
            "now": clock.now(),
            "panels": panels,
            "heading": contact_page.heading(contact, panels),
            "entries": timeline_words.entries(page.rows, timeline_names.load(page.rows), zone),
            "older": page.more.text() if page.more else "",
            "first_page": "below" not in request.GET,
            "kind": kind,
            "chips": [
                (key, label, icon) for key, (label, icon) in KIND_LABELS.items() if self._sees(request, key)
            ],
            "may_see_merges": request.user.has_perm("contacts.view_merge"),
            "may_suppress": request.user.has_perm("contacts.add_suppression"),
            "may_record": request.user.has_perm("contacts.add_consententry"),
            "may_export": request.user.has_perm("contacts.change_contact"),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "config/contact.html", context)

    @staticmethod
    def _sees(request: HttpRequest, kind: str) -> bool:
        return not kind or any(
            kind in stream.kinds and request.user.has_perm(stream.permission) for stream in timeline.STREAMS
        )

    def suppress(self, request: HttpRequest, contact_id: int) -> HttpResponseBase:
        """Ask which address, then never write to it again."""
        contact = self._contact(request, contact_id)
        if not request.user.has_perm("contacts.add_suppression"):
            raise PermissionDenied
        reach = [one for one in contact_page.reach(contact) if one.address and not one.suppressed]
        form = SuppressForm(request.POST or None, reach=reach)
        page = reverse("admin:contacts_contact_change", args=[contact.pk])
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
        contact = self._contact(request, contact_id)
        if not request.user.has_perm("contacts.add_consententry"):
            raise PermissionDenied
        form = ConsentForm(request.POST or None)
        page = reverse("admin:contacts_contact_change", args=[contact.pk])
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

    def export(self, request: HttpRequest, contact_id: int) -> HttpResponseBase:
        """The profile as a JSON file."""
        contact = self._contact(request, contact_id)
        if not request.user.has_perm("contacts.change_contact"):
            raise PermissionDenied
        answer = JsonResponse(
            contact_page.profile(contact), json_dumps_params={"indent": 2, "ensure_ascii": False}
        )
        answer["Content-Disposition"] = f'attachment; filename="contact-{contact.public_id}.json"'
        return answer

    def _contact(self, request: HttpRequest, contact_id: int) -> Contact:
        contact = Contact.objects.filter(pk=contact_id).first()
        if contact is None:
            raise Http404
        if not self.has_view_permission(request, contact):
            raise PermissionDenied
        return contact
