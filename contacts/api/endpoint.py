"""What every endpoint is made of: who may, what is asked, one transaction, one answer.

    class Contacts(Endpoint):
        scopes = {"GET": "contacts:read", "POST": "contacts:write"}

        @operation("list_contacts", "Contacts, page by page", query=Filters, answer=ContactRow, paged=True)
        def get(self, call: Call) -> Any:
            return call.page(Contact.objects.filter(...), ("id",), draw)

        @operation("upsert_contact", "Create or change a contact", body=ContactBody, answer=ContactRow)
        def post(self, call: Call) -> Any:
            return draw(upserting.upsert(call.body, call.now))

What changes something runs in one transaction, together with the answer that is kept if the request carries
an Idempotency-Key. An endpoint whose act commits by itself says ``commits_itself = True`` and takes no
such key.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from contacts import api_answers, clock, pulse
from contacts.api import callers, cursors
from contacts.api.errors import Refused, answer, bad_request
from contacts.api.fields import Fields, PageQuery, read_query
from contacts.api.json_body import StrictJson
from contacts.api.schema import EndpointSchema, describe, page_of

_SAFE = {"GET", "HEAD", "OPTIONS"}
_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read and checked. ``query`` and ``body`` hold what their serializers let through."""

    request: Request
    now: datetime
    query: dict[str, Any]
    body: dict[str, Any]

    @property
    def acting_user_id(self) -> int:
        return callers.acting_user_id(self.request)

    @property
    def acting_user(self) -> User:
        """Whoever acts: the person who is signed in, or who made the key. Raises User.DoesNotExist."""
        return User.objects.get(pk=self.acting_user_id)

    @property
    def after(self) -> list[Any] | None:
        """The values that ``paged_rows`` was given for the last row of the page before, or None at first."""
        cursor = self.query.get("cursor")
        return cursors.unseal(self._listing(), cursor) if cursor else None

    def page(
        self,
        rows: QuerySet[Any],
        order: Sequence[str],
        draw: Callable[[list[Any]], list[Any]],
    ) -> dict[str, Any]:
        """One page of ``rows``. ``order`` names columns that are never null, the last of them unique."""
        if (after := self.after) is not None:
            rows = rows.filter(cursors.beyond(order, after))
        found = list(rows.order_by(*order)[: self.query["limit"] + 1])
        return self.paged_rows(found, draw, lambda row: cursors.last_values(order, row))

    def paged_rows(
        self,
        found: Sequence[Any],
        draw: Callable[[list[Any]], list[Any]],
        last: Callable[[Any], Sequence[Any]],
    ) -> dict[str, Any]:
        """A page of rows found in another way, asked for with one more than ``limit``, after ``after``."""
        shown = list(found[: self.query["limit"]])
        more = len(found) > len(shown)
        next_page = cursors.seal(self._listing(), last(shown[-1])) if more and shown else None
        return {"items": draw(shown), "next": next_page}

    def drawn_page(self, items: list[Any], last: Sequence[Any] | None) -> dict[str, Any]:
        """A page made in another way. ``last`` is what ``after`` gives for the next; None: no more."""
        return {"items": items, "next": cursors.seal(self._listing(), last) if last else None}

    def audit(self, thing: models.Model, said: str) -> None:
        """Write down what was done to ``thing``, under the name of the person or of the key's maker."""
        by_key = f"API key {self.request.auth}: " if self.request.auth else "API: "
        LogEntry.objects.log_actions(
            self.acting_user_id, [thing], CHANGE, change_message=by_key + said, single_object=True
        )

    def wake(self, name: str) -> None:
        """Let a pulse look, once what was written is there."""
        transaction.on_commit(lambda: pulse.wake(name))

    def _listing(self) -> str:
        filters = {name: value for name, value in self.query.items() if name not in {"cursor", "limit"}}
        return json.dumps([self.request.path, filters], sort_keys=True, default=str)


