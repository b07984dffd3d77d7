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

from analytics import charts, kpis, reports
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
        view = self.admin_site.admin_view(EngagementView.as_view(model_admin=self))
        return [path("engagement/", view, name="analytics_engagement"), *super().get_urls()]
