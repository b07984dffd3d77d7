"""The consent ledger in the back office: the overview, the lines, one person's history with its proof."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from contacts import clock, consent
from contacts.consent import expiring, overview, verifying
from contacts.models import ConsentAnchor, ConsentCheck, ConsentEntry, Contact, Purpose
from contacts.paging import CappedPaginator
from contacts.searching import search

_ENDING = timedelta(days=30)
_FAULTS = {
    "changed": _("its content is not what was written"),
    "proof": _("its proof is not what was written"),
    "missing": _("lines before it are missing"),
    "unlinked": _("it does not follow the line before it"),
    "moved": _("it belongs to another contact, though no merge says so"),
    "gone": _("what holds rests on it, and it is not there"),
    "anchor": _("the anchor does not follow the one before it"),
    "lines": _("the anchor does not fit its lines"),
    "signature": _("the anchor was not signed with our key"),
}


class AsOfForm(forms.Form):
    """The instant at which to look."""

    at = forms.DateTimeField(
        label=_("As it was at"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


@admin.register(ConsentEntry)
class ConsentEntryAdmin(ModelAdmin):
    """The ledger as it was written. Nobody changes it here or anywhere."""

    list_display = ["recorded_at", "who", "said", "channel", "about", "basis", "origin"]
    list_filter = ["action", "channel", "purpose", "basis"]
    search_fields = ["contact__email"]  # switches the search field on; see get_search_results
    search_help_text = _("Email, name, phone or any identifier")
    fields = [
        "who", "said", "channel", "about", "basis", "wording", "origin", "evidence", "occurred_at",
        "recorded_at", "expires_at", "place", "fingerprint",
    ]  # fmt: skip
    readonly_fields = fields
    ordering = ["-id"]
    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False
    actions = None

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("overview/", view(self.overview), name="contacts_consententry_overview"),
            path("check/", view(self.check_now), name="contacts_consententry_check"),
            path("person/<int:contact_id>/", view(self.person), name="contacts_consententry_person"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsentEntry]:
        """With what names the contact; lines of erased people have none."""
        named = ("id", "public_id", "first_name", "last_name", "email", "phone")
        row = Contact.objects.filter(pk=OuterRef("contact_id")).values(
            row=JSONObject(**dict(zip(named, named, strict=True)))
        )
        return super().get_queryset(request).annotate(found=Subquery(row))  # type: ignore[no-any-return]

    @admin.display(description=_("contact"))
    def who(self, entry: ConsentEntry) -> SafeString | str:
        found = getattr(entry, "found", None)
        if not found:
            return str(_("an erased person"))
        address = reverse("admin:contacts_consententry_person", args=[entry.contact_id])
        return format_html('<a href="{}">{}</a>', address, Contact(**found))

    @display(description=_("said"), label={"in": "success", "out": "danger"})
    def said(self, entry: ConsentEntry) -> tuple[str, str]:
        return entry.action, entry.get_action_display()

    @admin.display(description=_("purpose"), ordering="purpose")
    def about(self, entry: ConsentEntry) -> str:
        return str(_("everything")) if entry.purpose == "*" else entry.purpose

    @admin.display(description=_("proof"))
    def evidence(self, entry: ConsentEntry) -> SafeString | str:
        if entry.chain and entry.salt is None:
            return str(_("erased with the person's data"))
        return format_html("<code>{}</code>", json.dumps(entry.proof, ensure_ascii=False, indent=1))

    @admin.display(description=_("place in its chain"))
    def place(self, entry: ConsentEntry) -> str:
        if not entry.chain:
            return str(_("older than the chain"))
        anchored = _("anchor %s") % entry.anchor if entry.anchor else _("not anchored yet")
        return f"{entry.chain} / {entry.seq}, {anchored}"

    @admin.display(description=_("digest"))
    def fingerprint(self, entry: ConsentEntry) -> str:
        return bytes(entry.digest).hex() if entry.digest else "–"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ConsentEntry], search_term: str
    ) -> tuple[QuerySet[ConsentEntry], bool]:
        term = search_term.strip()
        return (queryset.filter(contact_id__in=search(term)) if term else queryset), False

    def overview(self, request: HttpRequest) -> HttpResponse:
        """Answers by channel and purpose, week by week, what ends soon, and whether the ledger is whole."""
        self._may_look(request)
        now = clock.now()
        cells, weeks, check = overview.cells(now), overview.weeks(now), verifying.latest()
        most = max((week.given + week.withdrawn for week in weeks), default=0) or 1
        names = dict(Purpose.objects.values_list("slug", "name"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Consents"),
            "cells": [(names.get(cell.purpose, cell.purpose), cell) for cell in cells],
            "weeks": weeks,
            "most": most,
            "ending": list(expiring.ending(now, _ENDING)[:20]),
            "check": check,
            "fault": _words(check.faults[0]) if check and check.faults else "",
            "faults": [_words(fault) for fault in check.faults] if check else [],
            "anchor": ConsentAnchor.objects.first(),
            "may_check": request.user.has_perm("contacts.add_consententry"),
        }
        return TemplateResponse(request, "contacts/consents.html", context)

    def check_now(self, request: HttpRequest) -> HttpResponse:
        """Begin a new walk through the ledger; a large one is finished by the pulse."""
        self._may_look(request)
        if not request.user.has_perm("contacts.add_consententry"):
            raise PermissionDenied
        if request.method == "POST":
            now = clock.now()
            ConsentCheck.objects.filter(finished_at__isnull=True).delete()
            check = verifying.walk(now)
            if not check.finished_at:
                messages.info(request, _("The check goes on in the background."))
            elif check.faults:
                messages.error(request, _words(check.faults[0]))
            else:
                messages.success(request, _("%s lines are as they were written.") % f"{check.lines:,}")
        return HttpResponseRedirect(reverse("admin:contacts_consententry_overview"))

    def person(self, request: HttpRequest, contact_id: int) -> HttpResponse:
        """Everything one person said, with proof, and what was on record at an instant."""
        self._may_look(request)
        contact = Contact.objects.filter(pk=contact_id).first()
        if contact is None:
            raise Http404
        form = AsOfForm(request.GET or None)
        asked = form.cleaned_data["at"] if form.is_bound and form.is_valid() else None
        at: datetime = asked or clock.now()
        held = consent.as_of([contact_id], at).get(contact_id, {})
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Consents of %s") % contact,
            "contact": contact,
            "form": form,
            "at": asked,
            "held": sorted(held.items()),
            "waiting": sorted(consent.pending(contact_id, clock.now())),
            "entries": [(entry, sorted(entry.proof.items())) for entry in consent.history(contact_id)[:500]],
        }
        return TemplateResponse(request, "contacts/consent_person.html", context)

    def _may_look(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ConsentEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ConsentEntry | None = None) -> bool:
        return False


def _words(fault: dict[str, Any]) -> str:
    """“Line 17 (contact 4, place 2): its content is not what was written”."""
    what = _FAULTS.get(fault["fault"], fault["fault"])
    if "entry" in fault:
        where = _("Line %(entry)s (chain %(chain)s, place %(seq)s)") % fault
    else:
        where = _("Anchor %(anchor)s") % fault
    return f"{where}: {what}"
