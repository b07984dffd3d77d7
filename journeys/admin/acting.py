"""Publish, pause, resume, stop, archive: each said in words and confirmed before it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from channels.models import Message
from contacts import clock, pulse
from journeys import figures, publishing
from journeys.admin.pages import page
from journeys.models import Campaign, Journey
from journeys.publishing import NotAllowedError


@dataclass(frozen=True, slots=True)
class Words:
    """How an act is offered, explained and logged."""

    label: Any
    icon: str
    style: str
    means: Any
    done: Any
    log: str


WORDS: dict[str, Words] = {
    "publish": Words(
        gettext_lazy("Publish"),
        "publish",
        "is-primary",
        gettext_lazy(
            "The draft becomes a new version that never changes. From now on people enter this version;"
            " those who are inside stay on the one they entered, unless you say otherwise below."
        ),
        gettext_lazy("Published. People who fit enter from now on."),
        "Published version %s",
    ),
    "ask": Words(
        gettext_lazy("Ask to publish"),
        "how_to_vote",
        "",
        gettext_lazy("Somebody who may publish looks at it and decides."),
        gettext_lazy("Asked. Somebody else can approve it now."),
        "Asked for publication",
    ),
    "pause": Words(
        gettext_lazy("Pause"),
        "pause",
        "",
        gettext_lazy(
            "Nobody enters and nobody moves until you resume. Messages that were already wished for still"
            " leave."
        ),
        gettext_lazy("Paused."),
        "Paused",
    ),
    "resume": Words(
        gettext_lazy("Resume"),
        "play_arrow",
        "is-primary",
        gettext_lazy(
            "Everybody goes on where they stand. Waits that ended in the meantime end now, so many people"
            " may move at once; caps and quiet hours still hold."
        ),
        gettext_lazy("Resumed."),
        "Resumed",
    ),
    "stop": Words(
        gettext_lazy("Stop"),
        "stop",
        "is-danger",
        gettext_lazy(
            "The journey ends for everybody who is inside, and their waiting messages are called off."
            " This cannot be undone; the journey can be published again later."
        ),
        gettext_lazy("Stopped. The engine is letting everybody out."),
        "Stopped",
    ),
    "archive": Words(
        gettext_lazy("Archive"),
        "archive",
        "",
        gettext_lazy("The journey is put away for good. What it did stays in timelines and reports."),
        gettext_lazy("Archived."),
        "Archived",
    ),
}


def open_to(journey: Journey, *, changed: bool, everything: bool, asking: bool) -> list[tuple[str, Words]]:
    """The acts that the journey's status allows; publishing a live one only if its draft ``changed``.

    Whoever may not do ``everything`` may still ask for publication, if ``asking``.
    """
    acts = publishing.acts(journey.status)
    offered = [act for act in acts if act != "publish" or changed or journey.status != "live"]
    if everything:
        return [(act, WORDS[act]) for act in offered]
    return [("publish", WORDS["ask"])] if asking and "publish" in offered else []


def confirm(admin: ModelAdmin, request: HttpRequest, journey: Journey, act: str) -> HttpResponse:
    """Say what will happen; on POST, do it, log it and wake the engine."""
    back = reverse("admin:journeys_journey_change", args=[journey.pk])
    words = WORDS[act]
    if request.method == "POST":
        carry_out(admin, request, journey, words, lambda: ACTS[act](journey, clock.now()), "engine")
        return HttpResponseRedirect(back)
    return page(
        admin,
        request,
        "journeys/confirm.html",
        title=_("%(act)s “%(journey)s”?") % {"act": words.label, "journey": journey.name},
        journey=journey,
        act=act,
        words=words,
        allowed=act in publishing.acts(journey.status),
        inside=figures.standing(journey),
        waiting=waiting(journey),
        back=back,
    )


def carry_out(
    admin: ModelAdmin,
    request: HttpRequest,
    thing: Journey | Campaign,
    words: Words,
    act: Callable[[], object],
    wakes: str,
) -> None:
    """Do what was confirmed, log it, say so and wake a pulse; or say why it may not be."""
    try:
        act()
    except NotAllowedError as error:
        messages.error(request, str(error))
    else:
        admin.log_change(request, thing, words.log)
        messages.success(request, words.done)
        pulse.wake(wakes)


def waiting(journey: Journey) -> int:
    """How many of the journey's messages were wished for and have not left."""
    return Message.objects.filter(
        origin_kind="journey", origin_id=journey.pk, state__in=(1, 2, 3), due_at__isnull=False
    ).count()


ACTS: dict[str, Callable[[Journey, datetime], None]] = {
    "pause": publishing.pause,
    "resume": publishing.resume,
    "stop": publishing.stop,
    "archive": publishing.archive,
}
