"""Publishing: what differs, whom it concerns, what they do; asking and approving where two are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from contacts import clock, pulse
from journeys import approving, comparing, publishing, redirecting
from journeys.admin.acting import WORDS, waiting
from journeys.admin.pages import page
from journeys.graph import GraphError
from journeys.models import Journey, PublishRequest
from journeys.publishing import NotAllowedError
from journeys.redirecting import Choice, Standing

FATES = {
    "same": gettext_lazy("unchanged"),
    "changed": gettext_lazy("changed"),
    "removed": gettext_lazy("removed"),
}
KINDS = {
    "added": gettext_lazy("new"),
    "changed": gettext_lazy("changed"),
    "removed": gettext_lazy("removed"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One step on which people stand, with the fields by which it is decided."""

    standing: Standing
    fate: Any
    field: str
    chosen: str


def confirm(admin: ModelAdmin, request: HttpRequest, journey: Journey, *, may_publish: bool) -> HttpResponse:
    """Say what will happen and to whom; on POST do it, ask for it or decide about it."""
    pending = approving.pending(journey)
    found, problems = publishing.check(journey.draft, journey.slug)
    if request.method == "POST":
        return _act(admin, request, journey, pending, may_publish=may_publish)
    standing = redirecting.impact(journey)
    live = journey.versions.filter(pk=journey.live_version_id or 0).first()
    changes = comparing.compare(live.graph, journey.draft) if live else []
    outdated = pending is not None and pending.draft != journey.draft
    own = pending is not None and pending.asked_by_id == request.user.pk
    last = journey.versions.order_by("-number").first()
    return page(
        admin,
        request,
        "journeys/publish.html",
        title=_("%(act)s “%(journey)s”?") % {"act": WORDS["publish"].label, "journey": journey.name},
        journey=journey,
        words=WORDS["publish"],
        problems=problems,
        allowed="publish" in publishing.acts(journey.status),
        number=(last.number if last else 0) + 1,
        live=live,
        changes=[(change, KINDS[change.kind]) for change in changes],
        rows=_rows(standing, pending),
        steps=list(found.steps) if found else [],
        people=sum(row.people for row in standing),
        waiting=waiting(journey),
        pending=pending,
        outdated=outdated,
        own=own,
        may_approve=may_publish and pending is not None and not own and not outdated,
        may_publish=may_publish and not approving.needed(),
        back=_back(journey),
    )


def _rows(standing: list[Standing], pending: PublishRequest | None) -> list[Row]:
    asked = {
        (each["version"], each["step"]): f"move {each['to']}" if each["act"] == "move" else each["act"]
        for each in (pending.choices if pending else [])
    }
    return [
        Row(row, FATES[row.fate], f"choice-{place}", asked.get((row.version, row.step), "stay"))
        for place, row in enumerate(standing)
    ]


def _act(
    admin: ModelAdmin,
    request: HttpRequest,
    journey: Journey,
    pending: PublishRequest | None,
    *,
    may_publish: bool,
) -> HttpResponse:
    now, by, act = clock.now(), cast("AbstractBaseUser", request.user), request.POST.get("act", "publish")
    decides = pending is not None and (may_publish or pending.asked_by_id == by.pk)
    try:
        if act == "ask":
            approving.ask(journey, by, now, _choices(request), request.POST.get("note", ""))
            _say(
                admin,
                request,
                journey,
                "Asked for publication",
                _("Asked. Somebody else can approve it now."),
            )
        elif act == "refuse" and pending and decides:
            approving.refuse(pending, by, now)
            _say(admin, request, journey, "Refused or took back a publication", _("It is not published."))
        elif act == "approve" and pending and may_publish:
            number = approving.approve(pending, by, now).number
            _say(admin, request, journey, f"Approved and published version {number}", WORDS["publish"].done)
        elif act == "publish" and may_publish and not approving.needed():
            number = publishing.publish(journey, by, now, _choices(request)).number
            _say(admin, request, journey, f"Published version {number}", WORDS["publish"].done)
        elif not may_publish:
            raise PermissionDenied
        else:
            messages.error(request, _("This needs somebody else, or was decided meanwhile."))
    except (NotAllowedError, GraphError) as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(_back(journey))


def _choices(request: HttpRequest) -> list[Choice]:
    """What was chosen for each step: the page names version and step beside each choice."""
    choices = []
    for name, value in request.POST.items():
        place = name.removeprefix("choice-")
        if place == name or not isinstance(value, str):
            continue
        act, _space, to = value.partition(" ")
        version, step = request.POST.get(f"version-{place}", ""), request.POST.get(f"step-{place}", "")
        if act in ("move", "leave"):
            if not version.isdecimal() or len(version) > 8:
                raise NotAllowedError(_("The page was changed meanwhile: look again."))
            choices.append(Choice(int(version), step[:60], "move" if act == "move" else "leave", to[:60]))
    return choices


def _say(admin: ModelAdmin, request: HttpRequest, journey: Journey, log: str, done: Any) -> None:
    admin.log_change(request, journey, log)
    messages.success(request, done)
    pulse.wake("redirects")
    pulse.wake("engine")


def _back(journey: Journey) -> str:
    return reverse("admin:journeys_journey_change", args=[journey.pk])
