"""The one shape of errors: {code, message, field, errors?}.

``code`` is for programs and does not change, ``message`` is for people, ``field`` names what is wrong, with
dots and numbers for what lies within (`contacts.3.email`), or is null. Where several things are wrong,
``errors`` has one {field, code, message} for each.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, serializers
from rest_framework.response import Response

log = logging.getLogger(__name__)

_MOST = 100
"Errors listed in one answer."


class Refused(exceptions.APIException):
    """A request that cannot be done, with the status, code, message and field of its answer."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        *,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, code)
        self.status_code, self.code, self.field, self.retry_after = status, code, field, retry_after


def contended() -> Refused:
    message = "Others keep changing the same contacts; nothing was stored, try again."
    return Refused(409, "contended", message, retry_after=1)


def bad_request(code: str, message: str, field: str | None = None) -> Refused:
    return Refused(400, code, message, field)


def not_found(what: str, field: str | None = None) -> Refused:
    return Refused(404, "not_found", f"There is no such {what}.", field)


class ErrorDetail(serializers.Serializer[Any]):
    field = serializers.CharField(allow_null=True)
    code = serializers.CharField()
    message = serializers.CharField()


class Error(serializers.Serializer[Any]):
    """What every request that cannot be done is answered."""

    code = serializers.CharField(help_text="For programs; does not change.")
    message = serializers.CharField(help_text="For people.")
    field = serializers.CharField(allow_null=True, help_text="What is wrong, such as contacts.3.email.")
    errors = ErrorDetail(  # type: ignore[assignment]
        many=True, required=False, help_text="Each of several things that are wrong."
    )


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """REST framework's handler of exceptions. Nothing that an endpoint raises leaves in another shape."""
    match error:
        case Refused():
            response = _plain(error.status_code, error.code, str(error.detail), error.field)
            if error.retry_after is not None:
                response["Retry-After"] = str(error.retry_after)
        case exceptions.ValidationError():
            response = Response(_invalid(error), status=400)
        case RequestDataTooBig():
            response = _plain(413, "body_too_large", "The body is too large; send it in parts.")
        case Http404():
            response = _plain(404, "not_found", "There is nothing at this address.")
        case PermissionDenied():
            response = _plain(403, "permission_denied", "This is not allowed.")
        case SuspiciousOperation():
            response = _plain(400, "bad_request", "The request cannot be read.")
        case exceptions.APIException():
            response = _of_framework(error)
        case OperationalError() | InterfaceError():
            log.warning("API: the database is away: %s", error)
            response = _plain(503, "unavailable", "The database does not answer; try again.")
            response["Retry-After"] = "5"
        case _:
            log.error("API: an endpoint failed", exc_info=error)
            response = _plain(500, "internal_error", "This should not have happened; it was written down.")
    return response


def errors_of(error: exceptions.ValidationError) -> list[dict[str, Any]]:
    """One {field, code, message} for each thing that is wrong."""
    return list(_flat(error.detail, ""))[:_MOST]


@csrf_exempt  # A program is told in JSON, whatever it sent.
def no_such_endpoint(request: HttpRequest, path: str = "") -> JsonResponse:
    """For addresses below /api/ that no endpoint has."""
    body = {"code": "not_found", "message": "There is no such endpoint; see /api/v1/docs.", "field": None}
    return JsonResponse(body, status=404)


def _plain(status: int, code: str, message: str, field: str | None = None) -> Response:
    return Response({"code": code, "message": message, "field": field}, status=status)


def _of_framework(error: exceptions.APIException) -> Response:
    response = _plain(error.status_code, str(error.get_codes()), str(error.detail))
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(max(1, int(wait)))
    return response


def _invalid(error: exceptions.ValidationError) -> dict[str, Any]:
    found = errors_of(error)
    first: dict[str, Any] = found[0] if found else {"code": "invalid", "message": "Invalid.", "field": None}
    message = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    shape = {"code": first["code"], "message": message, "field": first["field"]}
    return {**shape, "errors": found} if len(found) > 1 else shape


def _flat(detail: Any, path: str) -> Iterator[dict[str, Any]]:
    """One entry for each thing that is wrong, with the path to it."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = path if name == "non_field_errors" else _join(path, name)
            yield from _flat(inner, own)
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            deeper = isinstance(inner, dict | list)
            yield from _flat(inner, _join(path, place) if deeper else path)
    else:
        yield {"field": path or None, "code": str(detail.code), "message": str(detail)}


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)
