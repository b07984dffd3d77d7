"""Before it is sent: whom it reaches, what the policy would say today, what goes out. Then the word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from channels import explaining, previewing
from channels.models import Template, TemplateVersion
from channels.rendering_liquid import TemplateError
from contacts import clock, pulse, rules
from contacts.models import Purpose, Segment
from contacts.rules import RuleError
from journeys import approving
from journeys.admin import campaign_words
from journeys.admin.pages import page
from journeys.campaigns import acts, drafting, estimating
from journeys.graph import GraphError
from journeys.models import Campaign
from journeys.publishing import NotAllowedError


@dataclass(frozen=True, slots=True)
class Way:
    """One channel of the campaign: the template, and where its version that goes out can be looked at."""

    channel: str
    template: Template | None
    versions: list[TemplateVersion]


def show(
    admin: ModelAdmin, request: HttpRequest, campaign: Campaign, *, may_send: bool, back: str
) -> HttpResponse:
    """Everything that is decided by sending it."""
    now = clock.now()
    problems = drafting.problems(campaign, now)
    pending = approving.pending(campaign.journey)
    own = pending is not None and pending.asked_by_id == request.user.pk
    moment = drafting.next_moment(campaign, now)
    found = None if problems else estimating.estimate(campaign, now, asker=f"campaign-{request.user.pk}")
    return page(
        admin,
        request,
        "journeys/campaign_review.html",
        title=_("Look before it is sent: “%s”") % campaign.journey.name,
        campaign=campaign,
        problems=problems,
        estimate=found,
        outcomes=campaign_words.outcomes(found) if found else [],
        reachable=campaign_words.channels(found.reachable) if found else [],
        leaves_by=campaign_words.channels(found.channels) if found else [],
        takes=campaign_words.span(found.takes) if found and found.takes else "",
        when=drafting.when_words(campaign),
        pace=drafting.pace_words(campaign),
        next_at=moment.first if moment and campaign.every != Campaign.Every.NOW else None,
        last_at=moment.last if moment and moment.last != moment.first else None,
        audience=audience_words(campaign),
        ways=ways(campaign),
        purpose=purpose(campaign),
        pending=pending,
        own=own,
        may_approve=may_send and pending is not None and not own,
        may_send=may_send and not approving.needed(),
        back=back,
    )


def decide(
    admin: ModelAdmin, request: HttpRequest, campaign: Campaign, *, may_send: bool, back: str
) -> HttpResponse:
    """Schedule, ask, approve or refuse."""
    now, by, act = clock.now(), cast("AbstractBaseUser", request.user), request.POST.get("act", "")
    pending = approving.pending(campaign.journey)
    try:
        if act == "ask":
            acts.ask(campaign, by, now, request.POST.get("note", ""))
            _say(
                admin,
                request,
                campaign,
                "Asked that it be sent",
                _("Asked. Somebody else can approve it now."),
            )
        elif act == "refuse" and pending and (may_send or pending.asked_by_id == by.pk):
            approving.refuse(pending, by, now)
            _say(admin, request, campaign, "Refused or took back the request", _("It is not sent."))
        elif act == "approve" and pending and may_send:
            acts.approve(pending, by, now)
            _say(admin, request, campaign, "Approved and scheduled", _scheduled(campaign))
        elif act == "schedule" and may_send and not approving.needed():
            acts.schedule(campaign, by, now)
            _say(admin, request, campaign, "Scheduled", _scheduled(campaign))
        elif not may_send:
            raise PermissionDenied
        else:
            messages.error(request, _("This needs somebody else, or was decided meanwhile."))
    except (NotAllowedError, GraphError) as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(back)


def send_test(request: HttpRequest, campaign: Campaign) -> None:
    """Put each channel's message, as one contact would get it, into the sandbox's outbox."""
    person = previewing.find(request.POST.get("contact", ""))
    if person is None and request.POST.get("contact", "").strip():
        messages.error(request, _("Nobody is known by this email, phone or number."))
        return
    sent = 0
    for versions in estimating.published(campaign).values():
        for version in versions:
            try:
                previewing.send_to_sandbox(version, person, clock.now())
                sent += 1
            except TemplateError as error:
                messages.error(request, _("“%(template)s” was not sent: %(why)s") % {
                    "template": version, "why": error,
                })  # fmt: skip
    if sent:
        messages.success(request, _("%d test messages are in the sandbox outbox.") % sent)
    else:
        messages.warning(request, _("There is nothing to send yet: choose a channel and a template."))


def audience_words(campaign: Campaign) -> list[tuple[Any, str]]:
    """Who is meant, line by line."""
    names = dict(
        Segment.objects.filter(slug__in=[*campaign.segments, *campaign.excluded]).values_list("slug", "name")
    )

    def listed(slugs: list[str]) -> str:
        return ", ".join(names.get(slug, slug) for slug in slugs)

    lines: list[tuple[Any, str]] = []
    if campaign.everyone:
        lines.append((_("Receives it"), _("everybody")))
    elif campaign.segments:
        lines.append((_("Receives it"), listed(campaign.segments)))
    if campaign.rule:
        lines.append((_("Only if"), _explained(campaign.rule)))
    if campaign.excluded:
        lines.append((_("But nobody in"), listed(campaign.excluded)))
    return lines


def purpose(campaign: Campaign) -> str:
    """What the message is for, by its name."""
    names = Purpose.objects.filter(slug=campaign.purpose).values_list("name", flat=True)
    return names.first() or campaign.purpose


def ways(campaign: Campaign) -> list[Way]:
    """The channels in their order, with what goes out."""
    templates = {one.slug: one for one in Template.objects.filter(slug__in=campaign.content.values())}
    versions = estimating.published(campaign)
    return [
        Way(
            capfirst(explaining.channel_name(channel)),
            templates.get(campaign.content.get(channel, "")),
            versions.get(channel, []),
        )
        for channel in campaign.channels
    ]


def _explained(rule: Any) -> str:
    try:
        return rules.explain(rules.parse(rule))
    except RuleError as error:
        return str(error)


def _scheduled(campaign: Campaign) -> str:
    if campaign.every == Campaign.Every.NOW:
        return _("It begins now.")
    return _("Scheduled. You can pause or cancel it at any time.")


def _say(admin: ModelAdmin, request: HttpRequest, campaign: Campaign, log: str, done: Any) -> None:
    admin.log_change(request, campaign, log)
    messages.success(request, done)
    pulse.wake("campaigns")
