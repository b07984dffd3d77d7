"""Our own websites: links that lead there say which message brought the visit."""

from __future__ import annotations

import time
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlencode, urlsplit

from django.db import close_old_connections, connection

from channels.tracking import Token
from contacts import visits
from contacts.contention import STORE_FAULTS
from contacts.models import Source
from contacts.visits import PARAMETER, Visit

_FRESH = 10.0
"Seconds for which what is known of websites is used."


def led_by(address: str, token: Token, now: datetime) -> str:
    """``address`` with the token of the visit, where it is a page of ours; any other stays as it is."""
    parts = urlsplit(address)
    if parts.scheme not in ("https", "http") or (parts.hostname or "") not in hosts():
        return address
    visit = _visit(token)
    if visit is None:
        return address
    named = urlencode({PARAMETER: visits.signer().sign(visit, now)})
    return parts._replace(query=f"{parts.query}&{named}" if parts.query else named).geturl()


def hosts() -> frozenset[str]:
    """The hosts of our websites, each with and without www. None while the store is away."""
    return _hosts(int(time.monotonic() / _FRESH))


@lru_cache(maxsize=2)
def _hosts(_moment: int) -> frozenset[str]:
    renew()
    web = Source.objects.filter(kind=Source.Kind.WEB, active=True).exclude(site="")
    try:
        named = {urlsplit(site).hostname for site in web.values_list("site", flat=True)}
    except (*STORE_FAULTS, ValueError):
        return frozenset()
    bare = {host.removeprefix("www.") for host in named if host}
    return frozenset(bare | {f"www.{host}" for host in bare})


def renew() -> None:
    """As Django does at a request's beginning: a connection that failed before is not used again."""
    if not connection.in_atomic_block:
        close_old_connections()


def forget() -> None:
    """Ask the table again, after it was changed."""
    _hosts.cache_clear()


def _visit(token: Token) -> Visit | None:
    # By hand: this is asked for each click, and the ORM costs more than the rest of it.
    try:
        renew()
        with connection.cursor() as cursor:
            cursor.execute(_VISIT, [token.message_id, token.created_at])
            found = cursor.fetchone()
    except STORE_FAULTS:
        return None
    return Visit(*found) if found else None


_VISIT = (
    "SELECT id, channel, origin_slug, origin_step FROM channels_message"
    " WHERE id = %s AND created_at = %s AND contact_id > 0"
)
