"""The builder's page and what it asks while somebody draws: each change is made, judged and kept here."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from contacts import clock
from journeys import drafts, graph
from journeys.admin import building_texts, canvas, panel, previews
from journeys.admin.asking import asks
from journeys.admin.changing import change
from journeys.admin.pages import page
from journeys.building import edits, picture, sketch
from journeys.building.edits import EditError
from journeys.drafts import ConflictError
from journeys.models import Journey

_PRESENT = 30
"Seconds for which somebody who asked counts as looking at the draft."
_ONE_ENTRY = timedelta(minutes=30)
"Changes of one person within this time are one entry of the audit log."
_CHANGED = "Changed the draft"


class JourneyBuilder(ModelAdmin):
    """The addresses of the builder, for whoever may change journeys."""

    def builder_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/build/", wrap(self.build_view), name="journeys_journey_build"),
            path("<int:pk>/build/change/", wrap(self.build_change), name="journeys_journey_build_change"),
            path("<int:pk>/build/panel/", wrap(self.build_panel), name="journeys_journey_build_panel"),
            path("<int:pk>/build/state/", wrap(self.build_state), name="journeys_journey_build_state"),
            path("<int:pk>/build/clip/", wrap(self.build_clip), name="journeys_journey_build_clip"),
            path("<int:pk>/build/preview/", wrap(self.build_preview), name="journeys_journey_build_preview"),
            path("<int:pk>/build/words/", wrap(self.build_words), name="journeys_journey_build_words"),
        ]

    def build_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page, whole: it works as soon as its script has started."""
        journey = self._own(request, pk)
        found = canvas.drawn(journey, journey.draft)
        names = ("change", "panel", "state", "clip", "preview", "words")
        addresses = {name: reverse(f"admin:journeys_journey_build_{name}", args=[pk]) for name in names}
        return page(
            self,
            request,
            "journeys/build/page.html",
            title=_("Build %s") % journey.name,
            journey=journey,
            palette=canvas.palette(),
            found=found,
            begun={
                "journey": pk,
                "draft": journey.draft or {},
                "revision": drafts.revision(journey.draft),
                "problems": found["problems"],
                "steps": found["steps"],
                "addresses": addresses,
                "asks": asks(),
                "texts": building_texts.translated(),
            },
        )

    def build_change(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make one change on the draft that the builder shows, keep it, and answer with the new picture."""
        journey = self._own(request, pk)
        if request.method != "POST" or int(request.META.get("CONTENT_LENGTH") or 0) > 3 * graph.LARGEST:
            raise BadRequest(_("A change is posted here."))
        posted = request.POST
        asked = _json(posted.get("asked", "{}"))
        based_on = posted.get("revision", "")
        if based_on != drafts.revision(journey.draft):
            return self._conflict(journey)
        try:
            made = change(journey.draft, asked, posted)
            revision = drafts.save(journey, made.data, based_on=based_on)
        except EditError as error:
            return JsonResponse({"refused": str(error)}, status=422)
        except ConflictError:
            return self._conflict(journey)
        self._note(request, journey)
        return JsonResponse(
            {
                **canvas.drawn(journey, made.data),
                "draft": made.data,
                "revision": revision,
                "look": made.look,
                "gone": made.gone,
            }
        )

    def build_panel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The form of one step, or of the journey's settings."""
        journey = self._own(request, pk)
        name = request.GET.get("step", "")
        steps = sketch.sketch(journey.draft)
        if name and name not in steps:
            raise Http404
        context: dict[str, Any] = {"journey": journey, "name": name}
        if name:
            raw = sketch.steps_of(journey.draft)[name]
            step = steps[name]
            context |= {
                "step": step,
                "label": canvas.title(step),
                "icon": canvas.icon(step.kind),
                "section": panel.of_step(step, raw, steps),
                "targets": [(each.id, canvas.title(each)) for each in steps.values()],
                "raw": json.dumps(raw, indent=2, ensure_ascii=False),
                "note": step.note,
            }
        else:
            context["sections"] = panel.of_journey(journey.draft or {})
        return HttpResponse(render_to_string("journeys/build/panel.html", context, request))

    def build_state(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Which draft there is now, whose it is, and who else looks at it."""
        journey = self._own(request, pk)
        key, now = f"journey-builders-{pk}", clock.now().timestamp()
        seen: dict[str, float] = {
            name: at for name, at in (cache.get(key) or {}).items() if now - at < _PRESENT
        }
        own = request.user.get_username()
        cache.set(key, {**seen, own: now}, _PRESENT * 2)
        others = sorted(name for name in seen if name != own)
        return JsonResponse(
            {"revision": drafts.revision(journey.draft), "others": others, "by": _by(journey)}
        )

    def build_clip(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A step with what hangs on its ways, to be pasted here or in another journey."""
        journey = self._own(request, pk)
        try:
            return JsonResponse(edits.clip(journey.draft, request.GET.get("step", "")))
        except EditError as error:
            return JsonResponse({"refused": str(error)}, status=422)

    def build_preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How many would enter now, or pass each way of a step."""
        journey = self._own(request, pk)
        name = request.GET.get("step", "")
        may_see = request.user.has_perm("contacts.view_contact")
        found = previews.of_step(journey.draft, name, clock.now(), asker=f"{request.user.pk} {pk}")
        context = {"found": found, "may_see": may_see}
        return HttpResponse(render_to_string("journeys/build/preview.html", context, request))

    def build_words(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The draft as prose, to read aloud or to print."""
        journey = self._own(request, pk)
        steps = sketch.sketch(journey.draft)
        words = picture.in_words(journey.draft, steps)
        return page(
            self,
            request,
            "journeys/build/words.html",
            title=_("%s in words") % journey.name,
            journey=journey,
            start=canvas.start(journey.draft or {}),
            lines=[
                {"depth": depth, "step": steps.get(name), "text": canvas.title(steps[name]) if name else text}
                for depth, name, text in words
            ],
            now=clock.now(),
        )

    def _own(self, request: HttpRequest, pk: int) -> Journey:
        journey = Journey.objects.filter(pk=pk).first()
        if journey is None:
            raise Http404
        if not self.has_change_permission(request, journey):
            raise PermissionDenied
        return journey

    def _conflict(self, journey: Journey) -> JsonResponse:
        journey.refresh_from_db()
        theirs = {"revision": drafts.revision(journey.draft), "draft": journey.draft, "by": _by(journey)}
        return JsonResponse({**theirs, **canvas.drawn(journey, journey.draft)}, status=409)

    def _note(self, request: HttpRequest, journey: Journey) -> None:
        last = _entries(journey).first()
        recent = last is not None and last.action_time > clock.now() - _ONE_ENTRY
        if last is None or not recent or last.user_id != request.user.pk:
            self.log_change(request, journey, _CHANGED)


def _entries(journey: Journey) -> Any:
    kind = ContentType.objects.get_for_model(Journey)
    found = LogEntry.objects.filter(content_type=kind, object_id=str(journey.pk), action_flag=CHANGE)
    return found.filter(change_message=_CHANGED).select_related("user").order_by("-action_time")


def _by(journey: Journey) -> str:
    """Who changed the draft last, as far as the audit log says."""
    last = _entries(journey).first()
    return str(last.user) if last else ""


def _json(text: str) -> dict[str, Any]:
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise BadRequest(_("A change is posted here."))
    return asked
