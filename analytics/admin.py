"""The engagement report in the back office."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from unfold.admin import ModelAdmin
from unfold.views import UnfoldModelAdminViewMixin

from analytics import charts, choice, kpis, reports
from analytics.models import DailyKpi
from channels.models.provider import Channel
from contacts import clock
from journeys.models import Journey

PERIODS = {"7": _("7 days"), "30": _("30 days"), "90": _("90 days"), "365": _("A year")}


class ReportForm(forms.Form):
    """Filters of the report; what is missing or wrong falls back to the last 30 days."""

    days = forms.ChoiceField(label=_("Period"), choices=list(PERIODS.items()), required=False)
    first = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    channel = forms.ChoiceField(
        label=_("Channel"), choices=[("", _("All channels")), *Channel.choices], required=False
    )
    journey = forms.ModelChoiceField(
        Journey.objects.order_by("name"), label=_("Journey"), empty_label=_("All journeys"), required=False
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and first > last:
            raise forms.ValidationError(_("The first day must not be after the last one."))
        if first and last and (last - first).days > 1100:
            raise forms.ValidationError(_("A report covers three years at most."))
        return cleaned

    def period(self, today: date) -> reports.Period:
        cleaned = self.cleaned_data if self.is_valid() else {}
        if cleaned.get("first"):
            return reports.Period(cleaned["first"], cleaned.get("last") or max(today, cleaned["first"]))
        return reports.Period(today - timedelta(days=int(cleaned.get("days") or 30) - 1), today)


class EngagementView(UnfoldModelAdminViewMixin, TemplateView):
    """Overview, trend, channels and journeys, for managers."""

    title = _("Engagement report")
    permission_required = ("analytics.view_dailykpi",)
    template_name = "analytics/engagement.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | StreamingHttpResponse:  # type: ignore[override]
        self.form = ReportForm({"days": "30"} | request.GET.dict())
        period = self.form.period(clock.now().date())
        cleaned = self.form.cleaned_data if self.form.is_valid() else {}
        journey = cleaned.get("journey")
        self.report = reports.engagement(period, cleaned.get("channel", ""), journey and journey.pk)
        if request.GET.get("format") == "csv":
            answer = StreamingHttpResponse(
                reports.as_csv(self.report), content_type="text/csv; charset=utf-8"
            )
            answer["Content-Disposition"] = (
                f'attachment; filename="engagement-{period.first}-{period.last}.csv"'
            )
            return answer
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        query = self.request.GET.copy()
        query["format"] = "csv"
        return super().get_context_data(
            **kwargs,
            crumbs=[(_("Insights"), ""), (self.title, "")],
            form=self.form,
            report=self.report,
            tiles=charts.tiles(self.report),
            trend=charts.trend(self.report),
            channels=charts.comparison(self.report.by_channel, dict(Channel.choices)),
            journeys=charts.comparison(self.report.by_journey, self.report.journey_names),
            columns=[kpis.BY_KEY[key] for key in reports.SHOWN],
            csv_query=query.urlencode(),
        )


class ChoiceForm(forms.Form):
    """What is compared, and over how long; what is missing or wrong falls back to the channel and 30 days."""

    what = forms.ChoiceField(
        label=_("What is chosen"),
        choices=[(choice.CHANNEL, _("The channel")), (choice.HOUR, _("The hour"))],
        required=False,
    )
    days = forms.ChoiceField(label=_("Period"), choices=list(PERIODS.items()), required=False)


_ARMS = {
    choice.BEST: (_("Chosen for the person"), _("what was learned of them decided")),
    choice.CONTROL: (_("Left as they are"), _("people drawn by lot, to compare")),
    choice.EXPLORE: (_("By chance"), _("messages drawn by lot, to go on learning")),
}
_OUTCOMES = {
    "opened": _("Opened by people"),
    "clicked": _("Clicked by people"),
    "converted": _("Reached the journey's goal"),
}


class ChoiceView(UnfoldModelAdminViewMixin, TemplateView):
    """What smart choice is worth: those for whom it chooses against those left as they are."""

    title = _("What smart choice is worth")
    permission_required = ("analytics.view_dailykpi",)
    template_name = "analytics/choice.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = ChoiceForm({"what": choice.CHANNEL, "days": "30"} | self.request.GET.dict())
        said = form.cleaned_data if form.is_valid() else {}
        today = clock.now().date()
        period = reports.Period(today - timedelta(days=int(said.get("days") or 30) - 1), today)
        try:
            found = choice.report(said.get("what") or choice.CHANNEL, period)
        except choice.TooLongError:
            found = None
        return super().get_context_data(
            **kwargs,
            crumbs=[(_("Insights"), ""), (self.title, "")],
            form=form,
            period=period,
            report=found,
            outcomes=list(_OUTCOMES.values()),
            rows=_choice_rows(found) if found else [],
            differences=_choice_differences(found) if found else [],
            fewest=choice.FEWEST,
        )


def _choice_rows(found: choice.Report) -> list[dict[str, Any]]:
    return [
        {
            "name": _ARMS[arm][0],
            "note": _ARMS[arm][1],
            "people": group.people,
            "messages": group.messages,
            "rates": [group.rates[name] for name in choice.OUTCOMES],
        }
        for arm, group in found.groups.items()
    ]


def _choice_differences(found: choice.Report) -> list[tuple[Any, list[tuple[Any, choice.Difference]]]]:
    """Against whom, and by how much each rate differs."""
    return [
        (_ARMS[arm][0], [(_OUTCOMES[name], one) for name, one in differences.items()])
        for arm in choice.ARMS[1:]
        if (differences := found.against(arm))
    ]


@admin.register(DailyKpi)
class DailyKpiAdmin(ModelAdmin):
    """Read-only figures behind the report."""

    list_display = ["day", "kpi", "channel", "journey_id", "count", "amount"]
    list_filter = ["kpi", "channel"]
    date_hierarchy = "day"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: DailyKpi | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: DailyKpi | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path(
                "engagement/",
                guarded(EngagementView.as_view(model_admin=self)),
                name="analytics_engagement",
            ),
            path(
                "smart-choice/", guarded(ChoiceView.as_view(model_admin=self)), name="analytics_smart_choice"
            ),
            *super().get_urls(),
        ]
