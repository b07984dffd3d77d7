"""Fetches of pixels and links as people and machines make them, labelled by hand.

A case is what one of them does with one message. Agents are as they are seen in the logs of mail services;
the behaviour beside them is what vendors document and what their customers report.
"""

from __future__ import annotations

from typing import NamedTuple

from crawleruseragents import CRAWLER_USER_AGENTS_DATA


class One(NamedTuple):
    """One fetch, so many seconds after the provider took the message."""

    kind: str
    after: float
    agent: str
    link: int | None = None
    method: str = "GET"
    purpose: str = ""
    network: str = "198.51.100.0"


Case = list[One]

_CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
_EDGE = _CHROME + " Edg/{}.0.0.0"
_FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
_SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/{}.4 Safari/605.1.15"
)
_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS {0}_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/{0}.2 Mobile/15E148 Safari/604.1"
)
_ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Mobile Safari/537.36"

#: What people read mails and follow links with.
BROWSERS = [
    *(_CHROME.format(number) for number in range(120, 143, 2)),
    *(_EDGE.format(number, number) for number in range(120, 143, 4)),
    *(_FIREFOX.format(number) for number in (115, 128, 135, 140, 144)),
    *(_SAFARI.format(number) for number in (16, 17, 18, 26)),
    *(_IPHONE.format(number) for number in (15, 16, 17, 18, 26)),
    *(_ANDROID.format(number) for number in range(120, 143, 4)),
    # Mail programs, which draw pixels with the machine's own engine.
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Thunderbird/140.1.0",
    # Browsers inside apps.
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " GSA/340.0 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Version/4.0 Chrome/131.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-A536B) AppleWebKit/537.36 (KHTML, like Gecko)"
    " SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"
    " Safari/537.36 OPR/115.0.0.0",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.7 Mobile/15E148 Safari/604.1",
]


def _person(agent: str, number: int) -> Case:
    """Ways in which people read: at once, late, twice, two links, from two places."""
    ways: list[Case] = [
        [One("open", 4.0, agent), One("click", 9.0, agent, 1)],
        [One("open", 3600.0, agent)],
        [One("open", 120.0, agent), One("open", 125.0, agent), One("click", 130.0, agent, 2)],
        # A double click on one link.
        [One("open", 60.0, agent), One("click", 64.0, agent, 1), One("click", 64.3, agent, 1)],
        # One link after the other, in new tabs.
        [One("click", 300.0, agent, 1), One("click", 304.0, agent, 2), One("click", 309.0, agent, 3)],
        [One("click", 7200.0, agent, 3), One("click", 90000.0, agent, 3, network="203.0.113.0")],
        [One("open", 2.5, agent)],
        # Forwarded: two people within a minute, each with a link.
        [One("click", 500.0, agent, 1), One("click", 500.8, agent, 1, network="192.0.2.0")],
    ]
    return ways[number % len(ways)]


HUMANS: list[Case] = [_person(agent, number) for number in range(8) for agent in BROWSERS]


def _machine(agent: str, number: int) -> Case:
    """Ways of scanners that call themselves a browser."""
    ways: list[Case] = [
        # Everything within two seconds of arrival.
        [One("open", 0.6, agent), *(One("click", 0.7 + link / 10, agent, link) for link in range(1, 5))],
        # Every link at once, minutes later, from several machines.
        [One("click", 240.0 + link / 8, agent, link, network=f"192.0.{link}.0") for link in range(1, 7)],
        # Asks for the heads of links.
        [One("click", 30.0 + link, agent, link, method="HEAD") for link in range(1, 4)],
        # Ahead of a click, as browsers and mail apps do.
        [
            One("click", 40.0, agent, 1, purpose="prefetch"),
            One("open", 41.0, agent, purpose="prefetch;prerender"),
        ],
        # Slowly, link by link, and the one that nobody sees as well.
        [
            *(One("click", 100.0 + 4 * link, agent, link) for link in range(1, 4)),
            One("trap", 116.0, agent),
            One("open", 118.0, agent),
        ],
    ]
    return ways[number % len(ways)]


_NAMED = [
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Mozilla/5.0", "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "Mozilla/5.0 (compatible; BarracudaCentral link scanner)", "python-requests/2.32.3", "Go-http-client/1.1",
    "curl/8.5.0", "Wget/1.21.4", "Java/17.0.9", "okhttp/4.12.0", "node-fetch/1.0", "axios/1.7.2", "",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 HeadlessChrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", "Slackbot-LinkExpanding 1.0",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "WhatsApp/2.23.20.0",
    "TelegramBot (like TwitterBot)", "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient)",
    "Twitterbot/1.0", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)", "MS-Office/16.0",
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.0; Trend Micro; TrendMicro WTP)",
    "Mozilla/5.0 (compatible; Sophos Email Scanner)", "Mimecast-URL-Scanner/1.0", "Proofpoint URL Defense",
    "FireEye-ETP/1.0", "Zscaler-Sandbox/2.0", "ForcepointUrlScanner/8.5", "Python/3.11 aiohttp/3.9.5",
    "Apache-HttpClient/4.5.14 (Java/11.0.20)", "libwww-perl/6.72", "GuzzleHttp/7", "Ruby",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; ProtonMail-Image-Proxy)",
]  # fmt: skip

_CRAWLERS = [agent for one in CRAWLER_USER_AGENTS_DATA for agent in one.get("instances", ())[:1]]

MACHINES: list[Case] = [
    *(_machine(agent, number) for number in range(5) for agent in BROWSERS[::5]),
    *([One("open", 90.0, agent)] for agent in _NAMED),
    *([One("click", 600.0, agent, 1)] for agent in _NAMED),
    *([One("click", 600.0, agent, 1)] for agent in _CRAWLERS),
]
