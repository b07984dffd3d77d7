"""The door of /i/*: browsers and apps fetch in-app messages, answered before Django's middleware.

Every request is a POST of JSON sent as plain text, so that browsers ask no leave first and ids are in no
address. Answers are about one person: nothing on the way may keep them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from django.conf import settings

from channels import subscribing
from channels.inapp import answers, drawing, receipts, showing, visitors
from contacts import clock, pulse
from contacts.contention import STORE_FAULTS
from contacts.intake_quota import Quota

log = logging.getLogger(__name__)

_MOST_BYTES = 16_000
_MOST_RECEIPTS = 50
_LONGEST_PAGE = 2_000
POLL = 60
"Seconds after which a page that stays open asks again."
_HEADERS = [
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store, private"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Headers", "content-type, if-none-match"),
    ("Access-Control-Allow-Methods", "POST, OPTIONS"),
    ("Access-Control-Expose-Headers", "etag, retry-after"),
    ("Access-Control-Max-Age", "86400"),
    ("X-Content-Type-Options", "nosniff"),
]
_STATUS = {
    200: "200 OK", 204: "204 No Content", 304: "304 Not Modified", 400: "400 Bad Request",
    401: "401 Unauthorized", 403: "403 Forbidden", 404: "404 Not Found", 405: "405 Method Not Allowed",
    413: "413 Content Too Large", 429: "429 Too Many Requests", 503: "503 Service Unavailable",
}  # fmt: skip


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


_Answer = tuple[dict[str, Any], bool]
"""What to say, and whether it may be said shorter: that nothing has changed."""


@functools.cache
def _quota() -> Quota:
    """So many requests a second by one source's key, which anybody can read in its pages."""
    return Quota(settings.SEGUE_INAPP_RATE / settings.SEGUE_WEB_WORKERS)


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return answer(environ, start_response, clock.now())


def answer(environ: WSGIEnvironment, start_response: StartResponse, now: datetime) -> Iterable[bytes]:
    """One request at ``now``."""
    if environ["REQUEST_METHOD"] == "OPTIONS":
        start_response(_STATUS[204], _HEADERS)
        return []
    try:
        said, short = _act(environ, now)
    except _Refused as refused:
        headers = [(name.replace("_", "-"), value) for name, value in refused.headers.items()]
        return _say(start_response, refused.status, {"code": refused.code, "message": str(refused)}, headers)
    except STORE_FAULTS:
        log.warning("in-app messages: the store is down")
        error = {"code": "store_unavailable", "message": "try again"}
        return _say(start_response, 503, error, [("Retry-After", "10")])
    if not short:
        return _say(start_response, 200, said, [])
    tag = hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:16]
    if environ.get("HTTP_IF_NONE_MATCH", "").strip().removeprefix("W/").strip('"') == tag:
        start_response(_STATUS[304], [*_HEADERS, ("ETag", f'"{tag}"')])
        return []
    return _say(start_response, 200, {**said, "tag": tag, "poll": POLL}, [("ETag", f'"{tag}"')])


def _act(environ: WSGIEnvironment, now: datetime) -> _Answer:
    act = _ACTS.get(environ["PATH_INFO"].rstrip("/"))
    if act is None:
        raise _Refused(404, "unknown_path", "POST to /i/messages, /i/inbox, /i/receipts or /i/answers")
    if environ["REQUEST_METHOD"] != "POST":
        raise _Refused(405, "method_not_allowed", "use POST", Allow="POST, OPTIONS")
    asked = _read(environ)
    sender = subscribing.sender_of(_word(asked, "writeKey"))
    if sender is None:
        raise _Refused(401, "unknown_key", "no source has this key")
    wait = _quota().wait(sender[0])
    if wait:
        raise _Refused(429, "too_many", "too many requests with this key", Retry_After=str(wait))
    _quota().charge(sender[0], 1)
    try:
        visitor = visitors.who(
            sender[0], _word(asked, "userId"), _word(asked, "signature"), _word(asked, "anonymousId"), now
        )
    except visitors.ForgedError:
        raise _Refused(403, "bad_signature", "the signature is wrong or has ended") from None
    if visitor.contact_id is None:
        nothing: dict[str, Any] = {"messages": [], "unread": 0, "next": None}
        return nothing | ({"signature": "required"} if visitor.unsigned else {}), True
    return act(visitor.contact_id, asked, environ, now)


