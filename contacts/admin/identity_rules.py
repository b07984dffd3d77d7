"""The identity rules: the version that holds, its history, and a form that makes the next one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms.formsets import BaseFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from contacts import clock, identity_rules
from contacts.identifier_kinds import (
    BUILT_IN,
    HIGHEST_LIMIT,
    LEAVE_OUT,
    OLDEST_FALLS,
    IdentifierKind,
    KindsError,
)
from contacts.models import IdentityVersion


class KindForm(forms.Form):
    """One kind. The order of strength is a number, so that it works without a script."""

    rank = forms.IntegerField(label=_("Strength"), min_value=1, max_value=99)
    slug = forms.CharField(label=_("Short name"), max_length=16)
    name = forms.CharField(label=_("Name"), max_length=60)
    limit = forms.IntegerField(label=_("At most"), min_value=1, max_value=HIGHEST_LIMIT, initial=5)
    full = forms.ChoiceField(
        label=_("One too many"),
        choices=[(LEAVE_OUT, _("is left out")), (OLDEST_FALLS, _("pushes out the oldest"))],
    )
    known = forms.BooleanField(label=_("Tells who somebody is"), required=False)
    browsers = forms.BooleanField(label=_("Taken from browsers"), required=False)
    active = forms.BooleanField(label=_("Used"), required=False, initial=True)
    blocked = forms.CharField(
        label=_("Nobody's values"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def kind(self) -> IdentifierKind:
        said = self.cleaned_data
        lines = [line.strip() for line in said["blocked"].splitlines()]
        return IdentifierKind(
            slug=said["slug"],
            name=said["name"].strip(),
            limit=said["limit"],
            full=said["full"],
            known=said["known"],
            browsers=said["browsers"],
            active=said["active"],
            blocked=tuple(dict.fromkeys(filter(None, lines))),
        )


KindFormSet = forms.formset_factory(KindForm, extra=1, max_num=20, absolute_max=20)


class PublishForm(forms.Form):
    note = forms.CharField(label=_("Why"), max_length=300, required=False)
    after = forms.IntegerField(widget=forms.HiddenInput)


@admin.register(IdentityVersion)
class IdentityVersionAdmin(ModelAdmin):
    list_display = ["number", "made_at", "made_by", "note"]
    ordering = ["-number"]
    list_before_template = "contacts/identity_rules_head.html"

    def get_urls(self) -> list[URLPattern]:
        return [
            path("edit/", self.admin_site.admin_view(self.edit), name="contacts_identityversion_edit"),
            *super().get_urls(),
        ]

    def edit(self, request: HttpRequest) -> HttpResponse:
        """The kinds as a table; ``?from=3`` begins with an earlier version. POST makes the next one."""
        if not request.user.has_perm("contacts.add_identityversion"):
            raise PermissionDenied
        now_held = identity_rules.current()
        chosen = request.GET.get("from", "")
        begin = now_held
        if chosen.isdecimal():
            begin = identity_rules.of(get_object_or_404(IdentityVersion, number=int(chosen[:9])))
        rows = KindFormSet(request.POST or None, initial=_initial(begin.kinds), prefix="kind")
        publish = PublishForm(request.POST or None, initial={"after": now_held.version})
        error = ""
        if request.method == "POST" and rows.is_valid() and publish.is_valid():
            error = self._publish(request, rows, publish)
            if not error:
                return HttpResponseRedirect(reverse("admin:contacts_identityversion_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Identity rules"),
            "rows": rows,
            "publish": publish,
            "error": error,
            "version": now_held.version,
            "begun_with": begin.version,
            "built_in": BUILT_IN,
        }
        return TemplateResponse(request, "contacts/identity_rules.html", context)

    def _publish(self, request: HttpRequest, rows: BaseFormSet[KindForm], publish: PublishForm) -> str:
        """Make the version; returns what stands in the way."""
        ranked = sorted((form.cleaned_data["rank"], place) for place, form in _filled(rows))
        forms_by_place = dict(_filled(rows))
        try:
            made = identity_rules.publish(
                [forms_by_place[place].kind() for _rank, place in ranked],
                clock.now(),
                by=request.user.get_username(),
                note=publish.cleaned_data["note"],
                after=publish.cleaned_data["after"],
            )
        except KindsError as error:
            return str(error)
        except identity_rules.OutdatedError:
            return gettext(
                "Somebody else made a version meanwhile. Open the page again and repeat your change."
            )
        self.log_addition(request, made, gettext("Published version %s of the identity rules") % made.number)
        messages.success(request, gettext("Version %s holds from the next batch on.") % made.number)
        return ""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        held = identity_rules.current()
        context = {"held": held, "may_edit": request.user.has_perm("contacts.add_identityversion")}
        page: HttpResponse = super().changelist_view(request, {**context, **(extra_context or {})})
        return page

    # Versions are made on the page of all kinds, and kept.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: IdentityVersion | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: IdentityVersion | None = None) -> bool:
        return False


def _filled(rows: BaseFormSet[KindForm]) -> list[tuple[int, KindForm]]:
    return [(place, form) for place, form in enumerate(rows.forms) if form.cleaned_data.get("slug")]


def _initial(kinds: Sequence[IdentifierKind]) -> list[dict[str, Any]]:
    return [
        {**msgspec.to_builtins(kind), "rank": place, "blocked": "\n".join(kind.blocked)}
        for place, kind in enumerate(kinds, 1)
    ]
