"""Is the domain of our links in order? Asked for by a person, and by the auditor now and then.

The domain leads here when it answers, over its own certificate, what only we can sign.
"""

from __future__ import annotations

import http.client
import ipaddress
import secrets
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from channels.links import signer

_PATIENCE = 5.0
#: A certificate that ends sooner should have been renewed by now.
EXPIRES_SOON = timedelta(days=14)


class Remark(NamedTuple):
    """One thing that was looked at: ``good``, ``warn`` or ``bad``, and what to do where it is not good."""

    tone: str
    what: str
    words: str
    remedy: str = ""


@dataclass(slots=True)
class Report:
    address: str
    host: str
    own: bool
    remarks: list[Remark] = field(default_factory=list)

    @property
    def tone(self) -> str:
        tones = {remark.tone for remark in self.remarks}
        return next((tone for tone in ("bad", "warn") if tone in tones), "good")


class Certificate(NamedTuple):
    issuer: str
    ends: datetime


@dataclass(frozen=True, slots=True)
class Outside:
    """How the world is asked; tests put their own in."""

    resolve: Callable[[str], list[str]]
    certificate: Callable[[str, int], Certificate]
    fetch: Callable[[str, str], tuple[int, str]]


def look(now: datetime, outside: Outside | None = None) -> Report:
    """Ask everything about the address with which links begin. Takes seconds: call outside transactions."""
    outside = outside or Outside(_resolve, _certificate, _fetch)
    address: str = settings.SEGUE_TRACKING_URL
    parts = urlsplit(address)
    host = parts.hostname or ""
    report = Report(address, host, settings.SEGUE_TRACKING_URL != settings.SEGUE_BASE_URL)
    if is_local(host):
        report.remarks.append(
            Remark(
                "warn",
                _("Address"),
                _("%s can only be reached from this machine.") % host,
                _("Set SEGUE_BASE_URL, or SEGUE_TRACKING_URL, to a domain that readers can reach."),
            )
        )
        return report
    if not _named(report, host, outside):
        return report
    if parts.scheme == "https":
        if not _certified(report, host, parts.port or 443, now, outside):
            return report
    else:
        report.remarks.append(
            Remark(
                "bad",
                _("Certificate"),
                _("Links begin with http and not with https: mailboxes warn of them, or do not open them."),
                _("Get a certificate for %s and let SEGUE_TRACKING_URL begin with https.") % host,
            )
        )
    _leads_here(report, address, outside)
    return report


def is_local(host: str) -> bool:
    """A host that means this machine or the network at home."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_private


def _named(report: Report, host: str, outside: Outside) -> bool:
    what = _("Name (DNS)")
    try:
        found = outside.resolve(host)
    except OSError:
        remedy = _(
            "At whoever keeps your domain, add a CNAME record for %(host)s that points to %(base)s."
        ) % {
            "host": host,
            "base": urlsplit(settings.SEGUE_BASE_URL).hostname,
        }
        report.remarks.append(Remark("bad", what, _("Nobody knows the name %s.") % host, remedy))
        return False
    report.remarks.append(
        Remark(
            "good", what, _("%(host)s is found at %(found)s.") % {"host": host, "found": ", ".join(found[:4])}
        )
    )
    return True


def _certified(report: Report, host: str, port: int, now: datetime, outside: Outside) -> bool:
    what = _("Certificate")
    renew = _("Look at the renewal of certificates in the web server that stands in front.")
    try:
        found = outside.certificate(host, port)
    except ssl.SSLCertVerificationError as error:
        words = _("Browsers refuse the certificate: %s.") % getattr(error, "verify_message", str(error))
        report.remarks.append(
            Remark("bad", what, words, _("The certificate must be for %s. ") % host + renew)
        )
        return False
    except OSError:
        words = _("Nobody answers at %(host)s, port %(port)s.") % {"host": host, "port": port}
        remedy = _("Let the web server in front listen for %s and hand requests on.") % host
        report.remarks.append(Remark("bad", what, words, remedy))
        return False
    days = (found.ends - now).days
    words = _("Valid, from %(issuer)s, for %(days)s more days.") % {"issuer": found.issuer, "days": days}
    soon = found.ends - now < EXPIRES_SOON
    report.remarks.append(Remark("warn" if soon else "good", what, words, renew if soon else ""))
    return True


def _leads_here(report: Report, address: str, outside: Outside) -> None:
    what, asked = _("Leads here"), secrets.token_hex(16)
    try:
        status, answer = outside.fetch(address, f"/t/check/{asked}")
    except (OSError, http.client.HTTPException):
        status, answer = 0, ""
    if status == 200 and secrets.compare_digest(answer.strip(), signer().proof(asked)):
        report.remarks.append(Remark("good", what, _("Links and pixels reach this installation.")))
        return
    words = _("The domain answers, and it is not this installation that does.")
    if not status:
        words = _("The domain does not answer.")
    remedy = _("Let the web server in front hand everything below /t/ on to this installation.")
    report.remarks.append(Remark("bad", what, words, remedy))


def _resolve(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return sorted({str(one[4][0]) for one in found})


def _certificate(host: str, port: int) -> Certificate:
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), timeout=_PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        told: dict[str, Any] = dict(secured.getpeercert() or {})
    names = {key: value for part in told.get("issuer", ()) for key, value in part}
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told.get("notAfter"))), UTC)
    return Certificate(names.get("organizationName") or names.get("commonName", "?"), ends)


def _fetch(address: str, path: str) -> tuple[int, str]:
    """The status and the beginning of the answer; no redirect is followed."""
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_PATIENCE)
    try:
        connection.request("GET", (parts.path.rstrip("/") or "") + path)
        answer = connection.getresponse()
        return answer.status, answer.read(500).decode("utf-8", "replace")
    finally:
        connection.close()