def _messages(contact_id: int, asked: dict[str, Any], _environ: WSGIEnvironment, now: datetime) -> _Answer:
    page = _word(asked, "page")[:_LONGEST_PAGE]
    most = _whole(asked, "most", 1, showing.MOST_SHOWN)
    rows = showing.in_place(contact_id, _word(asked, "place")[:60], page, most, now)
    return {"messages": drawing.draw(rows)}, True


def _inbox(contact_id: int, asked: dict[str, Any], _environ: WSGIEnvironment, now: datetime) -> _Answer:
    before = _uuid(_word(asked, "after"))
    limit = _whole(asked, "limit", 20, showing.MOST_LISTED)
    start = showing.row_of(contact_id, before) if before else None
    if asked.get("after") and start is None:
        raise _Refused(400, "bad_cursor", "after is the id of a message of this inbox")
    rows, last = showing.in_inbox(contact_id, start, limit, now)
    return {
        "messages": drawing.draw(rows),
        "unread": showing.unread(contact_id, now),
        "next": str(last.key) if last else None,
    }, True


def _receipts(contact_id: int, asked: dict[str, Any], environ: WSGIEnvironment, now: datetime) -> _Answer:
    listed = asked.get("receipts")
    if not isinstance(listed, list) or len(listed) > _MOST_RECEIPTS:
        raise _Refused(400, "malformed", f"receipts is a list of at most {_MOST_RECEIPTS}")
    done = []
    for one in listed:
        kind = _word(one, "kind") if isinstance(one, dict) else ""
        key = _uuid(_word(one, "id")) if isinstance(one, dict) else None
        if kind not in receipts.KINDS or key is None:
            raise _Refused(400, "malformed", f"a receipt is an id and one of {', '.join(receipts.KINDS)}")
        done.append((key, kind))
    agent = "".join(sign for sign in environ.get("HTTP_USER_AGENT", "")[:300] if sign.isprintable())
    taken = receipts.take(contact_id, done, agent, now)
    if taken:
        pulse.wake("engagement")
    return {"taken": taken}, False


def _answers(contact_id: int, asked: dict[str, Any], _environ: WSGIEnvironment, now: datetime) -> _Answer:
    key, value = _uuid(_word(asked, "id")), asked.get("value")
    if key is None or isinstance(value, bool) or not isinstance(value, int | None):
        raise _Refused(400, "malformed", "an answer is an id, a whole number as value, and a text")
    taken = answers.take(contact_id, key, value, _word(asked, "text"), now)
    return {"taken": str(taken)}, False


_ACTS: dict[str, Callable[[int, dict[str, Any], WSGIEnvironment, datetime], _Answer]] = {
    "/i/messages": _messages,
    "/i/inbox": _inbox,
    "/i/receipts": _receipts,
    "/i/answers": _answers,
}


def _read(environ: WSGIEnvironment) -> dict[str, Any]:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > _MOST_BYTES:
        raise _Refused(413, "too_large", "at most 16 KB, with a Content-Length")
    try:
        asked = json.loads(environ["wsgi.input"].read(int(length)))
    except (ValueError, RecursionError):
        raise _Refused(400, "malformed", "not JSON") from None
    if not isinstance(asked, dict):
        raise _Refused(400, "malformed", "not an object")
    return asked


def _word(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    # Neither NUL nor half a sign can be looked for in the database.
    return (
        value.replace("\x00", "").encode(errors="ignore").decode()[:2_000] if isinstance(value, str) else ""
    )


def _whole(asked: dict[str, Any], name: str, usual: int, most: int) -> int:
    value = asked.get(name)
    return min(most, max(1, value)) if isinstance(value, int) and not isinstance(value, bool) else usual


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _say(
    start_response: StartResponse, status: int, said: dict[str, Any], more: list[tuple[str, str]]
) -> Iterable[bytes]:
    body = msgspec.json.encode(said)
    start_response(_STATUS[status], [*_HEADERS, *more, ("Content-Length", str(len(body)))])
    return [body]
