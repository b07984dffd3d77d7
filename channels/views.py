"""Public pages: unsubscribing with one click, and the preference centre. No login, no cookie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.translation import get_language_from_request
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from channels import confirming, preference_form, unsubscribing
from channels.preference_form import LANGUAGES
from contacts import clock, permission, preferences, wishes
from contacts.consent import Answer, wordings
from contacts.models import Contact, Purpose
from contacts.preferences import Grant, TokenExpiredError, TokenInvalidError, Use

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
    """Everything a person decides for themselves. GET shows; POST saves, or leaves everything."""
    try:
        grant = preferences.read(token, Use.PREFERENCES, clock.now())
    except (TokenInvalidError, TokenExpiredError) as error:
        return _refused(request, error)
    contact = preferences.person(grant)
    if contact is None:
        return _refused(request, TokenInvalidError())
    saved: preference_form.Saved | None = None
    if request.method == "POST":
        saved = preference_form.save(request.POST, contact, grant, clock.now(), _proof(request))
    now = clock.now()
    language = _language(request, contact)
    attributes = contact.attributes
    quiet = wishes.quiet_from(attributes.get(permission.QUIET))
    context = {
        "rows": preferences.rows(contact, now),
        "service": Purpose.objects.filter(transactional=True),
        "saved": saved,
        "contact": contact,
        "address": _masked(contact.email),
        "pauses": wishes.PAUSES,
        "paused_until": _pause(contact, now),
        "limits": wishes.WEEKLY_LIMITS,
        "weekly": wishes.weekly_from(attributes.get(permission.WEEKLY)),
        "quiet": quiet,
        "measured": preferences.measured(contact, now),
        "words": _words(wordings.PREFERENCES, language, now),
        "measuring_words": _words(wordings.MEASURING, language, now),
        "own_data": _own_data(token),
    }
    return _page(request, "channels/preferences.html", context, language)


@_public
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Double opt-in: GET asks, so that scanners confirm nothing; POST confirms, once."""
    try:
        grant = preferences.read(token, Use.CONFIRM, clock.now())
    except (TokenInvalidError, TokenExpiredError) as error:
        return _refused(request, error)
    answer: Answer | None = None
    if request.method == "POST":
        answer = confirming.confirm(grant, clock.now(), _proof(request))
        if answer is Answer.UNKNOWN:
            return _refused(request, TokenInvalidError())
    now, contact = clock.now(), preferences.person(grant)
    language = _language(request, contact)
    context = {
        "answer": str(answer or ""),
        "channel": grant.channel,
        "purpose": _purpose_name(grant, language),
        "words": _words(wordings.CONFIRMATION, language, now),
        "preferences_path": f"/p/{preferences.token(grant, Use.PREFERENCES, now)}",
    }
    status = 410 if answer is Answer.TOO_LATE else 200
    return _page(request, "channels/confirm.html", context, language, status)


def logo(request: HttpRequest) -> HttpResponse:
    """The organisation's own mark, where one is set."""
    path = settings.SEGUE_LOGO
    if path is None:
        raise Http404
    kind = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}[path.suffix]
    response = HttpResponse(path.read_bytes(), content_type=kind)
    # An image opened by itself must not run what is drawn into it.
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response["Cache-Control"] = "public, max-age=3600"
    return response


def _own_data(token: str) -> dict[str, str]:
    """Addresses of the pages on which people fetch and erase their data, where those pages exist."""
    found = {}
    for name in ("own_data", "own_erasure"):
        try:
            found[name] = reverse(f"contacts:{name}", args=[token])
        except NoReverseMatch:
            continue
    return found


def _words(slug: str, language: str, now: datetime) -> str:
    version = wordings.current(slug, now)
    if version is None:
        return ""
    return (version.text_fr if language == "fr" else "") or version.text


def _refused(request: HttpRequest, error: Exception) -> HttpResponse:
    expired = isinstance(error, TokenExpiredError)
    context: dict[str, object] = {"expired": expired}
    status = 410 if expired else 404
    return _page(request, "channels/link_refused.html", context, _language(request, None), status)


def _page(
    request: HttpRequest, template: str, context: Mapping[str, object], language: str, status: int = 200
) -> HttpResponse:
    with translation.override(language):
        shown = {
            **context,
            "language": language,
            "languages": LANGUAGES,
            "organisation": settings.SEGUE_ORGANISATION,
            "has_logo": settings.SEGUE_LOGO is not None,
        }
        response = render(request, template, shown, status=status)
    response["Content-Language"] = language
    return response


def _language(request: HttpRequest, contact: Contact | None) -> str:
    """The language asked for by the link, chosen by the person, or preferred by their browser."""
    for wanted in (request.GET.get("lang", ""), contact.language[:2].lower() if contact else ""):
        if wanted in LANGUAGES:
            return wanted
    return "fr" if get_language_from_request(request).startswith("fr") else "en"


def _pause(contact: Contact, now: datetime) -> datetime | None:
    until = wishes.pause_from(contact.attributes.get(wishes.PAUSE))
    return until if until and until > now else None


def _purpose_name(grant: Grant, language: str) -> str:
    purpose = Purpose.objects.filter(slug=grant.purpose).first()
    if purpose is None:
        return grant.purpose
    return (purpose.name_fr if language == "fr" else "") or purpose.name


def _proof(request: HttpRequest) -> dict[str, str]:
    """What shows later where an answer came from. Not the link itself: it would still open the page."""
    agent = "".join(sign for sign in request.headers.get("User-Agent", "")[:200] if sign.isprintable())
    return {"agent": agent, "ip": _address(request), "page": request.path.split("/")[1]}


def _address(request: HttpRequest) -> str:
    """The reader's network address; behind our own proxy the last one that it was told."""
    told = request.headers.get("X-Forwarded-For", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    return (told.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", ""))[:60]


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
