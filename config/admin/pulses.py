"""Pulses and their pace, as django-celery-beat keeps them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

admin.site.unregister([PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule])


class _PulseForm(PeriodicTaskAdmin.form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = UnfoldAdminSelectWidget(choices=self.fields["regtask"].choices)


@admin.register(PeriodicTask)
class PulseAdmin(PeriodicTaskAdmin, ModelAdmin):
    """Pulses and their pace. Switching one off here stops its ticks until it is switched on again."""

    form = _PulseForm
    list_display = ["name", "enabled", "pace", "last_run_at", "total_run_count"]
    search_fields = ["name", "task"]

    @admin.display(description=_("pace"))
    def pace(self, task: PeriodicTask) -> str:
        return str(task.interval or task.crontab or task.solar or task.clocked)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("interval", "crontab", "solar", "clocked")


for model in (IntervalSchedule, CrontabSchedule, ClockedSchedule):
    admin.site.register(model, ModelAdmin)
