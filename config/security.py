"""The content security policy: strict everywhere, with what django-unfold needs added for the back office.

Alpine, which draws the admin's menus, evaluates expressions, so those pages allow ``unsafe-eval`` for our
own scripts; inline scripts stay forbidden. Public pages, which strangers open, get neither.
"""

from typing import Any

from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Directives = dict[str, list[Any]]

STRICT: Directives = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "manifest-src": [SELF],
    "worker-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
    "object-src": [NONE],
}
BACK_OFFICE: Directives = {
    **STRICT,
    "script-src": [SELF, NONCE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "frame-src": [SELF],
}


class PolicyMiddleware(CSPMiddleware):
    """Chooses the policy by address. A view may still change a directive with django-csp's decorators."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.config is None and request.path_info.startswith("/admin/"):
            parts.config = BACK_OFFICE
        return parts
