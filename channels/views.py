"""Public pages: unsubscribing with one click, and the preference centre. No login, no cookie."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import formats, translation

from channels import confirming, preference_form, unsubscribing, why_page
from contacts import clock, permission, preferences, wishes
from contacts.consent import Answer, wordings
from contacts.models import Contact, Purpose
from contacts.preferences import Grant, TokenInvalidError, Use
from contacts.public_pages import draw, language_of, public


@public
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks; POST does it at once, in either form encoding (RFC 8058), as often as it comes."""
    grant = preferences.read(token, Use.UNSUBSCRIBE, clock.now())
    done = request.method == "POST"
    if done:
        one_click = request.POST.get("List-Unsubscribe") == "One-Click"
        origin = "one click" if one_click else "unsubscribe page"
        unsubscribing.unsubscribe(grant, clock.now(), origin=origin, proof=_proof(request))
    contact = preferences.person(grant)
    language = language_of(request, contact)
    context = {
        "done": done,
        "channel": grant.channel,
        "purpose": _purpose_name(grant, language),
        "preferences_path": f"/p/{preferences.token(grant, Use.PREFERENCES, clock.now())}",
    }
    return draw(request, "channels/unsubscribe.html", context, language)


@public
def preference_centre(request: HttpRequest, token: str) -> HttpResponse:
    """Everything a person decides for themselves. GET shows; POST saves, or leaves everything."""
    grant = preferences.read(token, Use.PREFERENCES, clock.now())
    contact = preferences.person(grant)
    if contact is None:
        raise TokenInvalidError
    saved: preference_form.Saved | None = None
    if request.method == "POST":
        saved = preference_form.save(request.POST, contact, grant, clock.now(), _proof(request))
    now = clock.now()
    language = language_of(request, contact)
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
        "own_data": reverse("contacts:own_data", args=[token]),
        "own_erasure": reverse("contacts:own_erasure", args=[token]),
    }
    return draw(request, "channels/preferences.html", context, language)


@public
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Double opt-in: GET asks, so that scanners confirm nothing; POST confirms, once."""
    grant = preferences.read(token, Use.CONFIRM, clock.now())
    answer: Answer | None = None
    if request.method == "POST":
        answer = confirming.confirm(grant, clock.now(), _proof(request))
        if answer is Answer.UNKNOWN:
            raise TokenInvalidError
    now, contact = clock.now(), preferences.person(grant)
    language = language_of(request, contact)
    context = {
        "answer": str(answer or ""),
        "channel": grant.channel,
        "purpose": _purpose_name(grant, language),
        "words": _words(wordings.CONFIRMATION, language, now),
        "preferences_path": f"/p/{preferences.token(grant, Use.PREFERENCES, now)}",
    }
    status = 410 if answer is Answer.TOO_LATE else 200
    return draw(request, "channels/confirm.html", context, language, status)


@public
def why(request: HttpRequest, token: str) -> HttpResponse:
    """“Why did I get this?” Shows, whatever the method, and changes nothing."""
    now = clock.now()
    grant = preferences.read(token, Use.WHY, now)
    contact = preferences.person(grant)
    language = language_of(request, contact)
    with translation.override(language):
        found = why_page.read(contact, grant)
        day = formats.date_format(found.sent_at, "j F Y") if found.sent_at else ""
        since = formats.date_format(found.consent.occurred_at, "j F Y") if found.consent else ""
    french = language == "fr"
    purpose = found.purpose
    context = {
        "channel": found.channel,
        "sent_at": found.sent_at,
        "day": day,
        "wanted_by": found.wanted_by,
        "purpose_name": _purpose_name(grant, language),
        "purpose_words": ((purpose.description_fr if french else "") or purpose.description)
        if purpose
        else "",
        "service": found.service,
        "consent": found.consent,
        "basis": found.consent.basis if found.consent else "",
        "since": since,
        "withdrawn": found.withdrawn,
        "rules": found.rules,
        "preferences_path": f"/p/{preferences.token(grant, Use.PREFERENCES, now)}",
        "unsubscribe_path": f"/u/{preferences.token(grant, Use.UNSUBSCRIBE, now)}",
    }
    return draw(request, "channels/why.html", context, language)


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


def _words(slug: str, language: str, now: datetime) -> str:
    version = wordings.current(slug, now)
    if version is None:
        return ""
    return (version.text_fr if language == "fr" else "") or version.text


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
