"""What every page has that people open by the link of a message: no login, no cookie, nothing that runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import get_language_from_request
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from contacts import organisation
from contacts.models import Contact
from contacts.preferences import TokenExpiredError, TokenInvalidError

LANGUAGES = {"en": "English", "fr": "Français"}
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


def public(
    view: Callable[[HttpRequest, str], HttpResponseBase],
) -> Callable[[HttpRequest, str], HttpResponseBase]:
    """A page for anybody who holds its link: kept by nobody, indexed by nobody, running nothing.

    A view may raise TokenInvalidError and TokenExpiredError; the person is told.
    """

    @wraps(view)
    def page(request: HttpRequest, token: str) -> HttpResponseBase:
        try:
            response = view(request, token)
        except (TokenInvalidError, TokenExpiredError) as error:
            response = _refused(request, error)
        response["Content-Security-Policy"] = _POLICY
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "no-referrer"
        return response

    # The token is the proof: there is no session that another site could ride on.
    return csrf_exempt(require_http_methods(["GET", "HEAD", "POST"])(page))


def draw(
    request: HttpRequest, template: str, context: Mapping[str, object], language: str, status: int = 200
) -> HttpResponse:
    """The page in the language, in the organisation's name."""
    with translation.override(language):
        shown = {
            **context,
            "language": language,
            "languages": LANGUAGES,
            "organisation": organisation.name(),
            "has_logo": settings.SEGUE_LOGO is not None,
        }
        response = render(request, template, shown, status=status)
    response["Content-Language"] = language
    return response


def language_of(request: HttpRequest, contact: Contact | None) -> str:
    """The language asked for by the link, chosen by the person, or preferred by their browser."""
    for wanted in (request.GET.get("lang", ""), contact.language[:2].lower() if contact else ""):
        if wanted in LANGUAGES:
            return wanted
    return "fr" if get_language_from_request(request).startswith("fr") else "en"


def _refused(request: HttpRequest, error: Exception) -> HttpResponse:
    expired = isinstance(error, TokenExpiredError)
    status = 410 if expired else 404
    context = {"expired": expired}
    return draw(request, "channels/link_refused.html", context, language_of(request, None), status)
