"""The list of runs: who is where, what happens next, and what can be done about those that failed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from contacts import clock, pulse
from contacts.paging import CappedPaginator
from journeys import mending, runs
from journeys.admin import backtest_words
from journeys.admin.pages import page
from journeys.models import Journey, Run, StepEntry

TONES = {
    Run.State.LIVE: "info",
    Run.State.COMPLETED: "",
    Run.State.CONVERTED: "success",
    Run.State.EXITED: "warning",
    Run.State.FAILED: "danger",
}


class JourneyFilter(admin.SimpleListFilter):
    title = _("journey")
    parameter_name = "journey"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [
            (str(pk), name) for pk, name in Journey.objects.order_by("name").values_list("id", "name")[:200]
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        asked = self.value() or ""
        return queryset.filter(journey_id=int(asked)) if asked.isdigit() and len(asked) < 9 else queryset


class StepFilter(admin.SimpleListFilter):
    """Set by the links of a journey's page; offers nothing by itself."""

    title = _("step")
    parameter_name = "step"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        asked = request.GET.get("step", "")[:60]
        return [(asked, asked)] if asked else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        return queryset.filter(step=self.value()) if self.value() else queryset


class RunAdmin(ModelAdmin):
    list_display = ["who", "journey_version", "standing", "at_step", "next_wakeup", "entered_at", "why"]
    list_filter = [JourneyFilter, "state", StepFilter]
    list_display_links = None
    ordering = ["-id"]
    list_per_page = 50
    list_select_related = ["contact", "journey", "version"]
    paginator = CappedPaginator
    show_full_result_count = False
    actions = ["try_again", "skip_step"]
    list_before_template = "journeys/runs_before.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether the person may start and stop journeys, and so mend runs."""
        return request.user.has_perm("journeys.publish_journey")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        listed = super().get_changelist_instance(request)
        failed = [run.pk for run in listed.result_list if run.state == Run.State.FAILED]
        entries = StepEntry.objects.filter(run_id__in=failed, outcome="failed").order_by("at")
        causes = {entry.run_id: (entry.detail or {}).get("cause", "") for entry in entries}
        for run in listed.result_list:
            run.cause = causes.get(run.pk, "")
        return listed

    @display(description=_("contact"), ordering="contact_id")
    def who(self, run: Run) -> str:
        address = reverse("admin:contacts_contact_change", args=[run.contact_id])
        return format_html('<a href="{}">{}</a>', address, run.contact)

    @display(description=_("journey"))
    def journey_version(self, run: Run) -> str:
        address = reverse("admin:journeys_journey_change", args=[run.journey_id])
        return format_html('<a href="{}">{}</a> v{}', address, run.journey.name, run.version.number)

    @display(description=_("state"), label={state.label: tone for state, tone in TONES.items()})
    def standing(self, run: Run) -> str:
        return str(run.get_state_display())

    @display(description=_("step"))
    def at_step(self, run: Run) -> str:
        return run.step

    @display(description=_("next wake-up"), ordering="due_at", empty_value="–")
    def next_wakeup(self, run: Run) -> datetime | None:
        return run.due_at

    @display(description=_("outcome or cause"))
    def why(self, run: Any) -> str:
        return str(run.cause or backtest_words.end(run.outcome) or "–")

    @action(description=_("Try the failed step again"), permissions=["operate"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        chosen = list(queryset.filter(state=Run.State.FAILED).values_list("id", flat=True)[:10_000])
        _tell(self, request, runs.retry(chosen, clock.now()), chosen)

    @action(description=_("Skip the failed step"), permissions=["operate"])
    def skip_step(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        chosen = list(queryset.filter(state=Run.State.FAILED).values_list("id", flat=True)[: mending.MOST])
        _tell(self, request, mending.skip(chosen, clock.now()), chosen)

    def get_urls(self) -> list[URLPattern]:
        stuck = path("stuck/", self.admin_site.admin_view(self.stuck_view), name="journeys_run_stuck")
        return [stuck, *super().get_urls()]

    def stuck_view(self, request: HttpRequest) -> HttpResponse:
        """How the runs stand, and those that failed by cause, to be mended together."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            if not self.has_operate_permission(request):
                raise PermissionDenied
            return self._mend(request)
        now = clock.now()
        return page(
            self,
            request,
            "journeys/stuck.html",
            title=_("Stuck and failed runs"),
            health=mending.health(now),
            causes=mending.causes(),
            most=mending.MOST,
            may_operate=self.has_operate_permission(request),
        )

    def _mend(self, request: HttpRequest) -> HttpResponse:
        asked = request.POST.get("journey", "")
        journey = (
            Journey.objects.filter(pk=int(asked)).first() if asked.isdecimal() and len(asked) < 9 else None
        )
        if journey is None or request.POST.get("act") not in ("retry", "skip"):
            messages.error(request, _("Nothing was chosen."))
            return HttpResponseRedirect(reverse("admin:journeys_run_stuck"))
        step, cause = request.POST.get("step", ""), request.POST.get("cause", "")
        chosen = list(mending.failed(journey.pk, step, cause).values_list("id", flat=True)[: mending.MOST])
        act = mending.skip if request.POST["act"] == "skip" else mending.retry
        mended = act(chosen, clock.now())
        _tell(self, request, mended, chosen)
        admin.site._registry[Journey].log_change(
            request, journey, f"Failed runs at {step}: {request.POST['act']}, {mended} go on"
        )
        return HttpResponseRedirect(reverse("admin:journeys_run_stuck"))


def _tell(shown: RunAdmin, request: HttpRequest, mended: int, chosen: list[int]) -> None:
    """Say how many go on, and why others do not."""
    if mended:
        pulse.wake("engine")
        shown.message_user(request, _("%d runs go on.") % mended, messages.SUCCESS)
    if left := len(chosen) - mended:
        text = _("%d runs stay as they are: the person is in the journey again, or no step follows.")
        shown.message_user(request, text % left, messages.WARNING)
    if not chosen:
        shown.message_user(request, _("None of the chosen runs has failed."), messages.INFO)
