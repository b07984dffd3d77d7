"""Foreign HTML on our own pages: shown in a frame that can do nothing."""

from __future__ import annotations

import re

from django.http import HttpResponse

#: Pictures and styles, and nothing else.
POLICY = (
    "default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'self'; sandbox"
)


#: As mailboxes do that turn light mails dark by themselves; pictures keep their colours.
_DARK = (
    "<style>:root{color-scheme:dark}html{background:#fff;filter:invert(1) hue-rotate(180deg)}"
    "img,video,[background]{filter:invert(1) hue-rotate(180deg)}</style>"
)
_DARK_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)")


def darkened(page: str) -> str:
    """An email as a dark mailbox shows it: by its own dark styles, where it has some, else turned over."""
    if _DARK_QUERY.search(page):
        return _DARK_QUERY.sub("all", page)
    place = page.lower().find("</head>")
    return _DARK + page if place < 0 else page[:place] + _DARK + page[place:]


def framed(page: str, kind: str) -> HttpResponse:
    """An answer for a sandboxed frame; ``kind`` is its media type."""
    response = HttpResponse(page, content_type=f"{kind}; charset=utf-8")
    response["Content-Security-Policy"] = POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
