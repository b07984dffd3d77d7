"""The web SDK as every site loads it: a small file, and another for surveys, from any origin."""

from __future__ import annotations

import functools
import gzip
import hashlib
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

PLACE = Path(settings.BASE_DIR) / "sdk" / "segue.js"
SURVEY = PLACE.with_name("survey.js")


def shorn(source: str) -> str:
    """The script without comments of their own lines and without indentation: a quarter less to load."""
    kept, inside = [], False
    for line in map(str.strip, source.splitlines()):
        if inside or line.startswith("/*"):
            inside = not line.endswith("*/")
        elif line and not line.startswith("//"):
            kept.append(line)
    return "\n".join(kept) + "\n"


@functools.lru_cache(maxsize=2)
def _file(place: Path) -> tuple[bytes, bytes, str]:
    """(plain, gzipped, ETag) of the file; it changes only with the installation."""
    plain = shorn(place.read_text(encoding="utf-8")).encode()
    return plain, gzip.compress(plain, 9, mtime=0), f'W/"{hashlib.sha256(plain).hexdigest()[:16]}"'


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """`/sdk/segue.js`: kept by browsers for an hour, then asked for again by its ETag."""
    return _answer(request, PLACE)


@require_safe
def survey(request: HttpRequest) -> HttpResponse:
    """`/sdk/survey.js`: what segue.js loads where a message asks something."""
    return _answer(request, SURVEY)


def _answer(request: HttpRequest, place: Path) -> HttpResponse:
    plain, packed, tag = _file(place)
    if request.headers.get("If-None-Match") == tag:
        response: HttpResponse = HttpResponseNotModified()
    elif "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(packed, content_type="text/javascript; charset=utf-8")
        response["Content-Encoding"] = "gzip"
    else:
        response = HttpResponse(plain, content_type="text/javascript; charset=utf-8")
    response["ETag"] = tag
    response["Cache-Control"] = "public, max-age=3600"
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response
