"""What people do about their own data with the link from any of our messages. No login, no cookie.

The preference centre leads here. A GET only shows; each act is a button.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from contacts import clock, preferences, pulse
from contacts.models import Contact, PrivacyRequest
from contacts.preferences import TokenInvalidError, Use
from contacts.privacy import copying, objecting, requests, tombstones
from contacts.privacy.requests import OPEN, Kind, State
from contacts.public_pages import draw, language_of, public

_THEMSELVES = "the person"
_Answer = HttpResponse | StreamingHttpResponse


def _own(
    view: Callable[[HttpRequest, Contact, str], _Answer],
) -> Callable[[HttpRequest, str], HttpResponseBase]:
    """A page of the person whom the link names."""

    @public
    @wraps(view)
    def page(request: HttpRequest, token: str) -> _Answer:
        contact = preferences.person(preferences.read(token, Use.PREFERENCES, clock.now()))
        if contact is None:
            raise TokenInvalidError
        return view(request, contact, token)

    return page


@_own
def own_data(request: HttpRequest, contact: Contact, token: str) -> _Answer:
    """A copy of everything, and the objection to profiling."""
    now = clock.now()
    if request.method == "POST":
        language = language_of(request, contact)
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
    return draw(request, "contacts/privacy/own_data.html", context, language_of(request, contact))


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
                    language=language_of(request, contact),
                )
    context = {
        "asked": _open_erasures(contact).first(),
        "by_word": not (contact.email or contact.phone),
        "phrase": _phrase(contact),
        "wrong": wrong,
        "policy": tombstones.policy(),
        "token": token,
    }
    return draw(request, "contacts/privacy/own_erasure.html", context, language_of(request, contact))


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
