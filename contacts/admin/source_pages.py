"""Pages of one source beside its form: what it sends against the plan, and what arrives just now."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from contacts.admin.entries import entry_page
from contacts.models import LatestArrival, Source
from contacts.plan import adopting

_EACH_PAGE = 50
_SHOWN = 50
REFRESH = 3
"Seconds after which the live view asks again."


class SourcePages(ModelAdmin):
    """Mixed into the admin of sources."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("entry/", view(self.entry), name="contacts_source_entry"),
            path("<int:pk>/plan/", view(self.plan_page), name="contacts_source_plan"),
            path("<int:pk>/plan/adopt/", view(require_POST(self.adopt)), name="contacts_source_adopt"),
            path("<int:pk>/live/", view(self.live_page), name="contacts_source_live"),
            *super().get_urls(),
        ]

    def entry(self, request: HttpRequest) -> HttpResponse:
        """What staff write down, for whoever may add events; it needs no sight of sources."""
        return entry_page(request, {**self.admin_site.each_context(request), "opts": self.opts})

    def plan_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Events as planned and as seen, side by side, and how they differ."""
        source = self._source(request, pk)
        page = Paginator(adopting.side_by_side(source), _EACH_PAGE).get_page(request.GET.get("page"))
        return self._draw(
            request,
            "contacts/source_plan.html",
            source,
            page=page,
            violations=source.violations.order_by("-last_seen_at")[:100],
            may_plan=request.user.has_perm("contacts.add_plannedevent"),
            title=gettext("Events of %s") % source,
        )

    def adopt(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Plan one event as it was seen, or all that the plan does not know."""
        source = self._source(request, pk)
        if not request.user.has_perm("contacts.add_plannedevent"):
            raise PermissionDenied
        lines = [line for line in adopting.side_by_side(source) if line.unknown and line.seen]
        name = request.POST.get("name")
        chosen = [line for line in lines if name is None or line.name == name]
        made = [planned for line in chosen if line.seen and (planned := adopting.adopt(line.seen))]
        for planned in made:
            self.log_change(request, source, gettext("Planned the event %s") % planned.name)
        if made:
            named = ", ".join(planned.name for planned in made[:5]) + ("…" if len(made) > 5 else "")
            messages.success(request, gettext("Now in the plan: %s") % named)
        else:
            messages.info(request, gettext("It was in the plan already."))
        return HttpResponseRedirect(reverse("admin:contacts_source_plan", args=[source.pk]))

    def live_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What arrives, asked again every few seconds by the browser itself; no script."""
        source = self._source(request, pk)
        wanted = request.GET.get("outcome", "")
        outcome = wanted if wanted in LatestArrival.Outcome.values else ""
        found = LatestArrival.objects.filter(source=source).order_by("-id")
        return self._draw(
            request,
            "contacts/source_live.html",
            source,
            arrivals=(found.filter(outcome=outcome) if outcome else found)[:_SHOWN],
            outcome=outcome,
            outcomes=LatestArrival.Outcome.choices,
            paused="paused" in request.GET,
            refresh=REFRESH,
            may_see_events=request.user.has_perm("contacts.view_event"),
            title=gettext("Live: %s") % source,
        )

    def _source(self, request: HttpRequest, pk: int) -> Source:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Source, pk=pk)

    def _draw(self, request: HttpRequest, template: str, source: Source, **values: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "source": source, "opts": self.opts, **values}
        return TemplateResponse(request, template, context)
