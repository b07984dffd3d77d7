"""The page “Promises”: whether each holds, what breaks it and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from config import lags
from contacts import clock
from contacts.auditing import looking
from contacts.auditing.promise import Promise
from contacts.auditing.registry import promises
from contacts.models import Breach, PromiseState

_EXAMPLES = 20
_PAGES = {
    "message": "admin:channels_message_change",
    "decision": "admin:channels_decision_change",
    "run": "admin:journeys_run_change",
    "journey": "admin:journeys_journey_change",
    "consent": "admin:contacts_consententry_change",
}
_ROOMS = {
    "contacts": gettext_lazy("Contacts"),
    "channels": gettext_lazy("Channels"),
    "journeys": gettext_lazy("Journeys"),
    "analytics": gettext_lazy("Insights"),
    "config": gettext_lazy("This installation"),
}


@dataclass(slots=True)
class Line:
    promise: Promise
    state: PromiseState
    now: datetime
    examples: list[tuple[Breach, list[tuple[str, Any, str]]]] = field(default_factory=list)

    @property
    def tone(self) -> str:
        if self.state.error or self.state.known_at is None:
            return "warn"
        if self.state.open:
            return "bad" if self.promise.alarms else "warn"
        return "good"

    @property
    def words(self) -> str:
        state = self.state
        if state.looked_at is None:
            return _("not looked after yet")
        if state.error:
            return _("the last look failed")
        if not state.open:
            return _("holds") if self.promise.alarms else _("none")
        if not self.promise.alarms:
            return str(state.open)
        return ngettext("%d violation", "%d violations", state.open) % state.open

    @property
    def more(self) -> int:
        return max(self.state.open - len(self.examples), 0)


def page(request: HttpRequest) -> HttpResponse:
    """All promises; the broken ones first, with examples."""
    if not request.user.has_perm("contacts.view_promisestate"):
        raise PermissionDenied
    now = clock.now()
    lines = list(_lines(now))
    found = lags.read(now)
    wrong = [line for line in lines if line.tone != "good"]
    rooms = [(name, [line for line in lines if line.promise.room == room]) for room, name in _ROOMS.items()]
    context = {
        **admin.site.each_context(request),
        "title": _("Promises"),
        "account": looking.account(now),
        "oldest": lags.oldest(found, now),
        "lags": [(lag.pulse, lag.seconds(now), lag.moving(now)) for lag in found],
        "wrong": sorted(wrong, key=lambda line: (line.tone != "bad", not line.promise.alarms)),
        "rooms": [(name, held) for name, held in rooms if held],
        "may_settle": request.user.has_perm("contacts.change_promisestate"),
        "now": now,
    }
    return TemplateResponse(request, "config/promises.html", context).render()


@require_POST
def settle(request: HttpRequest) -> HttpResponse:
    """Take the open violations of one promise for dealt with. Asks once before it does."""
    if not request.user.has_perm("contacts.change_promisestate"):
        raise PermissionDenied
    promise = promises().get(request.POST.get("promise", ""))
    chosen = [int(one) for one in request.POST.getlist("breach") if one.isdecimal() and len(one) < 19]
    if promise is None or not chosen:
        messages.error(request, _("Nothing was chosen."))
        return HttpResponseRedirect(reverse("promises"))
    if "sure" not in request.POST:
        context = {
            **admin.site.each_context(request),
            "title": _("Taken care of?"),
            "promise": promise,
            "chosen": chosen,
        }
        return TemplateResponse(request, "config/promises_settle.html", context).render()
    done = looking.settle_by_hand(chosen, promise.name, request.user.get_username(), clock.now())
    state = PromiseState.objects.get(name=promise.name)
    said = f"took {done} violations for dealt with"
    LogEntry.objects.log_actions(int(request.user.pk or 0), [state], CHANGE, said, single_object=True)
    messages.success(request, ngettext("%d is settled.", "%d are settled.", done) % done)
    return HttpResponseRedirect(reverse("promises"))


def _lines(now: datetime) -> Iterator[Line]:
    known = promises()
    states = {one.name: one for one in PromiseState.objects.filter(name__in=known)}
    shown: dict[str, list[Breach]] = {}
    for one in Breach.objects.filter(over_at__isnull=True, settled_at__isnull=True).order_by(
        "-found_at", "id"
    ):
        shown.setdefault(one.promise_id, []).append(one)
    for name, promise in known.items():
        examples = [(one, list(_links(one))) for one in shown.get(name, [])[:_EXAMPLES]]
        yield Line(promise, states.get(name) or PromiseState(name=name), now, examples)


def _links(breach: Breach) -> Iterator[tuple[str, Any, str]]:
    """What a violation is about: name, value and the page of it, if there is one."""
    for name, value in breach.about.items():
        address = ""
        if name in _PAGES:
            try:
                address = reverse(_PAGES[name], args=[value])
            except NoReverseMatch:
                address = ""
        yield name.replace("_", " "), value, address
