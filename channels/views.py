"""Public pages: unsubscribing with one click, and the preference centre. No login, no cookie."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import get_language_from_request
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from channels import unsubscribing
from contacts import clock, preferences
from contacts.models import Contact, Purpose
from contacts.preferences import Grant, TokenExpiredError, TokenInvalidError, Use

LANGUAGES = {"en": "English", "fr": "Français"}

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
_View = Callable[[HttpRequest, str], HttpResponse]


def _public(view: _View) -> _View:
    """A page for anybody who holds its link: kept by nobody, indexed by nobody, running nothing."""

    @wraps(view)
    def page(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response["Content-Security-Policy"] = _POLICY
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "no-referrer"
        return response

    # The token is the proof: there is no session that another site could ride on.
    return csrf_exempt(require_http_methods(["GET", "HEAD", "POST"])(page))


@_public
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks; POST does it at once, in either form encoding (RFC 8058), as often as it comes."""
    try:
        grant = preferences.read(token, Use.UNSUBSCRIBE, clock.now())
    except (TokenInvalidError, TokenExpiredError) as error:
        return _refused(request, error)
    done = request.method == "POST"
    if done:
        one_click = request.POST.get("List-Unsubscribe") == "One-Click"
        origin = "one click" if one_click else "unsubscribe page"
        unsubscribing.unsubscribe(grant, clock.now(), origin=origin, proof=_proof(request))
    contact = preferences.person(grant)
    language = _language(request, contact)
    context = {
        "done": done,
        "channel": grant.channel,
        "purpose": _purpose_name(grant, language),
        "preferences_path": f"/p/{preferences.token(grant, Use.PREFERENCES, clock.now())}",
    }
    return _page(request, "channels/unsubscribe.html", context, language)


@_public
def preference_centre(request: HttpRequest, token: str) -> HttpResponse:
    """Channels by purposes, and the language. GET shows; POST saves, or leaves everything."""
    try:
        grant = preferences.read(token, Use.PREFERENCES, clock.now())
    except (TokenInvalidError, TokenExpiredError) as error:
        return _refused(request, error)
    contact = preferences.person(grant)
    if contact is None:
        return _refused(request, TokenInvalidError())
    saved = ""
    if request.method == "POST":
        saved = _save(request, contact, grant)
    context = {
        "rows": preferences.rows(contact),
        "service": Purpose.objects.filter(transactional=True),
        "saved": saved,
        "contact": contact,
        "address": _masked(contact.email),
        "pauses": preferences.PAUSES,
        "paused_until": _pause(contact),
    }
    return _page(request, "channels/preferences.html", context, _language(request, contact))


def _save(request: HttpRequest, contact: Contact, grant: Grant) -> str:
    now, proof = clock.now(), _proof(request)
    if "leave" in request.POST:
        unsubscribing.leave(contact, grant, now, proof)
        return "left"
    preferences.choose(contact, request.POST.getlist("wanted"), now, proof)
    days = request.POST.get("pause", "")
    if days == "0" or days in map(str, preferences.PAUSES):
        preferences.pause(contact, int(days), now)
    language = request.POST.get("language", "")
    if language in LANGUAGES:
        preferences.speak(contact, language, now)
    return "saved"


def _refused(request: HttpRequest, error: Exception) -> HttpResponse:
    expired = isinstance(error, TokenExpiredError)
    context: dict[str, object] = {"expired": expired}
    status = 410 if expired else 404
    return _page(request, "channels/link_refused.html", context, _language(request, None), status)


def _page(
    request: HttpRequest, template: str, context: dict[str, object], language: str, status: int = 200
) -> HttpResponse:
    with translation.override(language):
        context |= {"language": language, "languages": LANGUAGES}
        response = render(request, template, context, status=status)
    response["Content-Language"] = language
    return response


def _language(request: HttpRequest, contact: Contact | None) -> str:
    """The language asked for by the link, chosen by the person, or preferred by their browser."""
    for wanted in (request.GET.get("lang", ""), contact.language[:2].lower() if contact else ""):
        if wanted in LANGUAGES:
            return wanted
    return "fr" if get_language_from_request(request).startswith("fr") else "en"


def _pause(contact: Contact) -> datetime | None:
    until = preferences.pause_from(contact.attributes.get(preferences.PAUSE))
    return until if until and until > clock.now() else None


def _purpose_name(grant: Grant, language: str) -> str:
    purpose = Purpose.objects.filter(slug=grant.purpose).first()
    if purpose is None:
        return grant.purpose
    return (purpose.name_fr if language == "fr" else "") or purpose.name


def _proof(request: HttpRequest) -> dict[str, str]:
    return {"agent": request.headers.get("User-Agent", "")[:200]}


def _masked(email: str) -> str:
    """Enough of an address to recognise one's own."""
    local, at, domain = email.partition("@")
    # The word joiner keeps a line from ending after the dots.
    return f"{local[:1]}…\u2060{local[-1:]}@{domain}" if at and len(local) > 1 else ""


def service_worker(request: HttpRequest) -> HttpResponse:
    """The worker at the root, so that it may serve every page of this origin."""
    path = Path(__file__).resolve().parent / "static" / "channels" / "segue-sw.js"
    response = HttpResponse(path.read_bytes(), content_type="text/javascript; charset=utf-8")
    response["Service-Worker-Allowed"] = "/"
    response["Cache-Control"] = "max-age=3600"
    return response
