"""What happened to a contact: its events, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from rest_framework import serializers

from contacts import finding, timeline_log
from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.errors import not_found
from contacts.api.fields import Fields
from contacts.models import Event, Source

_KINDS = {kind.value: kind.name.lower() for kind in Event.Kind}


class EventFilters(Fields):
    name = serializers.CharField(required=False, max_length=256, help_text="Exactly this name.")
    after = serializers.DateTimeField(required=False, help_text="At this instant or later.")
    before = serializers.DateTimeField(required=False, help_text="Earlier than this instant.")


@dataclass(frozen=True, slots=True)
class _Asked:
    """Events as the timeline's log is asked for them, none left out."""

    name: str = ""
    since: datetime | None = None
    until: datetime | None = None
    kind: str = "every"
    channel: str = ""
    words: str = ""


class EventShape(Fields):
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=sorted(_KINDS.values()), help_text="system: written by Segue.")
    occurred_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    source = serializers.CharField(allow_null=True, help_text="Slug.")  # type: ignore[assignment]
    message_id = serializers.CharField(allow_null=True)
    properties = serializers.DictField()


class ContactEvents(Endpoint):
    scopes = {"GET": "events:read"}

    @operation(
        "list_contact_events", "What happened to a contact", query=EventFilters, answer=EventShape, paged=True
    )
    def get(self, call: Call, public_id: UUID) -> Any:
        asked = _Asked(
            name=call.query.get("name", ""), since=call.query.get("after"), until=call.query.get("before")
        )
        at, event_id = call.after or (None, None)
        found = timeline_log.read(
            contact_id(public_id),
            asked,
            (at, event_id) if at else None,
            upwards=False,
            limit=call.query["limit"] + 1,
        )
        return call.paged_rows(found, _draw, lambda row: (row.occurred_at, row.id))


def contact_id(public_id: UUID) -> int:
    """The contact with this public id, or the one that it became. Raises Refused."""
    found = finding.find_one(public_id)
    if found is None:
        raise not_found("contact")
    return found


def _draw(rows: list[Event]) -> list[dict[str, Any]]:
    slugs = dict(Source.objects.filter(pk__in={row.source_id for row in rows}).values_list("pk", "slug"))
    return [
        {
            "name": row.name,
            "kind": _KINDS[row.kind],
            "occurred_at": row.occurred_at,
            "received_at": row.received_at,
            "source": slugs.get(row.source_id or 0),
            "message_id": row.message_id,
            "properties": row.properties,
        }
        for row in rows
    ]
