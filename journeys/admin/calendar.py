"""The calendar: what is sent on which day, what load that brings, where it clashes."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from channels import explaining
from contacts import clock
from journeys.admin.pages import page
from journeys.models import Journey, Outlook
from journeys.outlook import before, house_clock, keeping, marks, showing, words
from journeys.outlook.showing import Filters

VIEWS = {"month": gettext_lazy("Month"), "week": gettext_lazy("Week"), "agenda": gettext_lazy("Agenda")}
#: Items of a day that a month shows before the rest is left to the day's own list.
SHOWN = 4


class CalendarAdmin(ModelAdmin):
    """One page. What it shows is worked out by a pulse, and anew when somebody asks."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Outlook | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Outlook | None = None) -> bool:
        return False

    def has_refresh_permission(self, request: HttpRequest) -> bool:
        """Whether the person may have it worked out anew, which costs."""
        return request.user.has_perm("journeys.run_backtestrun")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("refresh/", wrap(self.refresh_view), name="journeys_outlook_refresh"),
            path("progress/", wrap(self.progress_view), name="journeys_outlook_progress"),
            path("before/<int:journey_pk>/", wrap(self.before_view), name="journeys_outlook_before"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = clock.now()
        kept = keeping.latest()
        told = kept.result if kept else {}
        clock_of_house = house_clock.zone(now)
        today = now.astimezone(clock_of_house).date()
        view, at, filters = _asked(request, today)
        first, last = showing.period(view, at)
        found = showing.days(first, last, today, marks.between(first, last, now), told, filters)
        closed = marks.closed(first, last, now)
        for day in found:
            day.closed = closed.get(day.date, [])
            day.outside = view == "month" and day.date.month != at.month
        origins = told.get("origins", [])
        return page(
            self,
            request,
            "journeys/calendar.html",
            title=_("Calendar"),
            views=[(name, label, _link(name, at, filters)) for name, label in VIEWS.items()],
            view=view,
            heading=_heading(view, first, last, at),
            earlier=_link(view, showing.turned(view, at, -1), filters),
            later=_link(view, showing.turned(view, at, 1), filters),
            today=_link(view, today, filters),
            clock_of_house=str(clock_of_house),
            worked_out=_told(kept.computed_at, clock_of_house) if kept and kept.computed_at else "",
            at=at,
            weeks=[found[place : place + 7] for place in range(0, len(found), 7)] if view == "month" else [],
            days=found,
            agenda=[day for day in found if view != "month" or not day.outside],
            clashes=[
                (day.date, [words.tell(one, origins) for one in day.clashes]) for day in found if day.clashes
            ],
            clash_count=sum(len(day.clashes) for day in found),
            filters=filters,
            choices=_choices(told),
            kept=kept,
            waiting=_waiting(),
            sample=kept is not None and kept.lots < 64,
            unplayed=told.get("unplayed", []),
            may_refresh=self.has_refresh_permission(request),
            shown=SHOWN,
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:journeys_outlook_changelist"))

    def refresh_view(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST" or not self.has_refresh_permission(request):
            raise PermissionDenied
        keeping.ask(clock.now())
        query = request.POST.get("back", "")
        back = reverse("admin:journeys_outlook_changelist")
        return HttpResponseRedirect(f"{back}?{query}" if query else back)

    def progress_view(self, request: HttpRequest) -> HttpResponse:
        """Whether it is being worked out, to be put in place of what the page says."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        answer = render(request, "journeys/calendar_progress.html")
        answer.headers["X-State"] = "waiting" if _waiting() else "done"
        return answer

    def before_view(self, request: HttpRequest, journey_pk: int) -> HttpResponse:
        """The load that a draft, or a campaign, will bring."""
        journey = Journey.objects.filter(pk=journey_pk).select_related("campaign").first()
        if journey is None:
            raise Http404
        if not self.has_view_permission(request):
            raise PermissionDenied
        campaign = getattr(journey, "campaign", None)
        now = clock.now()
        found = before.of_campaign(campaign, now) if campaign else before.of_draft(journey, now)
        return page(
            self,
            request,
            "journeys/before_part.html" if "part" in request.GET else "journeys/before.html",
            title=_("What “%s” will bring") % journey,
            journey=journey,
            campaign=campaign,
            found=found,
            rows=[
                (
                    date.fromisoformat(row.day),
                    row,
                    [(explaining.channel_name(name), n) for name, n in row.channels],
                )
                for row in (before.rows(found) if found else [])
            ],
            segments=before.segments(found) if found else [],
            days=[date.fromisoformat(day) for day in found.told["days"]] if found else [],
            clashes=_by_day(found.told) if found else [],
            total=sum(row.messages for row in before.rows(found)) if found else 0,
            sample=found is not None and found.lots < 64,
        )


def _asked(request: HttpRequest, today: date) -> tuple[str, date, Filters]:
    given = request.GET
    view = given.get("view", "month")
    try:
        at = date.fromisoformat(given.get("at", ""))
    except ValueError:
        at = today
    if not today - timedelta(days=1100) < at < today + timedelta(days=1100):
        at = today
    filters = Filters(*(given.get(name, "")[:60] for name in ("kind", "channel", "purpose", "segment")))
    return view if view in VIEWS else "month", at, filters


def _told(at: datetime, zone: tzinfo) -> str:
    return date_format(at.astimezone(zone), "j M H:i")


def _link(view: str, at: date, filters: Filters) -> str:
    asked = {"view": view, "at": f"{at}"}
    for name in ("kind", "channel", "purpose", "segment"):
        if value := getattr(filters, name):
            asked[name] = value
    return f"?{urlencode(asked)}"


def _heading(view: str, first: date, last: date, at: date) -> str:
    if view == "month":
        return date_format(at, "F Y")
    return f"{date_format(first, 'j M')} – {date_format(last, 'j M Y')}"


def _by_day(told: dict[str, Any]) -> list[tuple[date, list[words.Told]]]:
    """Each day on which something clashes, in words."""
    found: dict[str, list[words.Told]] = {}
    for one in told["clashes"]:
        found.setdefault(one["day"], []).append(words.tell(one, told["origins"]))
    return [(date.fromisoformat(day), tells) for day, tells in found.items()]


def _choices(told: dict[str, Any]) -> list[tuple[str, Any, list[tuple[str, str]]]]:
    """(name, label, options) of each filter."""
    found = showing.choices(told)
    return [
        ("kind", _("Kind"), [(value, words.kind_name(value)) for value, _name in found["kinds"]]),
        (
            "channel",
            _("Channel"),
            [(value, explaining.channel_name(value)) for value, _n in found["channels"]],
        ),
        ("purpose", _("Purpose"), found["purposes"]),
        ("segment", _("Segment"), found["segments"]),
    ]


def _waiting() -> bool:
    """Whether somebody asked for it and it is not there yet."""
    kept = Outlook.objects.filter(pk=1).only("asked_at", "computed_at").first()
    if kept is None or kept.asked_at is None:
        return False
    return kept.computed_at is None or kept.asked_at > kept.computed_at
