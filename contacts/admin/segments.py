"""Segments in the back office: what they mean, how many they hold, who is in them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display

from contacts import clock, pulse, rules, segment_order, segments
from contacts.admin.segment_examples import EXAMPLES, KINDS, OPERATORS
from contacts.admin.segment_form import SegmentForm
from contacts.models import Contact, Identifier, Segment
from contacts.paging import CappedPaginator
from contacts.rules import RuleError

_A_PAGE = 50
_MOST_BY_HAND = 1000


class ByHandForm(forms.Form):
    """Emails, phones or user ids of contacts to put into a segment, one a line."""

    who = forms.CharField(
        label=_("Contacts to add"),
        widget=forms.Textarea(attrs={"rows": 4, "class": "is-code"}),
        help_text=_("An email, phone number or user id a line."),
        max_length=100_000,
    )

    def clean_who(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["who"].splitlines() if line.strip()]
        if len(lines) > _MOST_BY_HAND:
            raise forms.ValidationError(_("At most %d lines at once.") % _MOST_BY_HAND)
        return lines


class _Listing(ChangeList):
    """The list, which learns for all its lines at once who asks about them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        askers = segment_order.askers()
        for segment in self.result_list:
            segment.askers = [other.name for other in askers.get(segment.slug, [])]


@admin.register(Segment)
class SegmentAdmin(ModelAdmin):
    list_display = ["title", "kind_shown", "size", "kept", "asked_by", "computed_at"]
    list_filter = ["kind", "active"]
    search_fields = ["name", "slug", "description"]
    list_per_page = 50
    compressed_fields = True

    @display(description=_("segment"), header=True, ordering="name")
    def title(self, segment: Segment) -> tuple[str, str]:
        return segment.name, segment.slug

    @display(description=_("kind"), ordering="kind", label={"dynamic": "info", "static": "warning"})
    def kind_shown(self, segment: Segment) -> tuple[str, str]:
        return segment.kind, segment.get_kind_display()

    @display(description=_("kept current"), label={"yes": "success", "soon": "warning", "off": "danger"})
    def kept(self, segment: Segment) -> tuple[str, Any]:
        if not segment.active:
            return "off", _("Off")
        return ("soon", _("Being computed")) if segment.stale else ("yes", _("Yes"))

    @admin.display(description=_("used by"))
    def asked_by(self, segment: Segment) -> str:
        askers: list[str] = getattr(segment, "askers", [])
        return ", ".join(askers) or "–"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _Listing

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:segment_id>/members/", view(self.members), name="contacts_segment_members"),
            *super().get_urls(),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Segment | None = None) -> bool:
        """Not while another segment asks about it."""
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not segment_order.used_in(obj.slug))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # Deleting many at once would not ask who uses them.
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponseBase:
        segment = self._segment(request, object_id) if object_id else None
        if segment is None and not self.has_add_permission(request):
            raise PermissionDenied
        may_save = segment is None or self.has_change_permission(request, segment)
        if request.method == "POST" and not may_save:
            raise PermissionDenied
        form = SegmentForm(request.POST or None, instance=segment)
        for field in form.fields.values():
            field.disabled = field.disabled or not may_save
        if request.method == "POST" and "preview" not in request.POST and form.is_valid():
            return self._save(request, form)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": segment.name if segment else _("New segment"),
            "segment": Segment.objects.get(pk=segment.pk) if segment else None,
            "form": form,
            "may_save": may_save,
            "may_delete": segment is not None and self.has_delete_permission(request, segment),
            "used_in": segment_order.used_in(segment.slug) if segment else [],
            "preview": _previewed(form, segment),
            "examples": EXAMPLES,
            "kinds": KINDS,
            "operators": OPERATORS,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "contacts/segment.html", context)

    def members(self, request: HttpRequest, segment_id: int) -> HttpResponseBase:
        """Who is in it, a page at a time; where it is kept by hand, adding and removing."""
        segment = self._segment(request, segment_id)
        by_hand = segment.kind == Segment.Kind.STATIC and self.has_change_permission(request, segment)
        if request.method == "POST" and not by_hand:
            raise PermissionDenied
        form = ByHandForm(request.POST if "add" in request.POST else None)
        if request.method == "POST" and (answer := self._by_hand(request, segment, form)):
            return answer
        rows = segment.memberships.select_related("contact").order_by("-contact_id")
        page = CappedPaginator(rows, _A_PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": segment.name,
            "segment": segment,
            "page": page,
            "by_hand": by_hand,
            "form": form,
            "may_see_contacts": request.user.has_perm("contacts.view_contact"),
        }
        return TemplateResponse(request, "contacts/segment_members.html", context)

    def _by_hand(self, request: HttpRequest, segment: Segment, form: ByHandForm) -> HttpResponseBase | None:
        if "remove" in request.POST:
            chosen = request.POST.getlist("contact")[:_MOST_BY_HAND]
            ids = {int(text) for text in chosen if text.isdecimal() and len(text) < 19}
            count = segments.remove(segment, ids, clock.now())
            said = ngettext("%d contact removed.", "%d contacts removed.", count) % count
        elif form.is_valid():
            ids = _find(form.cleaned_data["who"])
            count = segments.add(segment, ids, clock.now())
            said = ngettext("%d contact added.", "%d contacts added.", count) % count
            if missing := len(form.cleaned_data["who"]) - len(ids):
                messages.warning(request, _("Lines for which no contact was found: %d.") % missing)
        else:
            return None
        self.log_change(request, segment, said)
        messages.success(request, said)
        return HttpResponseRedirect(reverse("admin:contacts_segment_members", args=[segment.pk]))

    def _save(self, request: HttpRequest, form: SegmentForm) -> HttpResponseBase:
        added = form.instance.pk is None
        with transaction.atomic():
            segment = form.save(commit=False)
            if {"rule", "active", "kind"} & set(form.changed_data) or added:
                segment.stale = True
            # Size and dates belong to the pulse, which may be at work on this very row.
            kept = ["name", "slug", "kind", "description", "rule", "active", "stale", "updated_at"]
            segment.save() if added else segment.save(update_fields=kept)
            if added:
                self.log_addition(request, segment, [{"added": {}}])
            else:
                self.log_change(request, segment, [{"changed": {"fields": form.changed_data}}])
        by_hand = segment.kind == Segment.Kind.STATIC
        if not by_hand:
            pulse.wake("segments")
        said = _("“%s” is saved.") if by_hand else _("“%s” is saved. Its members follow within seconds.")
        messages.success(request, said % segment.name)
        page = "members" if by_hand and added else "change"
        return HttpResponseRedirect(reverse(f"admin:contacts_segment_{page}", args=[segment.pk]))

    def _segment(self, request: HttpRequest, segment_id: str | int) -> Segment:
        found = Segment.objects.filter(pk=int(segment_id)).first() if str(segment_id).isdecimal() else None
        if found is None:
            raise Http404
        if not self.has_view_or_change_permission(request, found):
            raise PermissionDenied
        return found


