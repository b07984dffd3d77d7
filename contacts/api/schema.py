"""The description of the API that programs and people read: OpenAPI, and a page that shows it."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers

from contacts.api.callers import ANY_CALLER
from contacts.api.errors import Error

_WRITES = {"POST", "PUT", "PATCH", "DELETE"}
_ERRORS = {
    400: "Something asked is wrong; `field` names it.",
    401: "No key, or one that is not in use.",
    403: "The key lacks the scope, or the person the permission.",
    404: "There is no such thing.",
    409: "It clashes with what is, or with another request at the same time.",
    413: "The body is too large.",
    422: "The Idempotency-Key came with another request before.",
    429: "Too many requests; `Retry-After` says for how many seconds to wait.",
    503: "The database does not answer; try again after `Retry-After`.",
}
_ALWAYS, _WITH_PATH, _WITH_BODY = (400, 401, 403, 429, 503), (404,), (409, 413, 422)
_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "maxLength": 200},
    "description": "Any text of your own, new for each thing to be done. What comes again with the same key"
    " within 24 hours is answered as at first, and done once.",
}


class EndpointSchema(AutoSchema):
    """Adds what our base of endpoints knows: scopes, idempotency keys and the one shape of errors."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        found = super().get_operation(*args, **kwargs)
        if found is None:
            return None
        scope = str(getattr(self.view, "scopes", {}).get(self.method, ANY_CALLER))
        needs = f"Needs the scope `{scope}`." if scope else "Any key will do."
        found["description"] = f"{found['description'].strip()}\n\n{needs}"
        found["x-scope"] = scope
        if self.method in _WRITES and not getattr(self.view, "commits_itself", False):
            found.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
        codes = {*_ALWAYS, *(_WITH_PATH if "{" in self.path else ()), *self._codes_of_writes()}
        for code in sorted(codes):
            found["responses"].setdefault(str(code), self._refusal(code))
        return found

    def _codes_of_writes(self) -> tuple[int, ...]:
        return _WITH_BODY if self.method in _WRITES else ()

    def _refusal(self, code: int) -> dict[str, Any]:
        shape = self.resolve_serializer(Error, "response").ref
        return {"content": {"application/json": {"schema": shape}}, "description": _ERRORS[code]}


class _Key(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "contacts.api.callers.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A key from Settings, API keys."}


class _Session(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "contacts.api.callers.StaffSession"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def describe(
    name: str, summary: str, description: str, *, query: Any, body: Any, answer: Any, status: int
) -> Any:
    """What the schema says of one method."""
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description or f"{summary}.",
        parameters=[query] if query else None,
        request=body,
        responses={status: answer},
    )


@cache
def page_of(answer: Any) -> Any:
    """A page of such answers: one component, however many operations give it."""
    fields = {
        "items": answer(many=True),
        "next": serializers.CharField(
            allow_null=True, help_text="`cursor` of the next page; null on the last."
        ),
    }
    return inline_serializer(f"{answer.__name__}Page", fields)
