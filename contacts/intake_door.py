"""The door of /v1/*: a small WSGI function that stands before Django's middleware.

It reads the request, names the source, lets `contacts.intake` check and `contacts.group_commit` store, and
answers in the form that senders of the Segment contract expect: 200 exactly, or an error they understand.
"""

from __future__ import annotations

import base64
import binascii
import functools
import ipaddress
import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from django.conf import settings

from contacts import clock, intake, pulse
from contacts import intake_limits as limits
from contacts.group_commit import GroupCommit, InboxWriter, StoreDown
from contacts.intake_body import Envelope, Refused, read_batch, read_single, too_large, unpacked
from contacts.intake_keys import Keyring, Sender
from contacts.intake_quota import Quota

log = logging.getLogger(__name__)

Headers = list[tuple[str, str]]

_CALLS: dict[str, str | None] = {name: name for name in intake.CALLS} | {"batch": None}
PATHS: dict[str, str | None] = {
    f"/v1/{path}": kind for name, kind in _CALLS.items() for path in (name, name[0])
}
"""Path to call, None for a batch. The one-letter paths are those of browsers."""

_STATUS = {
    status: f"{status} {HTTPStatus(status).phrase}"
    for status in (200, 204, 400, 401, 404, 405, 413, 429, 503)
}
_JSON: Headers = [("Content-Type", "application/json"), ("Access-Control-Allow-Origin", "*")]
_PREFLIGHT: Headers = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "authorization, content-type, x-retry-count"),
    ("Access-Control-Max-Age", "86400"),
]
_BETWEEN_WAKES = 0.05
"Seconds; ingest takes all that waits, so more hints than this are of no use."
_SUCCESS = b'{"success": true}'


class Store(Protocol):
    """Where rows go; returns once they are durable, raises StoreDown otherwise."""

    def store(self, rows: list[intake.Row]) -> None: ...


