"""The list of journeys, and the page of one: its flow with live counts, its figures, and what can be done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from contacts import clock
from journeys import approving, figures, publishing, redirecting
from journeys.admin import acting, backtest_words, drafting, file_pages, publish_page, starting, version_pages
from journeys.admin.building import JourneyBuilder
from journeys.admin.flow import flow_of
from journeys.admin.pages import page
from journeys.figures import Flow
from journeys.models import Journey, JourneyVersion

TONES = {"draft": "info", "live": "success", "paused": "warning", "stopped": "danger", "archived": ""}
PILLS = {"draft": "is-info", "live": "is-good", "paused": "is-warn", "stopped": "is-bad", "archived": ""}


class JourneyAdmin(JourneyBuilder):
    list_display = ["name", "state", "live_runs", "entered", "converted", "updated_at"]
    list_filter = ["status"]
    search_fields = ["name", "slug", "description"]
    search_help_text = _("Name, slug or description")
    list_per_page = 50
    actions = None
    list_before_template = "journeys/list_before.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        # Campaigns have pages of their own.
        return super().get_queryset(request).filter(kind=Journey.Kind.JOURNEY)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        more = {"may_add": self.has_add_permission(request), "missing": drafting.not_loaded()}
        answer: HttpResponse = super().changelist_view(request, {**more, **(extra_context or {})})
        return answer

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        listed = super().get_changelist_instance(request)
        flows = figures.of_journeys([journey.pk for journey in listed.result_list], now())
        for journey in listed.result_list:
            journey.flow = flows.get(journey.pk, Flow())
        return listed

    @display(description=_("status"), ordering="status", label=TONES)
    def state(self, journey: Journey) -> tuple[str, str]:
        return journey.status, journey.get_status_display()

    @display(description=_("inside now"))
    def live_runs(self, journey: Any) -> int:
        return int(journey.flow.live)

    @display(description=_("entered, 30 days"))
    def entered(self, journey: Any) -> int:
        return int(journey.flow.entered)

    @display(description=_("converted"))
    def converted(self, journey: Any) -> str:
        flow: Flow = journey.flow
        return f"{flow.converted} ({flow.rate:.1f} %)" if flow.entered else "–"

    def has_delete_permission(self, request: HttpRequest, obj: Journey | None = None) -> bool:
        return False  # a journey is archived: what it did stays explained

    def has_publish_permission(self, request: HttpRequest) -> bool:
        """Whether the person may start and stop journeys."""
        return request.user.has_perm("journeys.publish_journey")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/edit/", wrap(self.edit_view), name="journeys_journey_edit"),
            path("<int:pk>/act/<slug:act>/", wrap(self.act_view), name="journeys_journey_act"),
            path("<int:pk>/versions/", wrap(self.versions_view), name="journeys_journey_versions"),
            path("<int:pk>/file/", wrap(self.file_view), name="journeys_journey_file"),
            path("files/", wrap(self.files_view), name="journeys_journey_files"),
            path("library/", wrap(self.library_view), name="journeys_journey_library"),
        ]
        return [*own, *self.builder_urls(), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        journey = self.get_object(request, object_id)
        if journey is None:
            raise Http404
        if not self.has_view_permission(request, journey):
            raise PermissionDenied
        version = _shown_version(request, journey)
        found, problems = publishing.check(version.graph if version else journey.draft)
        unpublished = _unpublished(journey)
        flow = figures.of_journey(journey, now())
        at_steps = figures.of_steps(journey, [version.pk], now()) if version else {}
        return page(
            self,
            request,
            "journeys/journey.html",
            title=journey.name,
            journey=journey,
            version=version,
            versions=journey.versions.select_related("published_by")[:20],
            graph=found,
            problems=problems,
            unpublished=unpublished,
            chains=flow_of(found, at_steps) if found else [],
            flow=flow,
            ends=[(backtest_words.end(outcome), count) for outcome, count in flow.outcomes.items()],
            pill=PILLS[journey.status],
            acts=acting.open_to(
                journey,
                changed=unpublished,
                everything=self.has_publish_permission(request),
                asking=self.has_change_permission(request, journey),
            ),
            request_open=approving.pending(journey),
            moving=redirecting.progress(journey),
            may_edit=self.has_change_permission(request, journey),
            history=_history(journey),
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if "text" in {**request.GET, **request.POST}:
            return drafting.edit(self, request, None)
        return starting.begin(self, request)

    def edit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        journey = Journey.objects.filter(pk=pk).first()
        if journey is None:
            raise Http404
        if not self.has_change_permission(request, journey):
            raise PermissionDenied
        return drafting.edit(self, request, journey)

    def act_view(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        journey = Journey.objects.filter(pk=pk).first()
        if journey is None or (act != "publish" and act not in acting.ACTS):
            raise Http404
        if act == "publish" and self.has_change_permission(request, journey):
            return publish_page.confirm(
                self, request, journey, may_publish=self.has_publish_permission(request)
            )
        if not self.has_publish_permission(request):
            raise PermissionDenied
        return acting.confirm(self, request, journey, act)

    def versions_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        journey = Journey.objects.filter(pk=pk).first()
        if journey is None:
            raise Http404
        if not self.has_view_permission(request, journey):
            raise PermissionDenied
        return version_pages.versions(self, request, journey)

    def file_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        journey = Journey.objects.filter(pk=pk).first()
        if journey is None:
            raise Http404
        if not self.has_view_permission(request, journey):
            raise PermissionDenied
        return file_pages.export(request, journey)

    def files_view(self, request: HttpRequest) -> HttpResponse:
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        return file_pages.bring_in(self, request)

    def library_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return drafting.load_library(self, request)


def now() -> datetime:
    return clock.now()


def _shown_version(request: HttpRequest, journey: Journey) -> JourneyVersion | None:
    """The version asked for, or the one that runs; none shows the draft."""
    asked = request.GET.get("version", "")
    if asked == "draft":
        return None
    if asked.isdigit() and len(asked) < 9:
        return journey.versions.filter(number=int(asked)).first()
    return journey.versions.filter(pk=journey.live_version_id or 0).first()


def _unpublished(journey: Journey) -> bool:
    live = journey.versions.filter(pk=journey.live_version_id or 0).first()
    return live is not None and live.graph != journey.draft


def _history(journey: Journey) -> QuerySet[LogEntry]:
    kind = ContentType.objects.get_for_model(Journey)
    found = LogEntry.objects.filter(content_type=kind, object_id=str(journey.pk))
    return found.select_related("user").order_by("-action_time")[:10]
