"""What one inbox item says: who it is about, which traits it brings, and its line in the event log. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from contacts import normalise
from contacts.directory import ANONYMOUS, DEVICE, EMAIL, PHONE, USER, Identifier
from contacts.event_log import ALIAS, GROUP, IDENTIFY, PAGE, SCREEN, TRACK, NewEvent
from contacts.identifier_kinds import Kinds
from contacts.intake_event import CONSENT_NAMES, IntakeEvent, Rejection, unpack
from contacts.privacy.tombstones import Candidate

_KINDS = {
    "track": TRACK,
    "identify": IDENTIFY,
    "page": PAGE,
    "screen": SCREEN,
    "group": GROUP,
    "alias": ALIAS,
}
_NAMES = {
    "identify": "Identified",
    "page": "Page Viewed",
    "screen": "Screen Viewed",
    "group": "Group Joined",
    "alias": "Aliased",
}
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_FURTHEST_AHEAD = timedelta(days=1)
_encode = msgspec.json.encode
_OPENED = (b'"traits"', b'"device"', b'"consent"', b'"externalIds"')
_MOST_EXTERNAL = 20
# These come by fields of their own, each with its own form.
_BY_FIELD = frozenset({USER, EMAIL, PHONE, ANONYMOUS, DEVICE})
_USUAL = Kinds()


@dataclass(slots=True)
class InboxItem:
    """One row of the inbox."""

    id: int
    source_id: int
    received_at: datetime
    rejection: str
    payload: bytes
    server: bool = False
    "Sent with a server key, which may say what a browser may not."


@dataclass(slots=True)
class Arrival:
    """One readable event. ``traits`` is what it says about the person, ``surroundings`` its open context."""

    item: InboxItem
    event: IntakeEvent
    occurred_at: datetime
    identifiers: tuple[Identifier, ...]
    traits: dict[str, Any]
    surroundings: dict[str, Any]

    @property
    def normal(self) -> bool:
        return False

    @property
    def origin(self) -> str:
        return f"source:{self.item.source_id}"

    @property
    def name(self) -> str:
        """The event's name in the log."""
        return _NAMES.get(self.event.type) or self.event.name

    def candidate(self) -> Candidate:
        identifies = self.event.type == "identify"
        return Candidate(
            self.identifiers, self.occurred_at, identifies, identifies and _agrees(self.surroundings)
        )

    def as_new_event(self, contact_id: int) -> NewEvent:
        event = self.event
        return NewEvent(
            contact_id,
            self.name,
            self.occurred_at,
            self.item.received_at,
            _KINDS[event.type],
            self.item.source_id,
            event.message_id,
            _properties(event),
            bytes(event.context),
        )


def read(item: InboxItem, kinds: Kinds = _USUAL) -> Arrival | Rejection:
    """Decode an item, or say why it cannot be taken in. Identifiers come by ``kinds``, strongest first."""
    try:
        event = unpack(item.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Rejection("decode_error", f"The stored event cannot be read: {error}")
    if event.type not in _KINDS:
        return Rejection("unknown_type", f"No call is named {event.type!r}")
    surroundings = event.context_dict() if _worth_opening(event) else {}
    traits = _traits(event, surroundings)
    identifiers = _accepted(_identifiers(event, traits, surroundings), kinds, item.server)
    if not item.server and event.type == "track" and event.name in CONSENT_NAMES:
        # Who speaks for themselves is named by their own ids; an email could be anybody's.
        traits = {}
        identifiers = tuple(one for one in identifiers if one.kind in (USER, ANONYMOUS))
    if not identifiers:
        return Rejection("no_identity", "No identifier is left that could name one person.")
    return Arrival(item, event, _plausible(event.occurred_at, item), identifiers, traits, surroundings)


def _agrees(surroundings: Mapping[str, Any]) -> bool:
    """Whether the call itself carries a consent, as consent managers send it in the context."""
    consent = surroundings.get("consent")
    choices = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    return isinstance(choices, dict) and True in choices.values()


def _worth_opening(event: IntakeEvent) -> bool:
    # Decoding every context would cost more than all else here; most hold nothing about the person.
    context = memoryview(event.context).tobytes()
    return event.type == "identify" or event.name in CONSENT_NAMES or any(part in context for part in _OPENED)


def _traits(event: IntakeEvent, surroundings: dict[str, Any]) -> dict[str, Any]:
    """Identify brings traits; any other call may carry the person's email and phone in its context."""
    carried = surroundings.get("traits")
    if event.type == "identify":
        return event.properties_dict()
    if not isinstance(carried, dict):
        return {}
    return {key: carried[key] for key in (EMAIL, PHONE) if isinstance(carried.get(key), str)}


def _accepted(found: Iterable[Identifier], kinds: Kinds, server: bool) -> tuple[Identifier, ...]:
    kept = [one for one in found if kinds.accepts(one.kind, one.value, server=server)]
    if len(kept) > 1:
        kept.sort(key=lambda one: kinds.rank(one.kind))  # stable: those of one kind keep their order
    return tuple(kept)


def _identifiers(
    event: IntakeEvent, traits: dict[str, Any], surroundings: dict[str, Any]
) -> Iterable[Identifier]:
    """All that an event names somebody by, in normal form."""
    device = surroundings.get("device")
    # An alias names the browser's former id; a former user id would join two known people.
    former = event.previous_id if event.type == "alias" else None
    usual = (
        (USER, normalise.identifier(event.user_id)),
        (EMAIL, normalise.email(traits[EMAIL]) if EMAIL in traits else None),
        (PHONE, normalise.phone(traits[PHONE], normalise.region(traits)) if PHONE in traits else None),
        (ANONYMOUS, normalise.identifier(event.anonymous_id)),
        (ANONYMOUS, normalise.identifier(former)),
        (DEVICE, normalise.identifier(_text(device.get("id"))) if isinstance(device, dict) else None),
    )
    found = [Identifier(kind, value) for kind, value in usual if value]
    if "externalIds" in surroundings:
        found += _external(surroundings["externalIds"])
    return dict.fromkeys(found) if len(found) > 1 else found


def _external(listed: object) -> Iterator[Identifier]:
    """Further identifiers, in the form of Segment: ``[{"type": "card", "id": "4711"}]``."""
    for one in listed[:_MOST_EXTERNAL] if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(kind := one.get("type"), str) and kind not in _BY_FIELD:
            value = normalise.identifier(_text(one.get("id")))
            if value:
                yield Identifier(kind, value)


def _plausible(occurred_at: datetime, item: InboxItem) -> datetime:
    """Times that no sender can mean are those of arrival; they would spoil every later page and report."""
    if occurred_at.tzinfo is None:
        occurred_at = occurred_at.replace(tzinfo=UTC)
    if _EARLIEST <= occurred_at <= item.received_at + _FURTHEST_AHEAD:
        return occurred_at
    return item.received_at


def _properties(event: IntakeEvent) -> bytes:
    properties = bytes(event.properties)
    if event.type in {"page", "screen"} and event.name:
        return _with("name", event.name, properties)
    if event.type == "group" and event.group_id:
        return _with("group_id", event.group_id, properties)
    if event.type == "alias" and event.previous_id:
        return _with("previous_id", event.previous_id, properties)
    return properties


def _with(key: str, value: str, properties: bytes) -> bytes:
    """Properties with one more; where the sender gave the same key, the database keeps the sender's."""
    rest = properties.strip()[1:].lstrip()
    return b'{"%s":%s%s%s' % (key.encode(), _encode(value), b"" if rest == b"}" else b",", rest)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
