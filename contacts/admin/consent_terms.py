"""What people are asked: purposes, the words of the question, and where measuring needs a yes first."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from contacts import clock
from contacts.consent import wordings
from contacts.models import ConsentEntry, Purpose, TrackingRule, Wording

#: Channels on which a second message can be sent to confirm.
_CONFIRMED = [("email", _("email")), ("sms", _("SMS"))]


class PurposeForm(forms.ModelForm):
    confirmed_channels = forms.MultipleChoiceField(
        label=_("Confirmed by a second message (double opt-in)"),
        choices=_CONFIRMED,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "A consent on these channels only counts once the person has followed a link in a message."
        ),
    )

    class Meta:
        model = Purpose
        fields = [
            "name", "slug", "description", "transactional", "confirmed_channels", "lasts_days", "name_fr",
            "description_fr",
        ]  # fmt: skip


@admin.register(Purpose)
class PurposeAdmin(ModelAdmin):
    """Topics that people choose among. One that somebody spoke about stays."""

    form = PurposeForm
    list_display = ["name", "slug", "name_fr", "transactional", "confirmed", "lasts"]
    search_fields = ["name", "slug"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "description", "transactional"]}),
        (_("How people agree"), {"fields": ["confirmed_channels", "lasts_days"]}),
        (_("On the French page"), {"fields": ["name_fr", "description_fr"]}),
    ]

    @admin.display(description=_("double opt-in"))
    def confirmed(self, purpose: Purpose) -> str:
        names = dict(_CONFIRMED)
        return ", ".join(str(names.get(one, one)) for one in purpose.confirmed_channels) or "–"

    @admin.display(description=_("ends after"))
    def lasts(self, purpose: Purpose) -> str:
        return str(_("%s days") % purpose.lasts_days) if purpose.lasts_days else "–"

    def get_readonly_fields(self, request: HttpRequest, obj: Purpose | None = None) -> list[str]:
        # The ledger names purposes by their slug.
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Purpose | None = None) -> bool:
        if obj is not None and ConsentEntry.objects.filter(purpose=obj.slug).exists():
            return False
        return super().has_delete_permission(request, obj)  # type: ignore[no-any-return]


@admin.register(Wording)
class WordingAdmin(ModelAdmin):
    """Versions of the words. One that somebody agreed to never changes; a new version is a click away."""

    list_display = ["reference", "beginning", "effective_at", "standing", "note"]
    list_filter = ["slug"]
    search_fields = ["slug", "text", "text_fr"]
    fields = ["slug", "number", "text", "text_fr", "effective_at", "note"]
    actions_detail = ["new_version"]

    @admin.display(description=_("words"))
    def beginning(self, wording: Wording) -> str:
        return Truncator(wording.text).chars(90)

    @display(description=_("used"), label={"used": "success", "unused": "info"})
    def standing(self, wording: Any) -> tuple[str, str]:
        return ("used", str(_("somebody agreed to it"))) if wording.agreed else ("unused", str(_("not yet")))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Wording]:
        return wordings.with_use(super().get_queryset(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Wording | None = None) -> list[str]:
        return ["slug", "number"] if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Wording | None = None) -> bool:
        if obj is not None and getattr(obj, "agreed", False):
            return False
        return super().has_change_permission(request, obj)  # type: ignore[no-any-return]

    def has_delete_permission(self, request: HttpRequest, obj: Wording | None = None) -> bool:
        if obj is not None and getattr(obj, "agreed", False):
            return False
        return super().has_delete_permission(request, obj)  # type: ignore[no-any-return]

    def has_renew_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_add_permission(request)  # type: ignore[no-any-return]

    @action(description=_("Write a new version"), icon="edit_note", permissions=["renew"])
    def new_version(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """The form of a new one, filled with the words of this one; nothing is kept before it is saved."""
        return HttpResponseRedirect(f"{reverse('admin:contacts_wording_add')}?from={object_id}")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        copied = request.GET.get("from", "")
        before = Wording.objects.filter(pk=int(copied)).first() if copied.isdecimal() else None
        now = clock.now()
        if before is None:
            return {"effective_at": now}
        return {
            "slug": before.slug,
            "number": wordings.next_number(before.slug),
            "text": before.text,
            "text_fr": before.text_fr,
            "effective_at": now,
        }


@admin.register(TrackingRule)
class TrackingRuleAdmin(ModelAdmin):
    """Where opens and clicks may be kept of people who were never asked."""

    list_display = ["where", "effective_on", "measured", "source"]
    ordering = ["country", "-effective_on"]

    @admin.display(description=_("country"), ordering="country")
    def where(self, rule: TrackingRule) -> str:
        return rule.country or str(_("everywhere else"))

    @display(description=_("nobody was asked"), label={"yes": "warning", "no": "success"})
    def measured(self, rule: TrackingRule) -> tuple[str, str]:
        if rule.unasked:
            return "yes", str(_("measured until they refuse"))
        return "no", str(_("not measured before they agree"))
