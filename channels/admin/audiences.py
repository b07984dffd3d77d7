"""Retargeting audiences: who is in which, how far the other side followed, who is still to be told."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from channels.models import Audience, AudienceDeparture, AudienceMember
from contacts import clock, pulse

_State = AudienceMember.State
_SHOWN = 50


@admin.register(Audience)
class AudienceAdmin(ModelAdmin):
    list_display = ["title", "provider", "members_in", "waiting", "synced_at", "condition"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "provider", "remote_id", "purpose", "segment", "leave_on"]
    list_select_related = ["provider"]
    actions_detail = ["state_of_sync"]
    compressed_fields = True

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

    @display(description=_("state"), label={"good": "success", "bad": "danger", "new": "info"})
    def condition(self, audience: Audience) -> tuple[str, Any]:
        if audience.trouble:
            return "bad", _("Not taken")
        return ("good", _("In step")) if audience.synced_at else ("new", _("Not told yet"))

    @action(description=_("State of the sync…"), url_path="sync")
    def state_of_sync(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return HttpResponseRedirect(reverse("admin:channels_audience_state", args=[object_id]))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.state)
        return [path("<int:pk>/state/", view, name="channels_audience_state"), *super().get_urls()]

    def state(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Who the destination still has to be told about, and why; a button tells them now."""
        audience = Audience.objects.select_related("provider", "purpose", "segment").filter(pk=pk).first()
        if audience is None:
            raise Http404
        if not self.has_view_permission(request, audience):
            raise PermissionDenied
        if request.method == "POST":
            if not self.has_change_permission(request, audience):
                raise PermissionDenied
            pulse.wake("audiences")
            notices.success(request, _("The destination is told within a minute."))
            return HttpResponseRedirect(request.path)
        counts = dict(
            AudienceMember.objects.filter(audience=audience)
            .values_list("state")
            .annotate(Count("contact_id"))
        )
        waiting = AudienceMember.objects.filter(audience=audience, state__in=[_State.ADDING, _State.REMOVING])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Sync of %s") % audience,
            "audience": audience,
            "counts": [(label, counts.get(state, 0)) for state, label in _State.choices],
            "erased": AudienceDeparture.objects.filter(audience=audience).count(),
            "waiting": waiting.select_related("contact").order_by("changed_at", "contact_id")[:_SHOWN],
            "resting": bool(audience.not_before and audience.not_before > clock.now()),
            "may_change": self.has_change_permission(request, audience),
            "may_see": request.user.has_perm("contacts.view_contact"),
        }
        return TemplateResponse(request, "channels/audience_state.html", context)
