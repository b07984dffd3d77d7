"""The back office of journeys."""

from __future__ import annotations

from django.contrib import admin

from journeys.admin.backtests import BacktestAdmin
from journeys.admin.calendar import CalendarAdmin
from journeys.admin.campaigns import CampaignAdmin
from journeys.admin.endpoints import EndpointAdmin, EndpointCallAdmin
from journeys.admin.journeys import JourneyAdmin
from journeys.admin.runs import RunAdmin
from journeys.models import BacktestRun, Campaign, Endpoint, EndpointCall, Journey, Outlook, Run

admin.site.register(Journey, JourneyAdmin)
admin.site.register(Campaign, CampaignAdmin)
admin.site.register(Run, RunAdmin)
admin.site.register(BacktestRun, BacktestAdmin)
admin.site.register(Endpoint, EndpointAdmin)
admin.site.register(EndpointCall, EndpointCallAdmin)
admin.site.register(Outlook, CalendarAdmin)
