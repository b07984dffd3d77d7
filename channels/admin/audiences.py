"""Retargeting audiences: who is in which, and how far the other side has followed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from channels.models import Audience, AudienceMember

_State = AudienceMember.State


@admin.register(Audience)
class AudienceAdmin(ModelAdmin):
    list_display = ["title", "provider", "members_in", "waiting", "synced_at"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "provider"]
    list_select_related = ["provider"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return (
            super()
            .get_queryset(request)
            .annotate(
                count_in=Count("members", filter=Q(members__state__in=[_State.IN, _State.ADDING])),
                count_waiting=Count("members", filter=Q(members__state__in=[_State.ADDING, _State.REMOVING])),
            )
        )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "provider":
            kwargs["queryset"] = db_field.related_model.objects.filter(channel="audience")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @display(description=_("audience"), header=True, ordering="name")
    def title(self, audience: Audience) -> tuple[str, str]:
        return audience.name, audience.slug

    @admin.display(description=_("wanted in it"), ordering="count_in")
    def members_in(self, audience: Any) -> int:
        return int(audience.count_in)

    @admin.display(description=_("still to be told"), ordering="count_waiting")
    def waiting(self, audience: Any) -> int:
        return int(audience.count_waiting)
