"""What somebody typed or sent and no database can hold is their mistake (400), not ours (500)."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.views.defaults import bad_request

#: PostgreSQL's texts and jsonb have no NUL character; forms refuse it, addresses and filters do not.
_SAID_OF_NUL = ("NUL (0x00)", "\\u0000")


class UnstorableMiddleware:
    """Answers 400 where a query failed for a NUL character in what was asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, DataError) and any(part in str(error) for part in _SAID_OF_NUL):
            return bad_request(request, error)
        return None
