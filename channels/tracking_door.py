"""The door of /t/*: pixels and tracked links, answered before Django's middleware.

A fetch changes nothing but leaves a raw hit, which is in the spool of this process before the answer goes
out. A link leads only to the address it was made for: the token names it, no parameter does. While the
database is away hits wait in the spool; pixels answer all the same, and so do links seen before.
"""

from __future__ import annotations

import base64
import functools
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from channels import sites
from channels.hit_spool import Spool, Table
from channels.hits import HitWriter, NewHit
from channels.links import BUTTON, signer
from channels.models import TrackedLink
from channels.tracking import CLICK, OPEN, SHOWN, TRAP, Token
from contacts import clock, pulse
from contacts.contention import STORE_FAULTS
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
_log = logging.getLogger(__name__)


class Store(Protocol):
    def store(self, rows: list[Any]) -> None: ...


@functools.lru_cache(maxsize=1)
def _store() -> Store:
    """The spool of this process; where no file can be written, hits go to the database at once."""
    after = functools.partial(pulse.wake, "engagement")
    try:
        return Spool(settings.SEGUE_SPOOL, Table(), after)
    except OSError as error:
        _log.warning("no spool in %s: %s", settings.SEGUE_SPOOL, error)
        return GroupCommit(HitWriter(), after_commit=after, patience=_PATIENCE)


def settle() -> None:
    """Wait until the database has what this process wrote down; for whoever reads it at once."""
    store = _store()
    if isinstance(store, Spool):
        store.settle()


@functools.lru_cache(maxsize=20_000)
def _address(link_id: int) -> str:
    """Where a link leads; it never changes. Raises TrackedLink.DoesNotExist."""
    sites.renew()
    return TrackedLink.objects.values_list("url", flat=True).get(id=link_id)


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return answer(environ, start_response, _store)


def answer(
    environ: WSGIEnvironment, start_response: StartResponse, store: Callable[[], Store]
) -> Iterable[bytes]:
    """One request; ``store`` gives the keeper of hits."""
    path: str = environ.get("PATH_INFO", "")
    method: str = environ.get("REQUEST_METHOD", "GET")
    if path.startswith("/t/d/"):
        return _shown(start_response, path[5:], method, store)
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
    elif path.startswith("/t/h/"):
        token = signer().read(TRAP, path[5:])
        if token is not None:
            _keep(store, TRAP, token, environ)
            start_response("204 No Content", _HEADERS)
            return []
    elif path.startswith("/t/check/"):
        return _prove(start_response, path[9:])
    return _plain(start_response, "404 Not Found", [])


def _lead(
    start_response: StartResponse, token: Token, environ: WSGIEnvironment, store: Callable[[], Store]
) -> Iterable[bytes]:
    if settings.SEGUE_LINK_DAYS and clock.now() - token.created_at > timedelta(settings.SEGUE_LINK_DAYS):
        return _over(start_response, environ)
    try:
        address = _address(token.link_id)
    except TrackedLink.DoesNotExist:
        return _plain(start_response, "404 Not Found", [])
    except STORE_FAULTS:
        return _plain(start_response, "503 Service Unavailable", [("Retry-After", "5")])
    _keep(store, CLICK, token, environ)
    # Only a person's browser sends pages back; what looks at links ahead needs no token.
    if environ.get("REQUEST_METHOD") == "GET":
        address = sites.led_by(address, token, clock.now())
    location = address if address.isascii() else _ascii(address)
    start_response("302 Found", [*_HEADERS, ("Location", location), ("Content-Length", "0")])
    return []


def _shown(
    start_response: StartResponse, text: str, method: str, store: Callable[[], Store]
) -> Iterable[bytes]:
    """A push was shown: its delivery, with nothing of who showed it. Only a POST counts."""
    token = signer().read(SHOWN, text)
    if token is None:
        return _plain(start_response, "404 Not Found", [])
    if method != "POST":
        return _plain(start_response, "405 Method Not Allowed", [("Allow", "POST")])
    _write(store, NewHit(clock.now(), "delivered", token.message_id, token.created_at))
    # A service worker belongs to the shop's site, which is another one.
    start_response("204 No Content", [*_HEADERS, ("Access-Control-Allow-Origin", "*")])
    return []


def _keep(store: Callable[[], Store], kind: str, token: Token, environ: WSGIEnvironment) -> None:
    data: dict[str, Any] = {
        "method": environ.get("REQUEST_METHOD", "GET"),
        "agent": _clean(environ.get("HTTP_USER_AGENT", "")),
        "purpose": _clean(
            environ.get("HTTP_SEC_PURPOSE", "")
            or environ.get("HTTP_PURPOSE", "")
            or environ.get("HTTP_X_MOZ", "")
        ),
        "network": _network(environ.get("REMOTE_ADDR", "")),
    }
    name, _equals, number = environ.get("QUERY_STRING", "").partition("=")
    if kind == CLICK and name == BUTTON and number in ("1", "2"):
        data["button"] = int(number)
    at, link = clock.now(), token.link_id or None
    _write(store, NewHit(at, kind, token.message_id, token.created_at, link, data=data))


def _write(store: Callable[[], Store], hit: NewHit) -> None:
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


def _over(start_response: StartResponse, environ: WSGIEnvironment) -> Iterable[bytes]:
    """A link whose time is over leads nowhere any more and says so, in the reader's language."""
    french = environ.get("HTTP_ACCEPT_LANGUAGE", "").strip().lower().startswith("fr")
    with override("fr" if french else "en"):
        title, words = _("This link is too old"), _("It was in a message of long ago and leads nowhere now.")
    page = (
        f'<!doctype html><html lang="{"fr" if french else "en"}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<title>{title}</title><main><h1>{title}</h1><p>{words}</p></main></html>"
    ).encode()
    start_response(
        "410 Gone",
        [*_HEADERS, ("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(page)))],
    )
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [page]


def _prove(start_response: StartResponse, asked: str) -> Iterable[bytes]:
    """Show that the domain that was asked leads here: only we can sign what was asked."""
    if not asked.isalnum() or len(asked) > _LONGEST:
        return _plain(start_response, "404 Not Found", [])
    body = signer().proof(asked).encode()
    start_response("200 OK", [*_HEADERS, ("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
