"""Campaigns: the list, the form, the review before it is sent, and how it is getting on."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display

from channels import charter
from contacts import clock
from journeys import approving
from journeys.admin import acting, campaign_review, campaign_words
from journeys.admin.asking import asks
from journeys.admin.campaign_form import CampaignForm, place
from journeys.admin.pages import page
from journeys.campaigns import acts, counting, drafting
from journeys.models import Campaign, CampaignOccurrence, Journey
from journeys.publishing import NotAllowedError

_PARTS = (
    ("whom", "segments", "excluded"),
    ("purpose", "way_1", "way_2", "way_3", "way_4"),
    ("every", "day", "at", "weekdays", "monthdays", "until_day", "clock", "zone"),
    ("throttle", "throttle_per"),
    ("goal_event", "goal_value", "goal_days"),
    ("priority", "wait_hours", "misfire_minutes"),
)


class CampaignAdmin(ModelAdmin):
    list_display = ["title", "state_shown", "when", "next", "audience", "sent", "clicked"]
    list_filter = ["state", "every"]
    search_fields = ["journey__name", "journey__slug", "journey__description"]
    search_help_text = gettext_lazy("Name, slug or description")
    list_select_related = ["journey"]
    list_per_page = 50
    actions = None
    list_before_template = "journeys/campaigns_before.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        found = super().get_queryset(request).select_related("journey")
        if "state__exact" not in request.GET and "/change/" not in request.path:
            found = found.exclude(state=Campaign.State.ARCHIVED)
        newest = CampaignOccurrence.objects.order_by("-starts_at", "-id")
        return found.prefetch_related(Prefetch("occurrences", newest))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        more = {"none_yet": not Campaign.objects.exists(), "may_add": self.has_add_permission(request)}
        answer: HttpResponse = super().changelist_view(request, {**more, **(extra_context or {})})
        return answer

    @display(description=gettext_lazy("campaign"), header=True, ordering="journey__name")
    def title(self, campaign: Campaign) -> tuple[str, str]:
        return campaign.journey.name, campaign.journey.description[:80]

    @display(description=gettext_lazy("state"), ordering="state", label=campaign_words.TONES)
    def state_shown(self, campaign: Campaign) -> tuple[str, str]:
        return campaign.state, campaign.get_state_display()

    @display(description=gettext_lazy("when"))
    def when(self, campaign: Campaign) -> str:
        return drafting.when_words(campaign)

    @display(description=gettext_lazy("next"), ordering="next_at")
    def next(self, campaign: Campaign) -> Any:
        return campaign.next_at or "–"

    @display(description=gettext_lazy("audience"))
    def audience(self, campaign: Campaign) -> Any:
        return f"{_total(campaign).audience:,}" if campaign.occurrences.all() else "–"

    @display(description=gettext_lazy("sent"))
    def sent(self, campaign: Campaign) -> Any:
        return f"{_total(campaign).sent:,}" if campaign.occurrences.all() else "–"

    @display(description=gettext_lazy("clicked"))
    def clicked(self, campaign: Campaign) -> str:
        total = _total(campaign)
        return f"{100 * total.clicked / total.sent:.1f} %" if total.sent else "–"

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return False  # a campaign is archived: what it did stays explained

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Whether the person may schedule, pause and cancel campaigns."""
        return request.user.has_perm("journeys.send_campaign")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/review/", wrap(self.review_view), name="journeys_campaign_review"),
            path("<int:pk>/test/", wrap(self.test_view), name="journeys_campaign_test"),
            path("<int:pk>/copy/", wrap(self.copy_view), name="journeys_campaign_copy"),
            path("<int:pk>/progress/", wrap(self.progress_view), name="journeys_campaign_progress"),
            path("<int:pk>/act/<slug:act>/", wrap(self.act_view), name="journeys_campaign_act"),
        ]
        return [*own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        fresh = Campaign(journey=Journey(name=""), zone=_zone())
        return self._form(request, fresh, new=True)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        campaign = self._campaign(request, object_id)
        if campaign.state == Campaign.State.DRAFT and self.has_change_permission(request, campaign):
            return self._form(request, campaign, new=False)
        return page(self, request, "journeys/campaign.html", **self._shown(request, campaign))

    def _form(self, request: HttpRequest, campaign: Campaign, *, new: bool) -> HttpResponse:
        form = CampaignForm(campaign, request.POST or None)
        if request.method == "POST" and form.is_valid():
            saved = self._save(request, form, new=new)
            if saved is not None:
                name = "review" if "review" in request.POST else "change"
                return HttpResponseRedirect(reverse(f"admin:journeys_campaign_{name}", args=[saved.pk]))
        wrong = [] if new else drafting.problems(campaign, clock.now())
        return page(
            self,
            request,
            "journeys/campaign_form.html",
            title=_("New campaign") if new else campaign.journey.name,
            campaign=campaign,
            form=form,
            new=new,
            parts=[form.part(*names) for names in _PARTS],
            problems=wrong if request.method == "GET" else [],
            places={place(one): one.message for one in wrong},
            pending=None if new else approving.pending(campaign.journey),
            may_archive=not new and self.has_send_permission(request),
            asks=asks(),
        )

    def _save(self, request: HttpRequest, form: CampaignForm, *, new: bool) -> Campaign | None:
        campaign, by = form.fill(), cast("AbstractBaseUser", request.user)
        try:
            if new:
                settings = {name: getattr(campaign, name) for name in acts.SETTINGS}
                campaign = acts.create(campaign.journey.name, by, **settings)
                campaign.journey.description = form.cleaned_data["description"]
            acts.save(campaign, by, clock.now())
        except NotAllowedError as error:
            form.add_error(None, str(error))
            return None
        self.log_change(request, campaign, "Wrote the campaign" if new else "Changed the campaign")
        messages.success(request, _("Saved as a draft."))
        return campaign

    def review_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        campaign = self._campaign(request, str(pk))
        if campaign.state != Campaign.State.DRAFT:
            return HttpResponseRedirect(_back(campaign))
        may_send, answer = self.has_send_permission(request), campaign_review.show
        if request.method == "POST":
            if not (may_send or self.has_change_permission(request, campaign)):
                raise PermissionDenied
            answer = campaign_review.decide
        return answer(self, request, campaign, may_send=may_send, back=_back(campaign))

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        campaign = self._campaign(request, str(pk))
        if request.method != "POST" or not self.has_change_permission(request, campaign):
            raise PermissionDenied
        campaign_review.send_test(request, campaign)
        return HttpResponseRedirect(reverse("admin:journeys_campaign_review", args=[pk]))

    def copy_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        campaign = self._campaign(request, str(pk))
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        copy = acts.duplicate(campaign, cast("AbstractBaseUser", request.user))
        self.log_change(request, copy, f"Copied from “{campaign.journey.name}”")
        messages.success(request, _("This is the copy: nothing of it is scheduled."))
        return HttpResponseRedirect(_back(copy))

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far it is, to be put in place of what the page says."""
        campaign = self._campaign(request, str(pk))
        answer = render(request, "journeys/campaign_progress.html", self._figures(campaign))
        answer.headers["X-State"] = campaign.state
        return answer

    def act_view(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        campaign = self._campaign(request, str(pk))
        if act not in campaign_words.ACTS:
            raise Http404
        if not self.has_send_permission(request):
            raise PermissionDenied
        words = campaign_words.ACTS[act]
        if request.method == "POST":
            acting.carry_out(
                self, request, campaign, words, lambda: getattr(acts, act)(campaign, clock.now()), "campaigns"
            )
            return HttpResponseRedirect(_back(campaign))
        return page(
            self,
            request,
            "journeys/campaign_confirm.html",
            title=_("%(act)s “%(campaign)s”?") % {"act": words.label, "campaign": campaign.journey.name},
            campaign=campaign,
            words=words,
            allowed=act in acts.acts(campaign),
            waiting=counting.waiting(campaign),
            total=_total(campaign),
            back=_back(campaign),
        )

    def _shown(self, request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
        kind = ContentType.objects.get_for_model(Campaign)
        history = LogEntry.objects.filter(content_type=kind, object_id=str(campaign.pk))
        may_send = self.has_send_permission(request)
        return {
            **self._figures(campaign),
            "title": campaign.journey.name,
            "pill": campaign_words.PILLS[campaign.state],
            "halted": campaign_words.halted(campaign),
            "when": drafting.when_words(campaign),
            "pace": drafting.pace_words(campaign),
            "acts": [
                (act, campaign_words.ACTS[act]) for act in acts.acts(campaign) if act in campaign_words.ACTS
            ]
            if may_send
            else [],
            "live": campaign.state in (Campaign.State.SENDING, Campaign.State.PAUSED),
            "following": campaign.state in (Campaign.State.SENDING, Campaign.State.SCHEDULED),
            "may_add": self.has_add_permission(request),
            "history": history.select_related("user").order_by("-action_time")[:10],
            "audience": campaign_review.audience_words(campaign),
            "ways": campaign_review.ways(campaign),
            "purpose": campaign_review.purpose(campaign),
        }

    def _figures(self, campaign: Campaign) -> dict[str, Any]:
        now = clock.now()
        found = list(campaign.occurrences.all()[:20])
        current = next((one for one in found if one.state in acts.OPEN), found[0] if found else None)
        total = counting.of_occurrence(current) if current else counting.Progress()
        return {
            "campaign": campaign,
            "current": current,
            "progress": total,
            "rate": counting.rate_of(current) if current else 0,
            "left": campaign_words.span(counting.time_left(campaign, current, now)) if current else "",
            "reasons": campaign_words.reasons(total),
            "channels": campaign_words.channels(total.channels),
            "occurrences": [
                (one, campaign_words.PILLS[one.state], campaign_words.ended(one), counting.of_occurrence(one))
                for one in found
            ],
        }

    def _campaign(self, request: HttpRequest, object_id: str) -> Campaign:
        found = Campaign.objects.select_related("journey").prefetch_related("occurrences")
        campaign = found.filter(pk=int(object_id)).first() if object_id.isdecimal() else None
        if campaign is None:
            raise Http404
        if not self.has_view_permission(request, campaign):
            raise PermissionDenied
        return campaign


def _zone() -> str:
    """The zone a new campaign begins with: where people are of whom nothing else is known."""
    return charter.current(clock.now()).default_zone


def _total(campaign: Campaign) -> counting.Progress:
    return counting.together([counting.of_occurrence(one) for one in campaign.occurrences.all()])


def _back(campaign: Campaign) -> str:
    return reverse("admin:journeys_campaign_change", args=[campaign.pk])
