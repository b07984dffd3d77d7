"""Segments in the back office: what they mean, how many they hold, who is in them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext_lazy as _

from contacts import clock, pulse, rules, segments
from contacts.admin.segment_answers import SegmentAnswers
from contacts.admin.segment_examples import EXAMPLES, KINDS, OPERATORS, starting_points
from contacts.admin.segment_form import SegmentForm
from contacts.admin.segment_list import SegmentList
from contacts.models import Segment
from contacts.rules import RuleError
from contacts.segmentation import saving


class SegmentAdmin(SegmentList, SegmentAnswers):
    def get_urls(self) -> list[URLPattern]:
        return [
            *self.answer_urls(),
            *self.page_urls(),
            *super().get_urls(),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Segment | None = None) -> bool:
        """Not while something that is in use asks about it."""
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not any(use.holds for use in self.uses(obj)))

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
            "names": [form["name"], form["description"]],
            "details": [form[name] for name in ("tags", "kind", "slug", "active")],
            "more_open": any(form[name].errors for name in ("tags", "kind", "slug", "active")),
            "preview": _previewed(form, segment),
            "examples": EXAMPLES,
            "kinds": KINDS,
            "operators": OPERATORS,
            "starters": starting_points(),
            "addresses": self.answer_addresses(),
            "today": clock.now().date(),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "contacts/segment.html", context)

    def _save(self, request: HttpRequest, form: SegmentForm) -> HttpResponseBase:
        added, now = form.instance.pk is None, clock.now()
        with transaction.atomic():
            segment = form.save(commit=False)
            saving.save(segment, now, request.user, note=request.POST.get("note", ""))
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