class Door:
    """One answer for one request. Holds what all requests of a process share."""

    def __init__(
        self,
        sender_of: Callable[[str], Sender | None],
        store: Store,
        quota: Quota,
        now: Callable[[], datetime],
        *,
        behind_proxy: bool = False,
    ) -> None:
        self._sender_of = sender_of
        self._store = store
        self._quota = quota
        self._now = now
        self._behind_proxy = behind_proxy

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "OPTIONS":
            start_response(_STATUS[204], _PREFLIGHT)
            return [b""]
        extra: Headers = []
        try:
            status, body = self._answer(environ)
        except Refused as refused:
            status, body = refused.status, _error(refused.code, refused.message, refused.field)
            if refused.retry_after is not None:
                extra.append(("Retry-After", str(refused.retry_after)))
            if status == 405:
                extra.append(("Allow", "POST, OPTIONS"))
        except Exception:
            # Nothing was promised to the sender, so it will send again.
            log.exception("intake failed")
            status, body = 503, _error("internal_error", "the event could not be taken in")
            extra.append(("Retry-After", "5"))
        start_response(_STATUS[status], [*_JSON, *extra, ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> tuple[int, bytes]:
        path = environ["PATH_INFO"].rstrip("/")
        if path not in PATHS:
            raise Refused(
                404, "unknown_path", "POST to /v1/ identify, track, page, screen, group, alias or batch"
            )
        if environ["REQUEST_METHOD"] != "POST":
            raise Refused(405, "method_not_allowed", "use POST")
        received_at = self._now()
        kind = PATHS[path]
        key = basic_key(environ.get("HTTP_AUTHORIZATION", ""))
        # A key in the header is judged before the body is read, so that strangers cost nothing.
        sender = self._admit(key) if key else None
        envelope = _envelope(environ, kind)
        if sender is None:
            sender = self._admit(envelope.key)
        peer = peer_of(environ, self._behind_proxy)
        taken = intake.take(envelope, kind, sender.source_id, received_at, server=sender.server, peer=peer)
        self._quota.charge(sender.source_id, len(taken.rows))
        try:
            self._store.store(taken.rows)
        except StoreDown as down:
            log.warning("intake: %s (%s)", down, down.__cause__ or "no further reason")
            raise _store_down() from down
        return _receipt(kind, taken)

    def _admit(self, key: str | None) -> Sender:
        if not key:
            raise Refused(
                401, "missing_key", "send the source's key by Basic auth or as writeKey", "writeKey"
            )
        try:
            sender = self._sender_of(key)
        except StoreDown as down:
            raise _store_down() from down
        if sender is None:
            raise Refused(
                401, "unknown_key", "the key is unknown, revoked or of an inactive source", "writeKey"
            )
        wait = self._quota.wait(sender.source_id)
        if wait:
            raise Refused(429, "too_many_events", "this source sends too fast", retry_after=wait)
        return sender


def basic_key(header: str) -> str | None:
    """The user name of an HTTP Basic header: SDKs send `key:` with an empty password."""
    scheme, _space, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return text.partition(":")[0] or None


def peer_of(environ: WSGIEnvironment, behind_proxy: bool) -> str:
    """The network address that a request came from, or "". Only our own proxy's word is taken, the last."""
    text = str(environ.get("REMOTE_ADDR", ""))
    if behind_proxy and (forwarded := str(environ.get("HTTP_X_FORWARDED_FOR", ""))):
        text = forwarded.rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _envelope(environ: WSGIEnvironment, kind: str | None) -> Envelope:
    body = unpacked(_read(environ), environ.get("HTTP_CONTENT_ENCODING", "").strip().lower())
    return read_batch(body) if kind is None else read_single(body)


def _read(environ: WSGIEnvironment) -> bytes:
    """The body, with or without an announced length; nothing is read beyond the limit."""
    announced = environ.get("CONTENT_LENGTH") or ""
    limit = limits.MAX_BODY_BYTES
    if announced.isdecimal():
        if int(announced) > limit:
            raise too_large()
        limit = int(announced)
        body: bytes = environ["wsgi.input"].read(limit)
        if len(body) < limit:
            raise Refused(400, "body_cut_short", "the body is shorter than its Content-Length")
        return body
    body = environ["wsgi.input"].read(limit + 1) if environ.get("wsgi.input_terminated") else b""
    if len(body) > limit:
        raise too_large()
    return body


def _receipt(kind: str | None, taken: intake.Intake) -> tuple[int, bytes]:
    if not taken.rejected:
        return 200, _SUCCESS
    if kind is not None:
        reason = taken.rejected[0].rejection
        status = 413 if reason.code == "event_too_large" else 400
        return status, _error(reason.code, reason.message, reason.field)
    rejected: list[dict[str, Any]] = [
        {
            "index": receipt.position,
            "messageId": receipt.message_id,
            "code": receipt.rejection.code,
            "message": receipt.rejection.message,
            "field": receipt.rejection.field,
        }
        for receipt in taken.rejected
    ]
    accepted = len(taken.rows) - len(rejected)
    return 200, msgspec.json.encode({"success": True, "accepted": accepted, "rejected": rejected})


def _error(code: str, message: str, field: str | None = None) -> bytes:
    return msgspec.json.encode({"code": code, "message": message, "field": field})


def _store_down() -> Refused:
    return Refused(503, "store_unavailable", "events cannot be stored just now; send again", retry_after=2)


class Waker:
    """Wakes ingest from a thread of its own, so that a slow broker never holds up a commit."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._asked = threading.Event()
        threading.Thread(target=self._work, name="wake-ingest", daemon=True).start()

    def ask(self) -> None:
        self._asked.set()

    def _work(self) -> None:
        while self._asked.wait():
            self._asked.clear()
            self._wake()
            time.sleep(_BETWEEN_WAKES)


def _open_door() -> Door:
    waker = Waker(functools.partial(pulse.wake, "ingest"))
    commit = GroupCommit(InboxWriter(), after_commit=waker.ask)
    rate = settings.SEGUE_INTAKE_RATE / settings.SEGUE_WEB_WORKERS
    behind_proxy = settings.SECURE_PROXY_SSL_HEADER is not None
    return Door(Keyring().sender_of, commit, Quota(rate), clock.now, behind_proxy=behind_proxy)


class _Entrance:
    """Opens this process's door at its first request: threads made earlier would not survive a fork."""

    def __init__(self) -> None:
        self._opening = threading.Lock()
        self._door: Door | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._door is None:
            with self._opening:
                self._door = self._door or _open_door()
        return self._door(environ, start_response)


application = _Entrance()
"""WSGI for every path below /v1/."""