class Endpoint(APIView):
    """The base of all endpoints. ``scopes`` names the scope of each method."""

    authentication_classes = [callers.KeyAuthentication, callers.StaffSession]
    permission_classes = [callers.HasScope]
    throttle_classes = [callers.Rate]
    parser_classes: Any = [StrictJson]
    renderer_classes: Any = [JSONRenderer]
    schema = EndpointSchema()
    scopes: ClassVar[Mapping[str, str]] = {}
    commits_itself: ClassVar[bool] = False

    def get_exception_handler(self) -> Any:
        return answer

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        # Answers are about people: nothing between here and the caller may keep them.
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def operation(
    name: str,
    summary: str,
    *,
    query: type[Fields] | None = None,
    body: type[serializers.Serializer[Any]] | None = None,
    answer: type[serializers.Serializer[Any]] | None = None,
    paged: bool = False,
    many: bool = False,
    status: int = 200,
    raw: bool = False,
    description: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Make a method of an endpoint from a function of its call, and describe it in the schema.

    ``name`` is unique and stays: programs are generated from it. With ``paged`` the answer is a page of
    ``answer``, with ``many`` a short list of them. The function gives plain values, or a Response where
    status or headers differ. With ``raw`` the act checks the body by itself, and the serializer only
    describes it.
    """
    shape: Any = page_of(answer) if paged else answer(many=True) if many and answer else answer
    asked = query
    if paged:
        asked = type(f"{query.__name__}Page", (query, PageQuery), {}) if query else PageQuery

    def decorate(function: Callable[..., Any]) -> Callable[..., Response]:
        @functools.wraps(function)
        def method(self: Endpoint, request: Request, **path: Any) -> Response:
            call = Call(
                request=request,
                now=clock.now(),
                query=read_query(asked or Fields, request),
                body=_read_body(body, request, raw=raw) if body else {},
            )

            def act() -> Response:
                found = function(self, call, **path)
                if isinstance(found, HttpResponseBase):  # A file is one, and no Response.
                    return cast("Response", found)
                return Response(found, status=status)

            if request.method in _SAFE:
                return act()
            if self.commits_itself:
                if _idempotency_key(request):
                    raise bad_request("no_idempotency_key", "This endpoint takes no Idempotency-Key.")
                return act()
            return _once(call, act)

        said = description or function.__doc__ or ""
        describing = describe(name, summary, said, query=asked, body=body, answer=shape, status=status)
        return cast("Callable[..., Response]", describing(method))

    return decorate


def _read_body(
    serializer: type[serializers.Serializer[Any]], request: Request, *, raw: bool
) -> dict[str, Any]:
    if raw:
        return cast("dict[str, Any]", request.data)
    found = serializer(data=request.data)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


def _idempotency_key(request: Request) -> str:
    key: str = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    if len(key) > _LONGEST_KEY or not key.isprintable():
        message = f"An Idempotency-Key has at most {_LONGEST_KEY} printable characters."
        raise bad_request("invalid_idempotency_key", message, "Idempotency-Key")
    return key


def _once(call: Call, act: Callable[[], Response]) -> Response:
    """Answer in one transaction; a request that comes again is answered as it was at first."""
    key = _idempotency_key(call.request)
    with transaction.atomic():
        if not key:
            return act()
        request = call.request._request
        parts = (str(request.method).encode(), request.get_full_path().encode(), request.body)
        mark = api_answers.mark(str(callers.caller_id(call.request)), key, *parts)
        if not api_answers.hold(mark):
            message = "A request with this Idempotency-Key is being answered; try again."
            raise Refused(409, "request_in_progress", message, "Idempotency-Key", retry_after=1)
        if kept := api_answers.find(mark, call.now):
            if kept.request_digest != mark.request:
                message = "This Idempotency-Key came with another request before."
                raise Refused(422, "idempotency_key_reused", message, "Idempotency-Key")
            again = Response(json.loads(kept.body), status=kept.status)
            again["Idempotent-Replayed"] = "true"
            return again
        response = act()
        if response.status_code < 400:
            body = JSONRenderer().render(response.data) or b"null"
            api_answers.keep(mark, response.status_code, body.decode(), call.now)
        return response
