"""Data feeds in messages: fetched at most once a batch and never once a person, bounded in time and size.

A feed that does not answer holds up nobody: what it said last is used for a while, then its name has no
value, and templates say what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db.models import Q
from django.utils.translation import gettext as _

from channels import sealing
from channels.models import DataFeed
from channels.providers.outgoing import NoAnswerError, NotAllowedError, NotSentError, Outgoing, resolve
from channels.rendering_liquid import plain

NAME = "feeds"
_AT_ONCE = 4
#: How long a server that failed is left alone.
_REST = timedelta(minutes=1)
_LARGEST = 64_000
_NAMED = re.compile(r"\bfeeds\.([a-z0-9_]{1,60})")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of asking a feed: its content, or why there is none."""

    content: Any = None
    error: str = ""


Fetch = Callable[[DataFeed], Fetched]


def named(texts: Iterable[str]) -> set[str]:
    """Slugs of the feeds that templates ask for."""
    return {slug for text in texts if NAME in text for slug in _NAMED.findall(text)}


def values(slugs: Collection[str], now: datetime, fetch: Fetch | None = None) -> dict[str, Any]:
    """What the feeds say, by slug; one statement, and two more for each feed whose time is over.

    The network is waited for outside of transactions, for all feeds together no longer than for the slowest.
    """
    if not slugs:
        return {}
    rows = list(DataFeed.objects.filter(slug__in=slugs, active=True))
    due = [row for row in rows if row.next_at is None or row.next_at <= now]
    taken = [row for row in due if _take(row, now)]
    if taken:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for row, told in zip(taken, pool.map(fetch or ask, taken), strict=True):
                _keep(row, told, now)
    return {row.slug: plain(row.content) for row in rows if _is_good(row, now)}


def check_address(url: str) -> None:
    """Raise ValueError, in words, where a feed may not be asked there."""
    if not url.startswith(("https://", "http://")) or "@" in url.split("/")[2]:
        raise ValueError(_("Only http and https, without a user name."))
    host = url.split("/")[2].rpartition(":")[0] or url.split("/")[2]
    try:
        resolve(host, 443)
    except NotAllowedError as error:
        raise ValueError(str(error)) from None
    except NotSentError:
        pass  # It may be there later.


def ask_at_once(feed: DataFeed, now: datetime) -> None:
    """Ask a feed's server whether or not its time is over, and keep what it says."""
    DataFeed.objects.filter(pk=feed.pk).update(next_at=None)
    values({feed.slug}, now)


def ask(feed: DataFeed) -> Fetched:
    """One request of a feed's server. Never raises."""
    outgoing = Outgoing(read_seconds=float(feed.seconds))
    headers = {"Accept": "application/json"}
    try:
        secret = sealing.unseal(feed.secrets).get("authorization", "")
        if secret:
            headers["Authorization"] = secret
        answer = outgoing.call("GET", feed.url, headers=headers)
    except (NotAllowedError, NotSentError, NoAnswerError, sealing.SecretsUnreadableError) as error:
        return Fetched(error=str(error)[:300])
    finally:
        outgoing.close()
    if answer.status != 200:
        return Fetched(error=f"answered {answer.status}")
    if len(answer.body) >= _LARGEST:
        return Fetched(error="is larger than 64 KB")
    try:
        found = msgspec.json.decode(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return Fetched(error="is no JSON")
    return Fetched(plain(found))


def _take(row: DataFeed, now: datetime) -> bool:
    """Whether this worker is the one to fetch: for the time being the others use what is there."""
    until = now + timedelta(seconds=row.seconds) + _REST
    mine = DataFeed.objects.filter(pk=row.pk).filter(Q(next_at=None) | Q(next_at__lte=now))
    return mine.update(next_at=until) == 1


def _keep(row: DataFeed, told: Fetched, now: datetime) -> None:
    if told.error:
        row.error, row.next_at = told.error.replace("\x00", ""), now + _REST
        row.save(update_fields=["error", "next_at"])
        return
    row.content, row.error, row.fetched_at = told.content, "", now
    row.next_at = now + timedelta(minutes=row.minutes)
    row.save(update_fields=["content", "error", "fetched_at", "next_at"])


def _is_good(row: DataFeed, now: datetime) -> bool:
    if row.fetched_at is None:
        return False
    return now <= row.fetched_at + timedelta(minutes=row.minutes) + timedelta(hours=row.hours)
