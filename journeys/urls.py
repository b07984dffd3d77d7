from django.urls import URLPattern, URLResolver, path

from journeys.api import approvals, backtests, calendar, campaign_approvals, campaigns, journeys, runs

app_name = "journeys"
_journey = "api/v1/journeys/<slug:slug>"
_campaign = "api/v1/campaigns/<slug:slug>"
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/journeys", journeys.Journeys.as_view(), name="api_journeys"),
    path("api/v1/journeys/lint", journeys.JourneyLint.as_view(), name="api_journey_lint"),
    path(_journey, journeys.JourneyDetail.as_view(), name="api_journey"),
    path(f"{_journey}/impact", journeys.JourneyImpact.as_view(), name="api_journey_impact"),
    path(f"{_journey}/publish", journeys.JourneyPublish.as_view(), name="api_journey_publish"),
    path(f"{_journey}/publish-requests", approvals.PublishRequests.as_view(), name="api_publish_requests"),
    path(
        f"{_journey}/publish-requests/<int:number>",
        approvals.PublishDecision.as_view(),
        name="api_publish_decision",
    ),
    path(f"{_journey}/acts", journeys.JourneyActs.as_view(), name="api_journey_acts"),
    path(f"{_journey}/versions", journeys.JourneyVersions.as_view(), name="api_journey_versions"),
    path(
        f"{_journey}/versions/<int:number>",
        journeys.JourneyVersionDetail.as_view(),
        name="api_journey_version",
    ),
    path(f"{_journey}/figures", journeys.JourneyFigures.as_view(), name="api_journey_figures"),
    path(f"{_journey}/runs", runs.JourneyRuns.as_view(), name="api_journey_runs"),
    path(f"{_journey}/forecast", calendar.JourneyForecast.as_view(), name="api_journey_forecast"),
    path("api/v1/calendar", calendar.Calendar.as_view(), name="api_calendar"),
    path("api/v1/calendar/refresh", calendar.CalendarRefresh.as_view(), name="api_calendar_refresh"),
    path(f"{_journey}/backtests", backtests.Backtests.as_view(), name="api_backtests"),
    path("api/v1/backtests/<int:number>", backtests.BacktestDetail.as_view(), name="api_backtest"),
    path(
        "api/v1/backtests/<int:number>/cancel", backtests.BacktestCancel.as_view(), name="api_backtest_cancel"
    ),
    path(
        "api/v1/backtests/<int:number>/people/<uuid:public_id>",
        backtests.BacktestPerson.as_view(),
        name="api_backtest_person",
    ),
    path("api/v1/runs/health", runs.RunsHealth.as_view(), name="api_runs_health"),
    path("api/v1/campaigns", campaigns.Campaigns.as_view(), name="api_campaigns"),
    path(_campaign, campaigns.CampaignDetail.as_view(), name="api_campaign"),
    path(f"{_campaign}/estimate", campaigns.CampaignEstimate.as_view(), name="api_campaign_estimate"),
    path(f"{_campaign}/schedule", campaigns.CampaignSchedule.as_view(), name="api_campaign_schedule"),
    path(
        f"{_campaign}/publish-requests",
        campaign_approvals.CampaignRequests.as_view(),
        name="api_campaign_requests",
    ),
    path(
        f"{_campaign}/publish-requests/<int:number>",
        campaign_approvals.CampaignDecision.as_view(),
        name="api_campaign_decision",
    ),
    path(f"{_campaign}/acts", campaigns.CampaignActs.as_view(), name="api_campaign_acts"),
    path(f"{_campaign}/copy", campaigns.CampaignCopy.as_view(), name="api_campaign_copy"),
    path(f"{_campaign}/progress", campaigns.CampaignProgress.as_view(), name="api_campaign_progress"),
    path(f"{_journey}/runs/mend", runs.RunsMend.as_view(), name="api_runs_mend"),
]
