"""The pages of a segment beside its rule: members, growth, who uses it, versions; and the acts on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from contacts import clock, pulse, rules, segment_order, segments
from contacts.models import Segment, SegmentVersion
from contacts.paging import CappedPaginator
from contacts.rules import RuleError
from contacts.segmentation import growth, lists, overlap, versions

_A_PAGE = 50
_MOST_BY_HAND = 20_000
_MOST_SHOWN = 100


class Use(NamedTuple):
    """Something that asks about a segment. What ``holds`` it keeps it from being deleted."""

    kind: Any
    name: str
    address: str
    what: Any
    holds: bool = True


class ByHandForm(forms.Form):
    """Emails, phones or user ids of contacts to put into a segment, one a line."""

    who = forms.CharField(
        label=_("Contacts to add"),
        widget=forms.Textarea(attrs={"rows": 5, "class": "is-code"}),
        help_text=_("An email, phone number or user id a line, up to 20,000 lines."),
        max_length=2_000_000,
    )

    def clean_who(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["who"].splitlines() if line.strip()]
        if len(lines) > _MOST_BY_HAND:
            raise forms.ValidationError(_("At most %d lines at once.") % _MOST_BY_HAND)
        return lines


class SegmentPages(ModelAdmin):
    def page_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        pages: dict[str, Callable[..., HttpResponseBase]] = {
            "members": self.members,
            "growth": self.growth,
            "uses": self.uses_page,
            "versions": self.versions,
            "act": self.act,
        }
        return [
            path("overlap/", view(self.overlap), name="contacts_segment_overlap"),
            *(
                path(f"<int:segment_id>/{name}/", view(page), name=f"contacts_segment_{name}")
                for name, page in pages.items()
            ),
        ]

    def all_uses(self) -> dict[str, list[Use]]:
        """Per slug what asks about the segment: here other segments; rooms to the left add theirs."""
        return {
            slug: [
                Use(
                    _("Segment"),
                    other.name,
                    reverse("admin:contacts_segment_change", args=[other.pk]),
                    _("its rule asks who is in it"),
                )
                for other in others
            ]
            for slug, others in segment_order.askers().items()
        }

    def uses(self, segment: Segment) -> list[Use]:
        return self.all_uses().get(segment.slug, [])

    def members(self, request: HttpRequest, segment_id: int) -> HttpResponseBase:
        """Who is in it, a page at a time; where it is kept by hand, adding and removing."""
        segment = self._segment(request, segment_id)
        by_hand = segment.kind == Segment.Kind.STATIC and self.has_change_permission(request, segment)
        if request.method == "POST" and not by_hand:
            raise PermissionDenied
        form = ByHandForm(request.POST if "add" in request.POST else None)
        unknown: list[str] = []
        if request.method == "POST":
            answer = self._by_hand(request, segment, form, unknown)
            if answer and not unknown:
                return answer
        rows = segment.memberships.select_related("contact").order_by("-contact_id")
        segment.refresh_from_db()
        others = Segment.objects.exclude(pk=segment.pk).filter(archived_at=None, size__gt=0)
        return self._page(
            request,
            "members",
            segment,
            page_of=CappedPaginator(rows, _A_PAGE).get_page(request.GET.get("page")),
            by_hand=by_hand,
            form=form,
            unknown=unknown,
            unknown_lines="\n".join(unknown),
            others=others.order_by("name") if by_hand else [],
            may_see_contacts=request.user.has_perm("contacts.view_contact"),
        )

    def growth(self, request: HttpRequest, segment_id: int) -> HttpResponseBase:
        """Its size by day, and on request what its rule would have given in the past."""
        segment = self._segment(request, segment_id)
        now = clock.now()
        points = growth.daily(segment, now.date())
        looked_back = "past" in request.GET and segment.kind == Segment.Kind.DYNAMIC
        try:
            past = growth.past(segment, now) if looked_back else []
        except RuleError:
            past = []
        return self._page(
            request,
            "growth",
            segment,
            points=points[::-1],
            drawing=growth.draw(points),
            busiest=max((max(point.entered, point.gone) for point in points), default=0),
            looked_back=looked_back,
            past=growth.gained(past),
            past_drawing=growth.draw(past),
        )

    def uses_page(self, request: HttpRequest, segment_id: int) -> HttpResponseBase:
        segment = self._segment(request, segment_id)
        return self._page(
            request,
            "uses",
            segment,
            uses=self.uses(segment),
            free_name=lists.free_name(segment.name),
            may_add=self.has_add_permission(request),
            may_change=self.has_change_permission(request, segment),
            may_delete=self.has_delete_permission(request, segment),
        )

    def versions(self, request: HttpRequest, segment_id: int) -> HttpResponseBase:
        """The rules it had, in words; an older one can come back."""
        segment = self._segment(request, segment_id)
        kept = segment.versions.select_related("saved_by").order_by("-number")
        if request.method == "POST":
            if not self.has_change_permission(request, segment):
                raise PermissionDenied
            number = request.POST.get("number", "")
            version = kept.filter(number=int(number)).first() if number.isdecimal() else None
            if version is None:
                raise Http404
            said = _("Version %d is back.") % version.number
            versions.restore(segment, version, clock.now(), request.user, str(said))
            self.log_change(request, segment, str(said))
            pulse.wake("segments")
            messages.success(request, said)
            return HttpResponseRedirect(request.path)
        return self._page(
            request,
            "versions",
            segment,
            versions=[(each, _words(each)) for each in kept[:_MOST_SHOWN]],
            may_change=self.has_change_permission(request, segment),
        )

    def act(self, request: HttpRequest, segment_id: int) -> HttpResponseBase:
        """Copy, freeze, archive or bring back, by the button that was pressed."""
        segment = self._segment(request, segment_id)
        if request.method != "POST":
            raise Http404
        now, name = clock.now(), request.POST.get("name", "").strip()[:110] or segment.name
        if {"copy", "freeze"} & set(request.POST):
            if not self.has_add_permission(request):
                raise PermissionDenied
            freezing = "freeze" in request.POST or segment.kind == Segment.Kind.STATIC
            name = lists.free_name(name)
            made = lists.freeze(segment, name, now) if freezing else lists.copy(segment, name)
            versions.keep(made, now, request.user)
            self.log_addition(request, made, f"From “{segment.name}”")
            said, segment = str(_("“%s” is made.")) % made.name, made
        else:
            if not self.has_change_permission(request, segment):
                raise PermissionDenied
            archiving = "archive" in request.POST
            segment.archived_at = now if archiving else None
            segment.active, segment.stale = not archiving, not archiving
            segment.save(update_fields=["archived_at", "active", "stale", "updated_at"])
            words = _("“%s” is archived.") if archiving else _("“%s” is back.")
            said = str(words) % segment.name
            self.log_change(request, segment, said)
        pulse.wake("segments")
        messages.success(request, said)
        return HttpResponseRedirect(reverse("admin:contacts_segment_change", args=[segment.pk]))

    def overlap(self, request: HttpRequest) -> HttpResponseBase:
        """Two to five segments against each other."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = list(dict.fromkeys(slug for slug in request.GET.getlist("segment") if slug))[: overlap.MOST]
        stored = {segment.slug: segment for segment in Segment.objects.filter(slug__in=asked)}
        chosen = [stored[slug] for slug in asked if slug in stored]
        found = overlap.regions(chosen) if len(chosen) > 1 else []
        mask = request.GET.get("mask", "")
        looked_at = next((each for each in found if str(each.mask) == mask), None)
        may_see = request.user.has_perm("contacts.view_contact")
        sizes = [sum(each.size for each in found if segment in each.inside) for segment in chosen]
        both = sum(each.size for each in found if len(each.inside) == len(chosen))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Overlap of segments"),
            "chosen": chosen,
            "choices": Segment.objects.filter(archived_at=None).order_by("name"),
            "places": [*chosen, *([None] * max(1, 2 - len(chosen)))][: overlap.MOST],
            "regions": found,
            "total": sum(each.size for each in found),
            "most": max((each.size for each in found), default=1),
            "sizes": list(zip(chosen, sizes, strict=True)),
            "both": both,
            "circles": list(zip(chosen, overlap.circles(sizes, both), strict=True))
            if len(chosen) in (2, 3)
            else [],
            "looked_at": looked_at,
            "people": overlap.people(chosen, looked_at.mask) if looked_at and may_see else [],
            "asked": "&".join(f"segment={each.slug}" for each in chosen),
        }
        return TemplateResponse(request, "contacts/segment_overlap.html", context)

    def _by_hand(
        self, request: HttpRequest, segment: Segment, form: ByHandForm, unknown: list[str]
    ) -> HttpResponseBase | None:
        now = clock.now()
        if "remove" in request.POST:
            chosen = request.POST.getlist("contact")[:_MOST_BY_HAND]
            ids = {int(text) for text in chosen if text.isdecimal() and len(text) < 19}
            count = segments.remove(segment, ids, now)
            said = ngettext("%d contact removed.", "%d contacts removed.", count) % count
        elif "fill" in request.POST:
            source = Segment.objects.filter(slug=request.POST.get("source", "")).first()
            if source is None:
                raise Http404
            count = lists.fill(segment, source, now)
            said = ngettext("%d contact added.", "%d contacts added.", count) % count
        elif form.is_valid():
            found = lists.find(form.cleaned_data["who"])
            count = segments.add(segment, found.contacts, now)
            said = _(
                "%(added)d added, %(there)d were there, %(repeated)d repeated, %(unknown)d not found."
            ) % {
                "added": count,
                "there": len(found.contacts) - count,
                "repeated": found.repeated,
                "unknown": len(found.unknown),
            }
            unknown += found.unknown
        else:
            return None
        self.log_change(request, segment, str(said))
        messages.success(request, said)
        return HttpResponseRedirect(reverse("admin:contacts_segment_members", args=[segment.pk]))

    def _page(self, request: HttpRequest, name: str, segment: Segment, **more: Any) -> HttpResponseBase:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": segment.name,
            "segment": segment,
            "page": name,
            **more,
        }
        return TemplateResponse(request, f"contacts/segment_{name}.html", context)

    def _segment(self, request: HttpRequest, segment_id: str | int) -> Segment:
        found = Segment.objects.filter(pk=int(segment_id)).first() if str(segment_id).isdecimal() else None
        if found is None:
            raise Http404
        if not self.has_view_or_change_permission(request, found):
            raise PermissionDenied
        return found


def _words(version: SegmentVersion) -> str:
    try:
        return rules.explain(rules.parse(version.rule, in_journey=False))
    except RuleError as error:
        return str(error)
