"""Publishing a charter: what differs, and what it would have done; asking and approving."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from channels import (
    charter,
    charter_approving,
    charter_impact,
    charter_rules,
    charter_words,
    explaining,
    reason_words,
)
from channels.admin.charter_forms import SECTIONS
from channels.charter_approving import NotAllowedError
from channels.charter_impact import Impact, Row
from channels.charter_rules import CharterError
from channels.models import CharterRequest, CharterVersion
from contacts import clock
from contacts.models import Purpose

_OUTCOMES = {
    "at_once": gettext_lazy("Left at once"),
    "held": gettext_lazy("Held, then left"),
    "not_sent": gettext_lazy("Not sent"),
    "too_late": gettext_lazy("Expired: too late"),
    "off": gettext_lazy("Called off while held"),
    "waits": gettext_lazy("Still held"),
}


def confirm(
    admin: ModelAdmin, request: HttpRequest, version: CharterVersion, *, may_publish: bool
) -> HttpResponse:
    """Say what will change; on POST publish it, ask for it or decide about it."""
    back = reverse("admin:channels_charterversion_change", args=[version.pk])
    if version.published_at:
        messages.info(request, _("This version is published already."))
        return HttpResponseRedirect(back)
    pending = charter_approving.pending(version)
    if request.method == "POST":
        return _act(admin, request, version, pending, may_publish=may_publish)
    now = clock.now()
    problems = charter.lint(version.rules, now)
    wrong = [one for one in problems if not one.warning]
    own = pending is not None and pending.asked_by_id == request.user.pk
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Publish charter v%s") % version.number,
        "version": version,
        "back": back,
        "opts": admin.opts,
        "wrong": wrong,
        "doubts": [one for one in problems if one.warning],
        "pending": pending,
        "own": own,
        "may_approve": may_publish and pending is not None and not own,
        "may_publish": may_publish and not charter_approving.needed(),
    }
    if not wrong:
        old, new = charter.current(now), charter_rules.parse(version.rules)
        context["changes"] = [
            (SECTIONS[part].title, gone, added) for part, gone, added in charter_words.differences(old, new)
        ]
        impact = charter_impact.look(old, new, now)
        context["impact"] = impact
        context["figures"] = _figures(impact)
        context["later_by"] = charter_words.roughly(impact.later_by)
    return TemplateResponse(request, "channels/charter_publish.html", context)


def _figures(impact: Impact) -> list[tuple[Any, list[tuple[Any, Row]]]]:
    """Groups of lines, each with its name in words."""
    purposes = dict(Purpose.objects.values_list("slug", "name"))
    return [
        (title, [(name(row.name), row) for row in rows])
        for title, rows, name in (
            (_("What became of them"), impact.outcomes, _OUTCOMES.__getitem__),
            (_("Sent, by channel"), impact.by_channel, explaining.channel_name),
            (_("Sent, by purpose"), impact.by_purpose, lambda slug: purposes.get(slug, slug)),
            (_("Not sent, by reason"), impact.reasons, reason_words.name),
        )
        if rows
    ]


def _act(
    admin: ModelAdmin,
    request: HttpRequest,
    version: CharterVersion,
    pending: CharterRequest | None,
    *,
    may_publish: bool,
) -> HttpResponse:
    now, by, act = clock.now(), cast("AbstractBaseUser", request.user), request.POST.get("act", "publish")
    decides = pending is not None and (may_publish or pending.asked_by_id == by.pk)
    try:
        if act == "ask":
            charter_approving.ask(version, by, now, request.POST.get("note", ""))
            said, done = "Asked for publication", _("Asked. Somebody else can approve it now.")
        elif act == "refuse" and pending and decides:
            charter_approving.refuse(pending, by, now)
            said, done = "Refused or took back a publication", _("It is not published.")
        elif act == "approve" and pending and may_publish:
            charter_approving.approve(pending, by, now)
            said, done = "Approved and published", _("Charter v%s is published.") % version.number
        elif act == "publish" and may_publish:
            charter_approving.publish(version, by, now)
            said, done = "Published", _("Charter v%s is published.") % version.number
        else:
            raise PermissionDenied
    except (NotAllowedError, CharterError) as error:
        messages.error(request, str(error))
    else:
        admin.log_change(request, version, said)
        messages.success(request, done)
    return HttpResponseRedirect(reverse("admin:channels_charterversion_change", args=[version.pk]))
