"""Who was it: a person, or one of the machines that fetch what is in mails? A function of its arguments."""

from __future__ import annotations

from functools import lru_cache

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

_PROXIES = ("googleimageproxy", "yahoomailproxy", "ymailproxy", "outlookimageproxy")
#: Apple's mail privacy protection calls itself this and nothing more.
_BARE_AGENTS = frozenset({"mozilla/5.0", "mozilla/4.0", ""})
_SCANNERS = (
    "barracuda", "proofpoint", "mimecast", "safelinks", "symantec", "trendmicro", "fireeye", "sophos",
    "headless", "python-requests", "python-urllib", "python-httpx", "go-http-client", "curl/", "wget/",
    "java/", "okhttp", "node-fetch", "axios", "libwww", "scanner", "preview", "bitlybot", "phantomjs",
)  # fmt: skip


def of(kind: str, method: str, agent: str, purpose: str, seconds: float | None) -> str:
    """Class of one fetch. ``seconds`` passed since the provider took the message; None: not known."""
    lowered = agent.strip().lower()
    if method != "GET" or (seconds is not None and seconds < TOO_SOON):
        return SCANNER
    if "prefetch" in purpose.lower() or "preview" in purpose.lower() or "prerender" in purpose.lower():
        return PREFETCH
    if any(name in lowered for name in _PROXIES) or (kind == "open" and lowered in _BARE_AGENTS):
        return PROXY
    if not lowered or any(name in lowered for name in _SCANNERS) or _crawls(agent):
        return SCANNER
    return HUMAN


@lru_cache(maxsize=4096)
def _crawls(agent: str) -> bool:
    return bool(is_crawler(agent))
