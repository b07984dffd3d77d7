"""Who was it: a person, or one of the machines that fetch what is in mails? Functions of their arguments.

One fetch tells by itself: by its method, headers and agent, and by how soon it came. What agents hide, the
company of other fetches tells: nobody follows several links in one second, nor one that cannot be seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from crawleruseragents import is_crawler

HUMAN = "human"
#: A mailbox provider fetches for everybody, read or not.
PROXY = "proxy"
#: A security product or a crawler looks at every link.
SCANNER = "scanner"
#: A browser or app fetches ahead of a click that may never come.
PREFETCH = "prefetch"

#: Nobody reads a message within these seconds of its being taken.
TOO_SOON = 2.0
#: Nobody follows so many different links of a message in so short a time.
BURSTS = ((2, timedelta(seconds=1)), (3, timedelta(seconds=3)))
#: What comes from the network of one that followed the hidden link is taken for the same machine so long.
COMPANY = timedelta(seconds=30)
#: By then what belongs together has come, on its way through all processes.
SETTLED = timedelta(seconds=5)

_PROXIES = ("googleimageproxy", "yahoomailproxy", "ymailproxy", "outlookimageproxy", "protonmail-image")
#: Apple's mail privacy protection calls itself this and nothing more.
_BARE_AGENTS = frozenset({"mozilla/5.0", "mozilla/4.0", ""})
_SCANNERS = (
    "barracuda", "proofpoint", "mimecast", "safelinks", "symantec", "trendmicro", "fireeye", "sophos",
    "headless", "python-requests", "python-urllib", "python-httpx", "go-http-client", "curl/", "wget/",
    "java/", "okhttp", "node-fetch", "axios", "libwww", "scanner", "preview", "bitlybot", "phantomjs",
    "ms-office", "microsoft office", "aiohttp", "apache-httpclient", "cloudmark", "forcepoint", "zscaler",
    "trustwave", "ironport", "messagelabs", "mailguard", "vade", "checkpoint", "electron-fetch", "guzzlehttp",
    "winhttp", "undici", "restsharp", "ruby", "libcurl", "perl", "puppeteer", "playwright", "selenium",
)  # fmt: skip
_AHEAD = ("prefetch", "preview", "prerender")


class Judged(NamedTuple):
    """The class of a fetch, and what told it."""

    actor: str
    why: str


def of(kind: str, method: str, agent: str, purpose: str, seconds: float | None) -> Judged:
    """Class of one fetch. ``seconds`` passed since the provider took the message; None: not known."""
    lowered = agent.strip().lower()
    if kind == "trap":
        return Judged(SCANNER, "hidden_link")
    if method != "GET":
        return Judged(SCANNER, f"method:{method[:10]}")
    if seconds is not None and seconds < TOO_SOON:
        return Judged(SCANNER, "too_soon")
    if any(word in purpose.lower() for word in _AHEAD):
        return Judged(PREFETCH, "ahead")
    if name := next((name for name in _PROXIES if name in lowered), ""):
        return Judged(PROXY, f"agent:{name}")
    if kind == "open" and lowered in _BARE_AGENTS:
        return Judged(PROXY, "bare_agent")
    # What follows a link is a browser, and that says more of itself.
    if lowered in _BARE_AGENTS:
        return Judged(SCANNER, "bare_agent")
    if name := next((name for name in _SCANNERS if name in lowered), ""):
        return Judged(SCANNER, f"agent:{name}")
    if _crawls(agent):
        return Judged(SCANNER, "crawler")
    return Judged(HUMAN, "")


class Fetch(NamedTuple):
    """One fetch among others of its message. ``key`` is the caller's own name for it."""

    key: int
    message: int
    kind: str
    link: int | None
    at: datetime
    network: str
    agent: str


def company(fetches: Iterable[Fetch]) -> dict[int, str]:
    """Of fetches that may look like a person's, those that others give away: key to what told it."""
    told: dict[int, str] = {}
    by_message: dict[int, list[Fetch]] = defaultdict(list)
    for fetch in fetches:
        by_message[fetch.message].append(fetch)
    for together in by_message.values():
        if len(together) > 1:
            together.sort(key=lambda one: one.at)
            _many_links([one for one in together if one.kind == "click"], told)
            _beside_a_trap(together, told)
    return told


def _many_links(clicks: Sequence[Fetch], told: dict[int, str]) -> None:
    for number, span in BURSTS:
        first = 0
        for last, click in enumerate(clicks):
            while click.at - clicks[first].at > span:
                first += 1
            burst = clicks[first : last + 1]
            if len({one.link for one in burst}) >= number:
                told.update((one.key, "many_links") for one in burst)


def _beside_a_trap(together: Sequence[Fetch], told: dict[int, str]) -> None:
    for trap in (one for one in together if one.kind == "trap"):
        for one in together:
            near = abs(one.at - trap.at) <= COMPANY
            if near and (one.network, one.agent) == (trap.network, trap.agent):
                told[one.key] = "hidden_link"


@lru_cache(maxsize=4096)
def _crawls(agent: str) -> bool:
    return bool(is_crawler(agent))
