"""The door of /t/*: pixels and tracked links, answered before Django's middleware.

A fetch changes nothing but leaves a raw hit. A link leads only to the address it was made for: the token
names it, no parameter does. When the store is down pixels still answer, and so do links seen before.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Iterable
from typing import Any, Protocol, cast
from wsgiref.types import StartResponse, WSGIEnvironment

from django.db import DatabaseError
from psycopg_pool import PoolTimeout

from channels import sites
from channels.hits import HitWriter, NewHit
from channels.links import signer
from channels.models import TrackedLink
from channels.tracking import CLICK, OPEN, Token
from contacts import clock, pulse
from contacts.group_commit import GroupCommit, StoreDown

_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_HEADERS = [
    ("Cache-Control", "no-store, private, max-age=0"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Robots-Tag", "noindex, nofollow"),
    ("X-Content-Type-Options", "nosniff"),
]
_PATIENCE = 1.0
"Seconds that a reader waits for the hit to be durable; after that the answer goes out without."
_LONGEST = 300


class Store(Protocol):
    def store(self, rows: list[Any]) -> None: ...


@functools.lru_cache(maxsize=1)
def _store() -> Store:
    commit = GroupCommit(
        HitWriter(), after_commit=functools.partial(pulse.wake, "engagement"), patience=_PATIENCE
    )
    return cast(Store, commit)


@functools.lru_cache(maxsize=20_000)
def _address(link_id: int) -> str:
    """Where a link leads; it never changes. Raises TrackedLink.DoesNotExist."""
    return TrackedLink.objects.values_list("url", flat=True).get(id=link_id)


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return answer(environ, start_response, _store)


def answer(
    environ: WSGIEnvironment, start_response: StartResponse, store: Callable[[], Store]
) -> Iterable[bytes]:
    """One request; ``store`` gives the keeper of hits."""
    path: str = environ.get("PATH_INFO", "")
    method: str = environ.get("REQUEST_METHOD", "GET")
    if method not in ("GET", "HEAD"):
        return _plain(start_response, "405 Method Not Allowed", [("Allow", "GET, HEAD")])
    if path.startswith("/t/o/") and path.endswith(".gif"):
        token = signer().read(OPEN, path[5:-4])
        if token is not None:
            _keep(store, OPEN, token, environ)
            start_response(
                "200 OK", [*_HEADERS, ("Content-Type", "image/gif"), ("Content-Length", str(len(_GIF)))]
            )
            return [] if method == "HEAD" else [_GIF]
    elif path.startswith("/t/c/"):
        token = signer().read(CLICK, path[5:])
        if token is not None:
            return _lead(start_response, token, environ, store)
    return _plain(start_response, "404 Not Found", [])


def _lead(
    start_response: StartResponse, token: Token, environ: WSGIEnvironment, store: Callable[[], Store]
) -> Iterable[bytes]:
    try:
        address = _address(token.link_id)
    except TrackedLink.DoesNotExist:
        return _plain(start_response, "404 Not Found", [])
    except (DatabaseError, PoolTimeout):
        return _plain(start_response, "503 Service Unavailable", [("Retry-After", "5")])
    _keep(store, CLICK, token, environ)
    # Only a person's browser sends pages back; what looks at links ahead needs no token.
    if environ.get("REQUEST_METHOD") == "GET":
        address = sites.led_by(address, token, clock.now())
    location = address if address.isascii() else _ascii(address)
    start_response("302 Found", [*_HEADERS, ("Location", location), ("Content-Length", "0")])
    return []


def _keep(store: Callable[[], Store], kind: str, token: Token, environ: WSGIEnvironment) -> None:
    hit = NewHit(
        clock.now(),
        kind,
        token.message_id,
        token.created_at,
        token.link_id or None,
        data={
            "method": environ.get("REQUEST_METHOD", "GET"),
            "agent": _clean(environ.get("HTTP_USER_AGENT", "")),
            "purpose": _clean(
                environ.get("HTTP_SEC_PURPOSE", "")
                or environ.get("HTTP_PURPOSE", "")
                or environ.get("HTTP_X_MOZ", "")
            ),
            "network": _network(environ.get("REMOTE_ADDR", "")),
        },
    )
    try:
        store().store([hit])
    except StoreDown:
        # A reader is never kept waiting for our books.
        return


def _clean(text: str) -> str:
    return "".join(sign for sign in text[:_LONGEST] if sign.isprintable())


def _network(address: str) -> str:
    """The network of an address: enough to tell machines from people, too little to tell who."""
    if "." in address:
        return ".".join(address.split(".")[:3]) + ".0"
    return ":".join(address.split(":")[:3]) + "::" if address else ""


def _ascii(address: str) -> str:
    """A non-ASCII address as a browser would send it."""
    return "".join(
        sign if sign.isascii() else "".join(f"%{byte:02X}" for byte in sign.encode()) for sign in address
    )


def _plain(start_response: StartResponse, status: str, more: list[tuple[str, str]]) -> Iterable[bytes]:
    body = status.encode() + b"\n"
    start_response(
        status, [*_HEADERS, *more, ("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    )
    return [body]
