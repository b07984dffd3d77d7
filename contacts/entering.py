"""Events that staff write down: a visit to the store, an order at the till, a call and how it ended.

They go the way of every event, through the inbox, with what a server key may say: staff have seen the person.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Q

from contacts import finding, identity_rules, normalise, slots
from contacts.directory import CARD, EMAIL, PHONE, USER, Identifier
from contacts.intake_checks import check_object
from contacts.intake_event import IntakeEvent, pack
from contacts.models import Contact, InboxItem, PlannedEvent, Source
from contacts.plan.catalogue import Planned, Property, planned

#: Touchpoints where people meet staff.
STAFFED = (Source.Kind.STORE, Source.Kind.CALL_CENTRE, Source.Kind.SOCIAL)
#: How staff may name a person.
NAMED_BY = (EMAIL, PHONE, CARD, USER)

_ORDER = (Property("order_id", "text", required=True), Property("total", "number", required=True))
_CALL = (Property("outcome", "text", required=True), Property("topic", "text"), Property("minutes", "number"))
#: Offered where the plan says nothing of its own.
USUAL: Mapping[str, Mapping[str, Planned]] = {
    Source.Kind.STORE: {
        "Store Visited": Planned((Property("reason", "text"),)),
        "Order Completed": Planned((*_ORDER, Property("currency", "text"))),
    },
    Source.Kind.CALL_CENTRE: {"Call Ended": Planned(_CALL), "Order Completed": Planned(_ORDER)},
    Source.Kind.SOCIAL: {"Conversation Ended": Planned(_CALL[:2])},
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who the entry is about: an identifier in its one form, and the contact that it finds, if any."""

    identifier: Identifier
    contact: Contact | None


def touchpoints() -> list[Source]:
    return list(Source.objects.filter(kind__in=STAFFED, active=True).order_by("name"))


def offered(source: Source) -> dict[str, Planned]:
    """The events that can be written down for a touchpoint: its plan, else what is usual there."""
    lines = PlannedEvent.objects.filter(Q(source=source) | Q(source=None)).order_by("source_id", "name")
    own = {
        one.name: planned(msgspec.json.encode(one.properties).decode(), one.server_only)
        for one in reversed(lines)  # nulls come last, so a source's own line wins
    }
    usual = {name: own.get(name, expected) for name, expected in USUAL.get(source.kind, {}).items()}
    return usual | {one.name: own[one.name] for one in lines if one.source_id == source.pk}


def person(kind: str, value: str, region: str | None = None) -> Person | None:
    """The person of that identifier, or None if it can be nobody's."""
    found = _normal(kind, value, region)
    if not found or not identity_rules.current().accepts(kind, found, server=True):
        return None
    identifier = Identifier(kind, found)
    (contact_id,) = finding.find([identifier])
    return Person(identifier, Contact.objects.filter(pk=contact_id).first() if contact_id else None)


def _normal(kind: str, value: str, region: str | None) -> str | None:
    if kind == EMAIL:
        return normalise.email(value)
    if kind == PHONE:
        return normalise.phone(value, region)
    return normalise.identifier(value) if kind in NAMED_BY else None


def enter(
    source: Source,
    name: str,
    who: Identifier,
    properties: Mapping[str, Any],
    now: datetime,
    *,
    by: str,
    occurred_at: datetime | None = None,
    message_id: str = "",
) -> None:
    """Put the event into the inbox. Raises ``intake_checks.Rejected`` if it is none.

    The same ``message_id`` again has no effect.
    """
    said = {key: value for key, value in properties.items() if value not in (None, "")} | {"entered_by": by}
    event = IntakeEvent(
        type="track",
        name=name,
        message_id=message_id or str(uuid.uuid4()),
        occurred_at=min(occurred_at or now, now),
        user_id=who.value if who.kind == USER else None,
        properties=check_object(msgspec.Raw(msgspec.json.encode(said)), "properties"),
        context=check_object(msgspec.Raw(msgspec.json.encode(_context(who))), "context"),
    )
    InboxItem.objects.create(
        lane=slots.lane(who.value), source_id=source.pk, received_at=now, payload=pack(event), server=True
    )


def _context(who: Identifier) -> dict[str, Any]:
    if who.kind in (EMAIL, PHONE):
        return {"traits": {who.kind: who.value}}
    return {} if who.kind == USER else {"externalIds": [{"type": who.kind, "id": who.value}]}
