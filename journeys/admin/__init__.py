"""The back office of journeys."""

from __future__ import annotations

from django.contrib import admin

from journeys.admin.journeys import JourneyAdmin
from journeys.admin.runs import RunAdmin
from journeys.models import Journey, Run

admin.site.register(Journey, JourneyAdmin)
admin.site.register(Run, RunAdmin)
