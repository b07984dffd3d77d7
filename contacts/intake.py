"""Accept a request of the Segment HTTP contract: body in, inbox rows and a receipt out. Pure.

    request refused whole (Refused)      nothing is kept; the sender hears why
    event accepted                       an inbox row that ingest takes in
    event rejected                       an inbox row with `rejection` set, which becomes a dead letter

So every event of a request that was not refused is counted once: received = accepted + duplicate + rejected.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import NamedTuple

import msgspec

from contacts import intake_limits as limits
from contacts import slots
from contacts.intake_body import Envelope
from contacts.intake_checks import EMPTY, Rejected, check_object, check_text, occurred_at, parse_time
from contacts.intake_event import CONSENT_NAMES, IntakeEvent, Rejection, pack

CALLS = frozenset({"identify", "track", "page", "screen", "group", "alias"})


class Row(NamedTuple):
    """One row for contacts_inboxitem, in the order of its COPY."""

    lane: int
    source_id: int
    received_at: datetime
    rejection: str
    payload: bytes
    server: bool = False
    "Sent with a server key, which may say what a browser may not."


class Receipt(NamedTuple):
    """What the sender hears about an event that was not accepted."""

    position: int
    message_id: str | None
    rejection: Rejection


class Intake(NamedTuple):
    rows: list[Row]
    rejected: list[Receipt]


class _Call(msgspec.Struct, rename="camel", gc=False):
    """One event as senders write it. Anything may be null; what is not named here is not kept."""

    type: str | None = None
    message_id: str | int | None = None
    user_id: str | int | None = None
    anonymous_id: str | int | None = None
    previous_id: str | int | None = None
    group_id: str | int | None = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    properties: msgspec.Raw = msgspec.Raw()
    traits: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()
    integrations: msgspec.Raw = msgspec.Raw()
    timestamp: str | None = None
    original_timestamp: str | None = None
    sent_at: str | None = None


def take(
    envelope: Envelope,
    kind: str | None,
    source_id: int,
    received_at: datetime,
    *,
    server: bool = False,
    peer: str = "",
) -> Intake:
    """Check each event of `envelope`. `kind` is the call of the address, or None where events name theirs.

    `peer` is the address that the request came from; it is kept with what a person said about consent, as
    proof, and with nothing else.
    """
    rows: list[Row] = []
    rejected: list[Receipt] = []
    for index, raw in enumerate(envelope.events):
        try:
            event = read_event(raw, kind, envelope, received_at)
        except Rejected as bad:
            payload, message_id = letter(raw, kind, envelope)
            rejected.append(Receipt(index, message_id, bad.rejection))
            lane, reason = index % slots.SLOTS, bad.rejection.text()
            rows.append(Row(lane, source_id, received_at, reason, payload, server))
        else:
            if peer and event.name in CONSENT_NAMES:
                event = msgspec.structs.replace(event, peer=peer)
            lane = slots.lane(event.user_id or event.anonymous_id or event.message_id)
            rows.append(Row(lane, source_id, received_at, "", pack(event), server))
    return Intake(rows, rejected)


def read_event(raw: msgspec.Raw, kind: str | None, envelope: Envelope, received_at: datetime) -> IntakeEvent:
    """The checked event of `raw`, with what the batch says for all its events. Raises Rejected."""
    call = _decoded(raw)
    kind = kind or call.type
    if kind not in CALLS:
        raise Rejected("unknown_type", "type must be one of " + ", ".join(sorted(CALLS)), "type")
    # Most fields are absent from most events, and a look is cheaper than a call: here it counts.
    user_id = None if call.user_id is None else _id(call.user_id, "userId")
    anonymous_id = None if call.anonymous_id is None else _id(call.anonymous_id, "anonymousId")
    previous_id = group_id = None
    if kind == "alias":
        previous_id = _id(call.previous_id, "previousId")
    elif kind == "group":
        group_id = _id(call.group_id, "groupId")
    if kind == "track":
        name = check_text(call.event, "event", limits.MAX_NAME) or ""
    else:
        name = check_text(call.name, "name", limits.MAX_NAME) or ""
    _check_required(kind, name, user_id, anonymous_id, previous_id, group_id)
    sent_at = (call.sent_at and parse_time(call.sent_at, "sentAt")) or envelope.sent_at
    return IntakeEvent(
        type=kind,
        name=name,
        message_id=_id(call.message_id, "messageId", limits.MAX_MESSAGE_ID) or str(uuid.uuid4()),
        occurred_at=occurred_at(received_at, call.timestamp, call.original_timestamp, sent_at),
        user_id=user_id,
        anonymous_id=anonymous_id,
        previous_id=previous_id,
        group_id=group_id,
        properties=_properties(kind, call),
        context=_context(call, envelope),
    )


def letter(raw: msgspec.Raw, kind: str | None, envelope: Envelope) -> tuple[bytes, str | None]:
    """A rejected event as it is kept for replay, always valid UTF-8 without NUL, and its message id.

    What only the request knew (call, sent-at, common context) is written into it, so that a replay meets
    the same event. One that cannot be read at all is kept as it came, cut to the size of an event.
    """
    data = bytes(raw)
    try:
        event = _KEEP.decode(data)
        if kind:
            event["type"] = _raw(kind)
        event.pop("writeKey", None)
        if envelope.sent_at and not _present(event, "sentAt"):
            event["sentAt"] = _raw(envelope.sent_at)
        if not _present(event, "messageId"):
            event["messageId"] = _raw(str(uuid.uuid4()))
        for field, shared in (("context", envelope.context), ("integrations", envelope.integrations)):
            if bytes(shared) != b"{}":
                event[field] = _over_if_object(event.get(field, EMPTY), shared)
        message_id = msgspec.json.decode(event["messageId"])
        data = _ENCODER.encode(event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        message_id = None
    text = data[: limits.MAX_EVENT_BYTES].decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    return text.encode(), message_id if isinstance(message_id, str) else None


def _decoded(raw: msgspec.Raw) -> _Call:
    data = bytes(raw)
    if len(data) > limits.MAX_EVENT_BYTES:
        raise Rejected("event_too_large", f"an event may have at most {limits.MAX_EVENT_BYTES // 1024} KB")
    try:
        return _CALL.decode(data)
    except msgspec.ValidationError as error:
        what, _at, path = str(error).partition(" - at `$")
        field = path.strip(".`") or None
        raise Rejected("invalid_type", f"{field or 'event'}: {what.lower()}", field) from None
    except RecursionError:
        raise Rejected("too_deep", f"at most {limits.MAX_DEPTH} levels of nesting are accepted") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Rejected("malformed_json", "the event is not valid JSON in UTF-8") from None


def _id(value: str | int | None, field: str, longest: int = limits.MAX_ID) -> str | None:
    if value is None:
        return None
    return check_text(value if type(value) is str else str(value), field, longest)


def _check_required(
    kind: str,
    name: str,
    user_id: str | None,
    anonymous_id: str | None,
    previous_id: str | None,
    group_id: str | None,
) -> None:
    if kind == "alias":
        if previous_id is None:
            raise _missing("alias", "previousId")
        if user_id is None:
            raise _missing("alias", "userId")
    elif user_id is None and anonymous_id is None:
        raise Rejected("missing_field", "userId or anonymousId is required", "userId")
    if kind == "track" and not name:
        raise _missing("track", "event")
    if kind == "group" and group_id is None:
        raise _missing("group", "groupId")


def _missing(kind: str, field: str) -> Rejected:
    return Rejected("missing_field", f"{kind} requires {field}", field)


def _properties(kind: str, call: _Call) -> msgspec.Raw:
    if kind in ("identify", "group"):
        return check_object(call.traits, "traits")
    properties = check_object(call.properties, "properties")
    if call.category is None:
        return properties
    category = check_text(call.category, "category", limits.MAX_NAME)
    if category is None or kind not in ("page", "screen"):
        return properties
    return msgspec.Raw(_ENCODER.encode({"category": category} | _KEEP.decode(properties)))


def _context(call: _Call, envelope: Envelope) -> msgspec.Raw:
    """The event's context over the batch's, key by key; integrations, where any are set, lie within it."""
    context = _over(check_object(call.context, "context"), envelope.context)
    if bytes(call.integrations) in _NOTHING and envelope.integrations is EMPTY:
        return context
    integrations = _over(check_object(call.integrations, "integrations"), envelope.integrations)
    if bytes(integrations) == b"{}":
        return context
    return msgspec.Raw(_ENCODER.encode(_KEEP.decode(context) | {"integrations": integrations}))


def _over(own: msgspec.Raw, shared: msgspec.Raw) -> msgspec.Raw:
    if shared is EMPTY or bytes(shared) == b"{}":
        return own
    if own is EMPTY or bytes(own) == b"{}":
        return shared
    return msgspec.Raw(_ENCODER.encode(_KEEP.decode(shared) | _KEEP.decode(own)))


def _over_if_object(own: msgspec.Raw, shared: msgspec.Raw) -> msgspec.Raw:
    try:
        return _over(check_object(own, "context"), shared)
    except Rejected:
        return own


def _present(event: dict[str, msgspec.Raw], field: str) -> bool:
    return field in event and bytes(event[field]) not in (b"null", b'""')


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode(value))


_NOTHING = frozenset({b"", b"{}", b"null"})
_CALL = msgspec.json.Decoder(_Call)
_KEEP = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder()
