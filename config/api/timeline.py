"""Everything that happened to one contact, as its page in the back office tells it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from rest_framework import serializers

from config import timeline, timeline_names, timeline_words
from config.timeline import Asked, Mark, Placed
from contacts import consent
from contacts.api import callers
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.fields import Fields
from contacts.api.happenings import contact_id
from contacts.models import ApiKey, Contact

_UTC = ZoneInfo("UTC")
_WHAT = ("event", "message", "decision", "consent", "step", "merge", "merge_undone")
"What an entry is, by the rank of its stream."
#: Where a permission of a stream is nobody's scope by itself: the scope under which programs read it.
_READ_UNDER = {
    "channels.view_decision": "messages:read",
    "contacts.view_merge": "contacts:read",
    "journeys.view_run": "journeys:read",
}


class TimelineFilters(Fields):
    kind = serializers.ChoiceField(
        choices=timeline.KINDS, required=False, help_text="Only entries of this kind."
    )
    name = serializers.CharField(required=False, max_length=256, help_text="Only events of this name.")
    channel = serializers.ChoiceField(choices=[(one, one) for one in consent.CHANNELS], required=False)
    after = serializers.DateTimeField(required=False, help_text="At this instant or later.")
    before = serializers.DateTimeField(required=False, help_text="Earlier than this instant.")
    words = serializers.CharField(required=False, max_length=100, help_text="Anywhere in the entry.")


class DetailShape(Fields):
    name = serializers.CharField()
    value = serializers.CharField()


class EntryShape(Fields):
    at = serializers.DateTimeField()
    what = serializers.ChoiceField(choices=_WHAT)
    title = serializers.CharField()
    text = serializers.CharField(help_text="A remark, often empty.")
    state = serializers.CharField(help_text="Of a message, or of a merge that was undone; else empty.")
    details = DetailShape(many=True)
    data = serializers.DictField(  # type: ignore[assignment]
        help_text="An event's properties, a consent's proof, a step's figures."
    )


class ContactTimeline(Endpoint):
    scopes = {"GET": "contacts:read"}

    @operation(
        "get_timeline", "Everything on one timeline", query=TimelineFilters, answer=EntryShape, paged=True
    )
    def get(self, call: Call, public_id: UUID) -> Any:
        """Events, messages, decisions, consents, steps of journeys and merges, newest first.

        As far as the caller may read them: `events:read`, `messages:read`, `consents:read` and
        `journeys:read` each open their part. In words, for people; times in words are in UTC.
        """
        contact = Contact.objects.get(pk=contact_id(public_id))
        query = call.query
        asked = Asked(
            kind=query.get("kind", ""),
            name=query.get("name", ""),
            channel=query.get("channel", ""),
            since=query.get("after"),
            until=query.get("before"),
            words=query.get("words", ""),
        )
        below = Mark(*call.after) if call.after else None
        size = query["limit"] + 1
        page = timeline.read(contact, asked, below=below, may_see=_Sight(call), size=size)
        return call.paged_rows(page.rows, _draw, lambda placed: placed.mark)


@dataclass(frozen=True, slots=True)
class _Sight:
    """Which streams the caller may read."""

    call: Call

    def __call__(self, permission: str) -> bool:
        request = self.call.request
        if not isinstance(request.auth, ApiKey):
            return bool(request.user.has_perm(permission))
        same = [name for name, scope in settings.SEGUE_API_SCOPES.items() if scope.permission == permission]
        same += [_READ_UNDER[permission]] if permission in _READ_UNDER else []
        return any(callers.holds(request, name) for name in same)


def _draw(rows: list[Placed]) -> list[dict[str, Any]]:
    entries = timeline_words.entries(rows, timeline_names.load(rows), _UTC)
    return [
        {
            "at": entry.at,
            "what": _WHAT[entry.mark.rank],
            "title": entry.title,
            "text": entry.text,
            "state": entry.pill,
            "details": [{"name": str(name), "value": str(value)} for name, value in entry.details],
            "data": json.loads(entry.data) if entry.data else {},
        }
        for entry in entries
    ]
