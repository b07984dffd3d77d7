"""The one way in which Segue calls other servers: to public addresses, within bounds, following nobody.

The name is resolved once, each address is checked, and the connection goes to that very address; so neither
a name that leads inward nor one that changes its mind gets anywhere. Hosts that SEGUE_LOCAL_HOSTS names may
be inside.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import urllib3
from django.conf import settings
from urllib3.connection import BaseSSLError, HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.response import BaseHTTPResponse, HTTPResponse
from urllib3.util.ssl_match_hostname import CertificateError

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
_MOST_BYTES = 64_000


class NotAllowedError(Exception):
    """The address must not be called: not http(s), not public, or not an address at all."""


class NotSentError(Exception):
    """The request was not sent: nobody answered, or not with the right certificate."""


class NoAnswerError(Exception):
    """The request was sent and no whole answer came: it may have been acted on."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def retry_after(self, now: datetime) -> float | None:
        """Seconds that the server asks us to wait, from a number or a date."""
        value = self.headers.get("retry-after", "").strip()
        if value.isascii() and value.lstrip("-").isdigit():
            return float(value[:12])
        try:
            at = parsedate_to_datetime(value)
        except (TypeError, ValueError):
            return None
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now.timestamp()


class _Plain(HTTPConnection):
    """A connection on which even the head of an answer has to come in time, however it drips."""

    longest = READ_SECONDS

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        cut = threading.Timer(self.longest, _cut, [self.sock])
        cut.daemon = True
        cut.start()
        try:
            return super().getresponse()
        finally:
            cut.cancel()


class _Secure(_Plain, HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except (BaseSSLError, CertificateError) as error:
            # Told apart from a fault of TLS later on, when the request may have been acted on.
            raise NewConnectionError(self, str(error)) from error


def _cut(connected: socket.socket) -> None:
    # Below TLS, whose own way of ending would wait for the other side.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


class Outgoing:
    """Calls one server after the other; keeps connections to each checked address."""

    def __init__(self, read_seconds: float = READ_SECONDS) -> None:
        self._pools: dict[tuple[str, str, int, str], urllib3.HTTPConnectionPool] = {}
        self._seconds = read_seconds
        self._timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)

    def call(
        self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request, one answer, no redirect. Raises NotAllowedError, NotSentError, NoAnswerError."""
        parts = _split(url)
        pool = self._pool(*parts)
        host = urlsplit(url).netloc.rpartition("@")[2]
        path = urlsplit(url)
        target = (path.path or "/") + (f"?{path.query}" if path.query else "")
        try:
            response = pool.urlopen(
                method, target, body=body or None,
                headers={"Host": host, "User-Agent": "Segue", **(headers or {})},
                retries=False, redirect=False, preload_content=False, timeout=self._timeout,
            )  # fmt: skip
        except (
            NewConnectionError,
            ConnectTimeoutError,
            NameResolutionError,
            MaxRetryError,
        ) as error:
            raise NotSentError(_words(error)) from None
        except (HTTPError, OSError) as error:
            raise NoAnswerError(_words(error)) from None
        whole = False
        try:
            content, whole = _body(response, time.monotonic() + self._seconds)
        except (HTTPError, OSError) as error:
            raise NoAnswerError(_words(error)) from None
        finally:
            if whole:
                response.release_conn()
            else:
                response.close()
        return Answer(
            response.status, {name.lower(): value for name, value in response.headers.items()}, content
        )

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def _pool(self, scheme: str, host: str, port: int) -> urllib3.HTTPConnectionPool:
        address = resolve(host, port)
        key = (scheme, host, port, address)
        if key not in self._pools:
            if scheme == "https":
                self._pools[key] = urllib3.HTTPSConnectionPool(
                    address,
                    port,
                    maxsize=1,
                    cert_reqs="CERT_REQUIRED",
                    assert_hostname=host,
                    server_hostname=host,
                )
            else:
                self._pools[key] = urllib3.HTTPConnectionPool(address, port, maxsize=1)
            base = _Secure if scheme == "https" else _Plain
            self._pools[key].ConnectionCls = type(base.__name__, (base,), {"longest": self._seconds})
        return self._pools[key]


def _body(response: BaseHTTPResponse, until: float) -> tuple[bytes, bool]:
    """What can be read until then, up to our limit, and whether that is all of it."""
    content = b""
    while len(content) < _MOST_BYTES and time.monotonic() < until:
        part = response.read1(_MOST_BYTES - len(content), decode_content=False)
        if not part:
            return content, True
        content += part
    return content, False


def resolve(host: str, port: int) -> str:
    """An address of ``host`` that may be called. Raises NotAllowedError, NotSentError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotSentError(f"{host} has no address") from None
    addresses = [str(entry[4][0]) for entry in found]
    if host.lower() in {name.lower() for name in settings.SEGUE_LOCAL_HOSTS}:
        return addresses[0]
    # All must be public: an answer that mixes in an inner address is no accident.
    if not all(map(is_public, addresses)):
        raise NotAllowedError(f"{host} is not on the public internet")
    return addresses[0]


def is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            ip = inner
        elif ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _split(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotAllowedError("not an address") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise NotAllowedError("only http and https, without a user name")
    if any(ord(sign) < 33 or sign == "\\" for sign in url):
        raise NotAllowedError("not an address")
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
