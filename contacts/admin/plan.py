"""The tracking plan: one line for each expected event, edited as text that reads like a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from contacts.models import PlannedEvent, Source
from contacts.plan import adopting
from contacts.plan.catalogue import PlanError


class PropertiesField(forms.CharField):
    """Lines such as ``total: number, required``."""

    def prepare_value(self, value: Any) -> Any:
        return adopting.written(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        try:
            return adopting.parsed(super().to_python(value) or "")
        except PlanError as error:
            raise forms.ValidationError(str(error)) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(adopting.written(initial or []), data)


class PlannedEventForm(forms.ModelForm):
    properties = PropertiesField(
        label=_("Properties"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 10, "spellcheck": "false", "class": "is-code"}),
        help_text=_(
            "One a line, such as “total: number, required”. Types: text, number, integer, boolean, time, "
            "list, object, any. What is not listed may be sent too."
        ),
    )

    class Meta:
        model = PlannedEvent
        fields = ("name", "source", "description", "properties", "server_only")

    def clean_name(self) -> str:
        return str(self.cleaned_data["name"]).strip()


class WhoseFilter(admin.SimpleListFilter):
    title = _("source")
    parameter_name = "of"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("all", _("Every source")), *Source.objects.order_by("name").values_list("slug", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PlannedEvent]) -> QuerySet[PlannedEvent]:
        if self.value() == "all":
            return queryset.filter(source=None)
        return queryset.filter(source__slug=self.value()) if self.value() else queryset


@admin.register(PlannedEvent)
class PlannedEventAdmin(ModelAdmin):
    form = PlannedEventForm
    list_display = ["name", "whose", "expected", "description", "trusted", "updated_at"]
    list_filter = [WhoseFilter, "server_only"]
    search_fields = ["name", "description"]
    search_help_text = _("Words of the event's name or meaning")
    list_select_related = ["source"]
    list_per_page = 50
    ordering = ["name", "source"]
    list_before_template = "contacts/plan_list_head.html"

    @admin.display(description=_("source"), ordering="source")
    def whose(self, planned: PlannedEvent) -> Any:
        return planned.source or _("Every source")

    @admin.display(description=_("properties"))
    def expected(self, planned: PlannedEvent) -> str:
        names = [one["name"] for one in planned.properties]
        return ", ".join(names[:6]) + (f" +{len(names) - 6}" if len(names) > 6 else "") or "–"

    @display(description=_("keys"), label={"server": "info"})
    def trusted(self, planned: PlannedEvent) -> Any:
        return ("server", _("Server only")) if planned.server_only else ("any", _("Any"))
