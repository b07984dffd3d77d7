"""What the segment builder asks while somebody edits: words to choose from, faults, size, sample."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.core.cache import cache
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from contacts import clock, consent
from contacts.admin.segment_examples import starting_points
from contacts.admin.segment_texts import translated
from contacts.models import Contact, Purpose, Segment
from contacts.rules_vocabulary import CONSENT_STATES, MESSAGE_EVENTS, OPERATORS, PICKS, TOTALS
from contacts.segmentation import counting, judging, vocabulary

_LONGEST = 100_000
_KEPT = 300
"Seconds for which names that were seen are good."


class SegmentAnswers(ModelAdmin):
    """The builder's addresses, for whoever may write segments; values as examples need sight of contacts."""

    def answer_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("ask/vocabulary/", view(self.vocabulary), name="contacts_segment_vocabulary"),
            path("ask/properties/", view(self.properties), name="contacts_segment_properties"),
            path("ask/values/", view(self.values), name="contacts_segment_values"),
            path("ask/judge/", view(self.judge), name="contacts_segment_judge"),
            path("ask/count/", view(self.count), name="contacts_segment_count"),
        ]

    @staticmethod
    def answer_addresses() -> dict[str, str]:
        """Where the builder's script asks."""
        names = ("vocabulary", "properties", "values", "judge", "count")
        return {name: reverse(f"admin:contacts_segment_{name}") for name in names}

    def other_words(self) -> dict[str, list[dict[str, str]]]:
        """What other rooms have to ask about: ``journeys`` and ``templates``, by slug and name."""
        return {"journeys": [], "templates": []}

    def vocabulary(self, request: HttpRequest) -> HttpResponseBase:
        """Everything that there is to choose from, but values and properties."""
        self._may_ask(request)
        kept: dict[str, Any] = cache.get_or_set("segment-vocabulary", _seen, _KEPT) or {}
        attributes = kept["attributes"]
        if not _may_see_values(request):
            attributes = [{**each, "samples": []} for each in attributes]
        return JsonResponse(
            {
                "attributes": attributes,
                "events": kept["events"],
                "predictions": kept["predictions"],
                "segments": list(
                    Segment.objects.filter(archived_at=None).values("slug", "name", "size").order_by("name")
                ),
                "channels": list(consent.CHANNELS),
                "purposes": list(Purpose.objects.values("slug", "name").order_by("name")),
                "messages": list(MESSAGE_EVENTS),
                "consents": list(CONSENT_STATES),
                "starters": starting_points(),
                "operators": list(OPERATORS),
                "totals": list(TOTALS),
                "picks": list(PICKS),
                "texts": translated(),
                **self.other_words(),
            }
        )

    def properties(self, request: HttpRequest) -> HttpResponseBase:
        """Properties of one event, by the parameter ``event``."""
        self._may_ask(request)
        event = request.GET.get("event", "")[:500]
        found = [term.as_json() for term in vocabulary.properties(event)] if _storable(event) else []
        if not _may_see_values(request):
            found = [{**each, "samples": []} for each in found]
        return JsonResponse({"properties": found})

    def values(self, request: HttpRequest) -> HttpResponseBase:
        """Values with ``q`` in them, of ``attribute``, or of ``event`` and each step of ``property``."""
        self._may_ask(request)
        asked = request.GET
        event, attribute, way = asked.get("event", ""), asked.get("attribute", ""), asked.getlist("property")
        if not _may_see_values(request) or not _storable(event + attribute + "".join(way)):
            found = []
        elif event and way:
            found = vocabulary.property_values(event, way[:5], asked.get("q", ""))
        else:
            found = vocabulary.attribute_values(attribute, asked.get("q", "")) if attribute else []
        return JsonResponse({"values": [{"value": value, "count": count} for value, count in found]})

    def judge(self, request: HttpRequest) -> HttpResponseBase:
        """The rule in words, or all its faults with their places. Counts nothing."""
        self._may_ask(request)
        asked = _body(request)
        found = judging.judge(asked.get("rule"), str(asked.get("slug") or ""))
        faults = [{"path": fault.path, "message": fault.message} for fault in found.faults]
        return JsonResponse({"words": found.words, "faults": faults})

    def count(self, request: HttpRequest) -> HttpResponseBase:
        """Size, share of all contacts and a sample of a rule, now or at the end of the day ``as_of``."""
        self._may_ask(request)
        asked = _body(request)
        found = judging.judge(asked.get("rule"), str(asked.get("slug") or ""))
        if found.rule is None:
            return JsonResponse({"faults": [fault.path for fault in found.faults]}, status=422)
        now = clock.now()
        asker = f"{request.user.pk} {str(asked.get('asker') or '')[:100]}"
        try:
            as_of = _as_of(asked.get("as_of"), now)
            counted = counting.count(found.rule, as_of, asker=asker, past=as_of < now)
        except counting.Stopped:
            return JsonResponse({"slow": True}, status=503)
        sample = counted.sample if _may_see_values(request) else []
        return JsonResponse(
            {
                "size": counted.size,
                "base": counted.base,
                "share": round(counted.share, 2),
                "unsure": counted.unsure,
                "sample": [_person(contact) for contact in sample],
            }
        )

    def _may_ask(self, request: HttpRequest) -> None:
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied


def _seen() -> dict[str, Any]:
    return {
        "attributes": [term.as_json() for term in vocabulary.attributes()],
        "events": [event.as_json() for event in vocabulary.events()],
        "predictions": vocabulary.predictions(),
    }


def _may_see_values(request: HttpRequest) -> bool:
    return request.user.has_perm("contacts.view_contact")


def _body(request: HttpRequest) -> dict[str, Any]:
    if request.method != "POST" or len(request.body) > _LONGEST * 4:
        raise BadRequest(_("A rule is posted here as JSON."))
    try:
        asked = json.loads(request.body)
    except (ValueError, RecursionError):
        raise BadRequest(_("A rule is posted here as JSON.")) from None
    if not isinstance(asked, dict):
        raise BadRequest(_("A rule is posted here as JSON."))
    return asked


def _storable(text: str) -> bool:
    return "\0" not in text and len(text) <= 3000


def _as_of(written: Any, now: datetime) -> datetime:
    """The end of that day in UTC, never after now."""
    try:
        day = datetime.fromisoformat(str(written)).date()
        end = datetime.combine(day + timedelta(days=1), time.min, UTC)
    except (ValueError, OverflowError):
        return now
    return min(end, now)


def _person(contact: Contact) -> dict[str, str]:
    return {
        "name": str(contact),
        "email": contact.email,
        "seen": contact.last_seen_at.isoformat(),
        "address": reverse("admin:contacts_contact_change", args=[contact.pk]),
    }
