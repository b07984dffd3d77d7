"""From the bytes of a request to an envelope and its raw events. Pure.

A request that cannot be read as a whole raises Refused. What ails a single event is not looked at here:
events stay raw, so that one bad event never costs its neighbours.
"""

from __future__ import annotations

import re
import zlib
from datetime import datetime
from typing import NamedTuple

import msgspec

from contacts import intake_limits as limits
from contacts.intake_checks import EMPTY, Rejected, check_object, parse_time


class Refused(Exception):
    """A whole request is turned away with this HTTP status; nothing of it is kept."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        *,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code, self.message, self.field = status, code, message, field
        self.retry_after = retry_after


class Envelope(NamedTuple):
    """A request taken apart. `context` and `integrations` are checked objects that all events share."""

    key: str | None
    sent_at: datetime | None
    context: msgspec.Raw
    integrations: msgspec.Raw
    events: list[msgspec.Raw]


class _Batch(msgspec.Struct, rename="camel"):
    batch: list[msgspec.Raw]
    write_key: str | None = None
    sent_at: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()
    integrations: msgspec.Raw = msgspec.Raw()


class _Single(msgspec.Struct, rename="camel"):
    write_key: str | None = None


def unpacked(body: bytes, encoding: str) -> bytes:
    """`body` without its Content-Encoding (none or gzip), never more than MAX_BODY_BYTES of it."""
    if encoding in ("", "identity"):
        data = body
    elif encoding in ("gzip", "x-gzip"):
        data = _gunzipped(body)
    else:
        raise Refused(400, "unknown_encoding", "Content-Encoding must be gzip or absent")
    if len(data) > limits.MAX_BODY_BYTES:
        raise too_large()
    return data


def too_large() -> Refused:
    return Refused(413, "body_too_large", f"a request may have at most {limits.MAX_BODY_BYTES // 1024} KB")


def read_single(body: bytes) -> Envelope:
    """The envelope of a request that is itself one event. Its checks are those of the event."""
    if not body.lstrip(_BLANK).startswith(b"{"):
        raise _malformed()
    try:
        key = _SINGLE.decode(body).write_key
    except msgspec.ValidationError:
        raise Refused(400, "invalid_type", "writeKey must be a text", "writeKey") from None
    except RecursionError:
        raise Refused(400, "too_deep", f"at most {limits.MAX_DEPTH} levels are accepted") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _malformed() from None
    return Envelope(key, None, EMPTY, EMPTY, [msgspec.Raw(body)])


def read_batch(body: bytes) -> Envelope:
    """The envelope of `{"batch": [event, …], "sentAt", "context", "integrations", "writeKey"}`."""
    try:
        found = _BATCH.decode(body)
    except msgspec.ValidationError as error:
        raise _not_a_batch(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _read_around_bad_events(body)
    if not found.batch:
        raise Refused(400, "empty_batch", "batch must hold at least one event", "batch")
    if len(found.batch) > limits.MAX_BATCH_EVENTS:
        raise Refused(
            413, "batch_too_long", f"a batch may hold at most {limits.MAX_BATCH_EVENTS} events", "batch"
        )
    try:
        context = check_object(found.context, "context")
        integrations = check_object(found.integrations, "integrations")
    except Rejected as bad:
        reason = bad.rejection
        raise Refused(400, reason.code, reason.message, reason.field) from None
    shared = len(bytes(context)) + len(bytes(integrations))
    if shared > limits.MAX_EVENT_BYTES or shared * len(found.batch) > limits.MAX_SHARED_BYTES:
        raise Refused(413, "context_too_large", "the batch's common context is too large", "context")
    return Envelope(found.write_key, _sent_at(found.sent_at), context, integrations, found.batch)


def _gunzipped(body: bytes) -> bytes:
    reader = zlib.decompressobj(wbits=31)
    try:
        data = reader.decompress(body, limits.MAX_BODY_BYTES + 1)
    except zlib.error:
        raise Refused(400, "malformed_gzip", "the body is not valid gzip") from None
    if len(data) <= limits.MAX_BODY_BYTES and not reader.eof:
        raise Refused(400, "malformed_gzip", "the gzip body is cut short")
    return data


def _sent_at(raw: msgspec.Raw) -> datetime | None:
    """A sender's clock that cannot be read is not worth losing a batch for: then nothing is corrected."""
    try:
        text = msgspec.json.decode(raw, type=str | None) if bytes(raw) else None
        return parse_time(text, "sentAt")
    except (ValueError, Rejected):
        return None


def _malformed() -> Refused:
    return Refused(400, "malformed_json", "the body must be a JSON object in UTF-8")


def _not_a_batch(error: msgspec.ValidationError) -> Refused:
    where = str(error).rpartition("`$.")[2].rstrip("`") if "`$." in str(error) else ""
    if where.startswith("writeKey"):
        return Refused(400, "invalid_type", "writeKey must be a text", "writeKey")
    if "Expected `object`" in str(error) and not where:
        return _malformed()
    return Refused(400, "invalid_type", "batch must be a list of events", "batch")


def _read_around_bad_events(body: bytes) -> _Batch:
    """Take a batch apart by its brackets, for a body that some event makes unreadable as a whole.

    A lone surrogate, NaN, a raw control character or endless nesting in one event must not cost the
    others; each event is decoded later on its own. The envelope around them must be sound.
    """
    start, end, events = _split(body)
    try:
        found = _BATCH.decode(body[:start] + body[end:])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _malformed() from None
    found.batch = events
    return found


def _split(body: bytes) -> tuple[int, int, list[msgspec.Raw]]:
    """Where the items of `"batch": […]` start and end, and the items. One pass, no recursion."""
    depth, start, item, events = 0, -1, -1, list[msgspec.Raw]()
    for token in _TOKEN.finditer(body):
        mark = body[token.start()]
        if mark in b"{[":
            depth += 1
            continue
        if mark == _QUOTE:
            if start < 0 and depth == 1 and (opening := _BATCH_KEY.match(body, token.start())):
                start = item = opening.end()
            continue
        if mark == _COMMA:
            if start >= 0 and depth == 2:
                events.append(_item(body, item, token.start()))
                item = token.end()
            continue
        depth -= 1
        if start >= 0 and depth == 1:
            if events or body[item : token.start()].strip(_BLANK):
                events.append(_item(body, item, token.start()))
            return start, token.start(), events
    raise _malformed()


def _item(body: bytes, start: int, end: int) -> msgspec.Raw:
    return msgspec.Raw(body[start:end].strip(_BLANK))


_BLANK = b" \t\r\n"
_QUOTE, _COMMA = b'",'
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\],]', re.DOTALL)
_BATCH_KEY = re.compile(rb'"batch"\s*:\s*\[')
_BATCH = msgspec.json.Decoder(_Batch)
_SINGLE = msgspec.json.Decoder(_Single)