def _previewed(form: SegmentForm, segment: Segment | None) -> dict[str, Any] | None:
    """What the rule says and for whom it holds now: the one being written, else the one stored."""
    if form.is_bound:
        form.is_valid()
        rule = form.parsed
    elif segment and segment.kind == Segment.Kind.DYNAMIC:
        try:
            rule = rules.parse(segment.rule, in_journey=False)
        except RuleError as error:
            return {"fault": str(error)}
    else:
        return None
    if rule is None:
        return None
    words = rules.explain(rule)
    if not form.is_bound:
        return {"words": words}
    try:
        with transaction.atomic():
            found = segments.preview(rule, clock.now())
    except DatabaseError:
        return {"words": words, "slow": True}
    return {"words": words, "size": found.size, "sample": found.sample}


def _find(lines: list[str]) -> set[int]:
    """Ids of the contacts that these emails, phones or user ids name."""
    known = Identifier.objects.filter(
        kind__in=[Identifier.Kind.USER, Identifier.Kind.EMAIL, Identifier.Kind.PHONE],
        value__in={form for line in lines for form in (line, line.lower())},
    )
    found = set(known.values_list("contact_id", flat=True))
    by_column = Contact.objects.filter(Q(email__in=[line.lower() for line in lines]))
    return found | set(by_column.values_list("id", flat=True))
