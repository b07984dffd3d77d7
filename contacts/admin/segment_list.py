"""The list of segments: how big, how it moves, who uses it; by tag, and without what was archived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import F, Func, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from contacts import clock
from contacts.admin.segment_pages import SegmentPages
from contacts.models import Segment
from contacts.segmentation import growth


class TagFilter(admin.SimpleListFilter):
    title = _("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        each = Segment.objects.annotate(tag=Func(F("tags"), function="unnest"))
        return [(tag, tag) for tag in each.values_list("tag", flat=True).distinct().order_by("tag")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Segment]) -> QuerySet[Segment]:
        return queryset.filter(tags__contains=[self.value()]) if self.value() else queryset


class ArchiveFilter(admin.SimpleListFilter):
    """Archived segments are out of sight until asked for."""

    title = _("archive")
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("yes", _("Archived")), ("all", _("Both"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        everything, *others = super().choices(changelist)
        return iter([{**everything, "display": _("In use")}, *others])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Segment]) -> QuerySet[Segment]:
        if self.value() == "all":
            return queryset
        return queryset.filter(archived_at__isnull=self.value() != "yes")


class _Listing(ChangeList):
    """The list, which learns for all its lines at once who asks about them and how they moved."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        shown: list[Any] = list(self.result_list)
        pages: Any = self.model_admin
        uses = pages.all_uses()
        moved = growth.changes(shown, clock.now().date())
        for segment in shown:
            segment.uses, segment.moved = uses.get(segment.slug, []), moved.get(segment.pk)
        self.result_list = shown


class SegmentList(SegmentPages):
    list_display = ["title", "kind_shown", "size_shown", "trend", "kept", "used_by", "updated_at"]
    list_filter = ["kind", ArchiveFilter, TagFilter, "active"]
    search_fields = ["name", "slug", "description", "tags"]
    list_per_page = 50
    compressed_fields = True
    list_before_template = "contacts/segment_list_before.html"

    @display(description=_("segment"), header=True, ordering="name")
    def title(self, segment: Segment) -> tuple[str, str]:
        return segment.name, " · ".join([segment.slug, *segment.tags])

    @display(description=_("kind"), ordering="kind", label={"dynamic": "info", "static": "warning"})
    def kind_shown(self, segment: Segment) -> tuple[str, str]:
        return segment.kind, segment.get_kind_display()

    @admin.display(description=_("size"), ordering="size")
    def size_shown(self, segment: Segment) -> str:
        return str(intcomma(segment.size))

    @admin.display(description=_("in 7 days"))
    def trend(self, segment: Segment) -> str:
        moved: int | None = getattr(segment, "moved", None)
        if moved is None:
            return "–"
        sign = "▲ +" if moved > 0 else "▼ −" if moved < 0 else "= "
        return f"{sign}{intcomma(abs(moved))}"

    @display(description=_("kept current"), label={"yes": "success", "soon": "warning", "off": "danger"})
    def kept(self, segment: Segment) -> tuple[str, Any]:
        if segment.archived_at:
            return "off", _("Archived")
        if not segment.active:
            return "off", _("Off")
        return ("soon", _("Being computed")) if segment.stale else ("yes", _("Yes"))

    @admin.display(description=_("used by"))
    def used_by(self, segment: Segment) -> str:
        names = [use.name for use in getattr(segment, "uses", [])]
        more = f" +{len(names) - 3}" if len(names) > 3 else ""
        return ", ".join(names[:3]) + more or "–"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _Listing
