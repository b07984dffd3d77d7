"""What people do about their own data with the link from any of our messages. No login, no cookie.

The preference centre leads here. A GET only shows; each act is a button.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import get_language_from_request
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from contacts import clock, preferences, pulse
from contacts.models import Contact, PrivacyRequest
from contacts.preferences import TokenExpiredError, TokenInvalidError, Use
from contacts.privacy import copying, objecting, requests, tombstones
from contacts.privacy.requests import OPEN, Kind, State

_LANGUAGES = {"en": "English", "fr": "Français"}
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
_THEMSELVES = "the person"
_Answer = HttpResponse | StreamingHttpResponse
_View = Callable[[HttpRequest, Contact, str], _Answer]


def _own(view: _View) -> Callable[[HttpRequest, str], _Answer]:
    """A page for the one person that the link is about: kept and indexed by nobody, running nothing."""

    @wraps(view)
    def page(request: HttpRequest, token: str) -> _Answer:
        try:
            contact = preferences.person(preferences.read(token, Use.PREFERENCES, clock.now()))
        except TokenExpiredError:
            response: _Answer = _page(request, None, "channels/link_refused.html", {"expired": True}, 410)
        except TokenInvalidError:
            response = _page(request, None, "channels/link_refused.html", {"expired": False}, 404)
        else:
            if contact is None:
                response = _page(request, None, "channels/link_refused.html", {"expired": False}, 404)
            else:
                response = view(request, contact, token)
        response["Content-Security-Policy"] = _POLICY
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "no-referrer"
        return response

    # The token is the proof: there is no session that another site could ride on.
    return csrf_exempt(require_http_methods(["GET", "HEAD", "POST"])(page))


@_own
def own_data(request: HttpRequest, contact: Contact, token: str) -> _Answer:
    """A copy of everything, and the objection to profiling."""
    now = clock.now()
    if request.method == "POST":
        language = _language(request, contact)
        if "copy" in request.POST:
            _ask_for_copy(contact, language)
        elif "object" in request.POST:
            requests.ask(
                contact, Kind.OBJECTION, now, origin="preference centre", by=_THEMSELVES, language=language
            )
        elif "allow" in request.POST:
            objecting.take_back([contact.pk], now)
        contact.refresh_from_db()
    latest = requests.of_contact(contact.pk).filter(kind=Kind.ACCESS).order_by("-id").first()
    context = {
        "copy": latest,
        "ready": latest is not None and latest.pieces.exists(),
        "under_way": latest is not None and latest.state in OPEN,
        "objects": objecting.objects(contact),
        "policy": tombstones.policy(),
        "token": token,
    }
    return _page(request, contact, "contacts/privacy/own_data.html", context)


@_own
def own_copy(request: HttpRequest, contact: Contact, token: str) -> _Answer:
    """The archive itself."""
    found = requests.of_contact(contact.pk).filter(kind=Kind.ACCESS, state=State.DONE).order_by("-id").first()
    if found is None or not found.pieces.exists() or request.method != "GET":
        raise Http404
    requests.note_down(found, clock.now(), _THEMSELVES, "copy fetched")
    return copying.answer(found)


@_own
def own_erasure(request: HttpRequest, contact: Contact, token: str) -> _Answer:
    """Ask to be erased, by typing the address; or take that back."""
    now, wrong = clock.now(), False
    if request.method == "POST":
        if "back" in request.POST:
            for asked in _open_erasures(contact):
                if asked.state != State.RUNNING:
                    requests.call_off(asked, now, _THEMSELVES)
        else:
            wrong = request.POST.get("typed", "").strip().lower() != _phrase(contact).lower()
            if not wrong:
                requests.ask(
                    contact,
                    Kind.ERASURE,
                    now,
                    origin="preference centre",
                    by=_THEMSELVES,
                    language=_language(request, contact),
                )
    context = {
        "asked": _open_erasures(contact).first(),
        "by_word": not (contact.email or contact.phone),
        "phrase": _phrase(contact),
        "wrong": wrong,
        "policy": tombstones.policy(),
        "token": token,
    }
    return _page(request, contact, "contacts/privacy/own_erasure.html", context)


def _ask_for_copy(contact: Contact, language: str) -> None:
    """The link is the proof of who asks, so nobody has to approve."""
    asked = requests.ask(
        contact, Kind.ACCESS, clock.now(), origin="preference centre", by=_THEMSELVES, language=language
    )
    if asked.state == State.ASKED:
        requests.approve(asked, clock.now(), "by the signed link")
        pulse.wake("privacy")


def _open_erasures(contact: Contact) -> QuerySet[PrivacyRequest]:
    return requests.of_contact(contact.pk).filter(kind=Kind.ERASURE, state__in=OPEN)


def _phrase(contact: Contact) -> str:
    return contact.email or contact.phone or "OK"


def _page(
    request: HttpRequest,
    contact: Contact | None,
    template: str,
    context: Mapping[str, object],
    status: int = 200,
) -> HttpResponse:
    language = _language(request, contact)
    with translation.override(language):
        shown = {
            **context,
            "language": language,
            "languages": _LANGUAGES,
            "organisation": settings.SEGUE_ORGANISATION,
            "has_logo": settings.SEGUE_LOGO is not None,
        }
        response = render(request, template, shown, status=status)
    response["Content-Language"] = language
    return response


def _language(request: HttpRequest, contact: Contact | None) -> str:
    """The language asked for by the link, chosen by the person, or preferred by their browser."""
    for wanted in (request.GET.get("lang", ""), contact.language[:2].lower() if contact else ""):
        if wanted in _LANGUAGES:
            return wanted
    return "fr" if get_language_from_request(request).startswith("fr") else "en"
