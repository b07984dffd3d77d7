"""Addresses that templates lead to, and the tracked ones that stand for them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from datetime import datetime
from functools import lru_cache, partial

import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.utils.html import escape

from channels import tracking
from channels.tracking import CLICK, OPEN, SHOWN, TRAP, Signer

#: The parameter of a tracked address that says which button of a push was pressed.
BUTTON = "b"
_MOST_KNOWN = 50_000

_known: dict[str, int] = {}


@lru_cache(maxsize=1)
def signer() -> Signer:
    return Signer(settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS)


def ids(addresses: Collection[str]) -> dict[str, int]:
    """The id of each address, which is remembered for ever; at most two statements for new ones.

    Our own pages get none: they are one a person, and whoever reads a stored one could open it.
    """
    wanted = {address for address in addresses if not _ours(address)}
    found = {address: _known[address] for address in wanted if address in _known}
    missing = wanted - found.keys()
    return found | _learn(missing) if missing else found


def forget() -> None:
    """Ask the table again, after it was emptied or restored."""
    _known.clear()


def tracker(message_id: int, created_at: datetime, known: dict[str, int]) -> Callable[[str], str]:
    """What turns an address in one message into a tracked one. Our own pages stay as they are."""

    sign, own = signer().token, tracking.front(message_id, created_at)
    begins = f"{settings.SEGUE_TRACKING_URL}/t/c/"
    made: dict[str, str] = {}

    def track(address: str) -> str:
        if address not in made:
            link_id = known.get(address)
            made[address] = address if link_id is None else begins + sign(CLICK, own, link_id).decode("ascii")
        return made[address]

    return track


def pixel(message_id: int, created_at: datetime) -> str:
    """The HTML of a message's pixel, and of a link that only machines find: it is drawn nowhere."""
    sign, own = signer().token, tracking.front(message_id, created_at)
    before, between, after = pixel_frame(settings.SEGUE_TRACKING_URL)
    trap, opened = sign(TRAP, own).decode("ascii"), sign(OPEN, own).decode("ascii")
    return f"{before}{trap}{between}{opened}{after}"


def pixel_frame(tracking_url: str) -> tuple[str, str, str]:
    """What stands before, between and after the two tokens of ``pixel``."""
    begins = escape(f"{tracking_url}/t")
    return (
        f'<a href="{begins}/h/',
        f'" style="display:none" aria-hidden="true" tabindex="-1" rel="nofollow"></a><img src="{begins}/o/',
        '.gif" width="1" height="1" alt="" style="display:block;border:0">',
    )


def receipt(message_id: int, created_at: datetime) -> str:
    """Where a browser or an app tells that it has shown a push."""
    return f"{settings.SEGUE_TRACKING_URL}/t/d/{signer().sign(SHOWN, message_id, created_at)}"


def _ours(address: str) -> bool:
    return address.startswith((settings.SEGUE_BASE_URL + "/", settings.SEGUE_TRACKING_URL + "/"))


def _learn(addresses: set[str]) -> dict[str, int]:
    ordered = sorted(addresses)
    digests = [hashlib.sha256(address.encode()).digest() for address in ordered]
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        # The union sees rows of before and rows just made; the rare address that another worker makes at
        # this very moment is found by asking again.
        for _attempt in range(2):
            cursor.execute(_LEARN, [ordered, digests])
            found = dict(cursor.fetchall())
            if len(found) == len(ordered):
                break
    # Only what is committed may be remembered: a row that is taken back would leave links to nowhere.
    transaction.on_commit(partial(_remember, found))
    return found


def _remember(found: dict[str, int]) -> None:
    if len(_known) + len(found) > _MOST_KNOWN:
        _known.clear()
    _known.update(found)


# Only what is not there is inserted, so that ids are not used up by every message.
_LEARN = """
WITH wanted AS (SELECT * FROM unnest(%b::text[], %b::bytea[]) AS u(url, digest)),
present AS (SELECT w.url, t.id FROM wanted w JOIN channels_trackedlink t ON t.digest = w.digest),
made AS (
    INSERT INTO channels_trackedlink (digest, url)
    SELECT w.digest, w.url FROM wanted w WHERE w.url NOT IN (SELECT url FROM present)
    ON CONFLICT (digest) DO NOTHING RETURNING url, id
)
SELECT url, id FROM present UNION ALL SELECT url, id FROM made
"""
