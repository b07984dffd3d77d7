"""Who calls: a program with a key, or a person who is signed in; and what either may do."""

from __future__ import annotations

import functools
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from contacts import api_keys, clock
from contacts.api.errors import Refused
from contacts.intake_quota import Quota
from contacts.models import ApiKey

ANY_CALLER = ""
"In the place of a scope: a key or a person, whatever they may do."


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer seg_…`"""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        kind, _space, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        key = api_keys.find(text.strip(), clock.now())
        if key is None:
            raise AuthenticationFailed("The key is unknown, expired or revoked.", "invalid_key")
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Segue"'


class StaffSession(SessionAuthentication):
    """A person signed in to the back office; what changes something needs the CSRF token as well."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        return found if found and found[0].is_staff else None


class HasScope(BasePermission):
    """A key needs the scope that the endpoint names for a method; a person the permission that equals it."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        scopes: dict[str, str] = getattr(view, "scopes", {})
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in scopes:
            # Methods that the endpoint does not have are answered as such, once somebody is known.
            return signed_in(request)
        scope = scopes[method]
        if not signed_in(request):
            return False
        if scope == ANY_CALLER:
            return True
        if isinstance(request.auth, ApiKey):
            if scope not in request.auth.scopes:
                raise Refused(403, "missing_scope", f"The key lacks the scope {scope}.")
            return True
        permission = settings.SEGUE_API_SCOPES[scope].permission
        if not request.user.has_perm(permission):
            raise Refused(403, "missing_permission", f"You lack the permission {permission}.")
        return True


def holds(request: Request, scope: str) -> bool:
    """Whether the caller may do this too, beyond what the endpoint itself needs."""
    if isinstance(request.auth, ApiKey):
        return scope in request.auth.scopes
    return bool(request.user.has_perm(settings.SEGUE_API_SCOPES[scope].permission))


def signed_in(request: Request) -> bool:
    return isinstance(request.auth, ApiKey) or bool(request.user and request.user.is_authenticated)


def caller_id(request: Request) -> int:
    """A number of its own for each caller: keys count upwards, people downwards."""
    return request.auth.pk if isinstance(request.auth, ApiKey) else -int(request.user.pk or 0)


def acting_user_id(request: Request) -> int:
    """Under whose name it is written down: the person's, or of whoever made the key."""
    return request.auth.made_by_id if isinstance(request.auth, ApiKey) else int(request.user.pk or 0)


def acting_name(request: Request) -> str:
    """Who did it, in words for people: a login name, or which key."""
    return f"API key {request.auth}" if isinstance(request.auth, ApiKey) else request.user.get_username()


def origin(request: Request) -> str:
    """Where a value came from, as the profile keeps it."""
    if isinstance(request.auth, ApiKey):
        return f"api:{request.auth.pk}"
    return f"staff:{request.user.get_username()}"


class Rate(BaseThrottle):
    """Requests a second for each caller; more is answered with 429 and Retry-After."""

    _wait = 0

    def allow_request(self, request: Request, view: APIView) -> bool:
        quota, caller = _quota(settings.SEGUE_API_RATE / settings.SEGUE_WEB_WORKERS), caller_id(request)
        self._wait = quota.wait(caller)
        if not self._wait:
            quota.charge(caller, 1)
        return not self._wait

    def wait(self) -> float | None:
        return float(self._wait)


@functools.cache
def _quota(rate: float) -> Quota:
    return Quota(rate)
