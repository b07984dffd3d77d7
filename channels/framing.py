"""Foreign HTML on our own pages: shown in a frame that can do nothing."""

from __future__ import annotations

from django.http import HttpResponse

#: Pictures and styles, and nothing else.
POLICY = (
    "default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'self'; sandbox"
)


def framed(page: str, kind: str) -> HttpResponse:
    """An answer for a sandboxed frame; ``kind`` is its media type."""
    response = HttpResponse(page, content_type=f"{kind}; charset=utf-8")
    response["Content-Security-Policy"] = POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
