"""Doors for machines: providers' callbacks, and browsers that subscribe to pushes. No cookies, no session."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from channels import accounts, callbacks, callbacks_mail, callbacks_sms, hits, replying, subscribing
from channels.hits import NewHit
from channels.models import ProviderAccount
from channels.sns_signature import CertificateAwayError
from contacts import clock, pulse
from contacts.contention import STORE_FAULTS
from contacts.intake_quota import Quota
from contacts.models import SourceKey

_MOST_BYTES = 1_000_000
_MOST_OF_A_MAIL = 30_000_000
_MOST_FROM_BROWSER = 8_000


@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def email_report(request: HttpRequest, account_id: int) -> HttpResponse:
    """What an email service reports; see anymail for each service's form."""
    if request.method == "HEAD":
        return HttpResponse()  # some services look whether somebody is there before they save the address
    account, now = _account(account_id, "anymail"), clock.now()
    answer = _taken(request, lambda: callbacks_mail.receipts(account, request, now))
    return _and_topic(answer, account, request, now)


def _and_topic(
    answer: HttpResponse, account: ProviderAccount, request: HttpRequest, now: datetime
) -> HttpResponse:
    """The answer, after a topic of Amazon's was confirmed; or the question for the password."""
    if answer.status_code == 200:
        accounts.confirm_topic(callbacks_mail.sns_confirmation(account, request, now))
    elif answer.status_code == 403 and callbacks_mail.wants_asking(account, request):
        # Amazon shows its password only where it is asked for.
        answer = _error(401, "who", "a user name and password", {"WWW-Authenticate": 'Basic realm="Segue"'})
    return answer


@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def email_incoming(request: HttpRequest, account_id: int) -> HttpResponse:
    """Mails that a service received for us: people's answers, bounces, complaints."""
    if request.method == "HEAD":
        return HttpResponse()
    account, now = _account(account_id, "anymail"), clock.now()
    answer = _taken(request, lambda: callbacks_mail.letters(account, request, now), _MOST_OF_A_MAIL)
    return _and_topic(answer, account, request, now)


@csrf_exempt
@require_POST
def sms_report(request: HttpRequest, account_id: int) -> HttpResponse:
    """What became of texts, by whoever carries them."""
    account, now = _account(account_id, *callbacks_sms.KINDS), clock.now()
    return _taken(request, lambda: callbacks_sms.KINDS[account.kind].receipts(account, request, now))


@csrf_exempt
@require_POST
def sms_incoming(request: HttpRequest, account_id: int) -> HttpResponse:
    """Texts that people sent to us."""
    account, now = _account(account_id, *callbacks_sms.KINDS), clock.now()
    if int(request.META.get("CONTENT_LENGTH") or 0) > _MOST_BYTES:
        return _error(413, "too_large", "at most 1 MB")
    try:
        texts = callbacks_sms.KINDS[account.kind].texts(account, request, now)
        for one in texts:
            replying.take(
                one.sender, one.text, now, key=f"{account.pk}:{one.id}", proof={"account": account.name}
            )
    except callbacks.ForgedError as error:
        return _error(403, "forged", str(error))
    except callbacks.UnreadableError as error:
        return _error(400, "unreadable", str(error))
    except STORE_FAULTS:
        return _error(503, "store_down", "try again", {"Retry-After": "10"})
    if account.kind == "twilio":
        # Twilio reads what we answer as its own language; this says nothing to the person.
        return HttpResponse("<Response></Response>", content_type="text/xml")
    return JsonResponse({"taken": len(texts)})


@csrf_exempt
@require_POST
def own_report(request: HttpRequest, account_id: int) -> HttpResponse:
    """What a server of the operator's own says became of messages that it was handed."""
    account, now = _account(account_id, "webhook"), clock.now()
    return _taken(request, lambda: callbacks.from_own(account, request.headers, request.body, now))


def _taken(request: HttpRequest, read: Callable[[], list[NewHit]], most: int = _MOST_BYTES) -> HttpResponse:
    if int(request.META.get("CONTENT_LENGTH") or 0) > most:
        return _error(413, "too_large", f"at most {most // 1_000_000} MB")
    try:
        found = read()
        with transaction.atomic():
            hits.write(found)
    except callbacks.ForgedError as error:
        return _error(403, "forged", str(error))
    except callbacks.UnreadableError as error:
        return _error(400, "unreadable", str(error))
    except CertificateAwayError as error:
        return _error(503, "unproven", f"try again: {error}", {"Retry-After": "60"})
    except STORE_FAULTS:
        return _error(503, "store_down", "try again", {"Retry-After": "10"})
    pulse.wake("engagement")
    return JsonResponse({"taken": len(found)})


def _account(account_id: int, *kinds: str) -> ProviderAccount:
    account = ProviderAccount.objects.filter(pk=account_id, kind__in=kinds, active=True).first()
    if account is None:
        raise Http404
    return account


@functools.cache
def _quota() -> Quota:
    """So many browsers a second may subscribe by one source's key, which anybody can read in its pages."""
    return Quota(settings.SEGUE_PUSH_RATE)


@require_GET
def push_key(request: HttpRequest) -> HttpResponse:
    """The key with which a page's service worker subscribes."""
    key = accounts.push_key()
    if key is None:
        return _error(404, "no_push", "no account carries pushes")
    return _open(JsonResponse({"publicKey": key}))


@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
def push_subscribe(request: HttpRequest) -> HttpResponse:
    """``{"writeKey", "anonymousId", "subscription", "purposes": []?}`` from a web page.

    An app sends ``"device": {"platform", "token", "former"?}`` instead of the subscription.
    """
    if request.method == "OPTIONS":
        return _open(HttpResponse(status=204))
    if int(request.META.get("CONTENT_LENGTH") or 0) > _MOST_FROM_BROWSER:
        return _error(413, "too_large", "at most 8 KB")
    try:
        asked = json.loads(request.body)
    except (ValueError, RecursionError):
        return _error(400, "malformed", "not JSON")
    if not isinstance(asked, dict):
        return _error(400, "malformed", "not an object")
    sender = subscribing.sender_of(_word(asked, "writeKey"))
    if sender is None:
        return _error(401, "invalid_key", "no source has this key")
    source_id, scope = sender
    wait = _quota().wait(source_id)
    if wait:
        return _error(429, "too_many", "too many subscriptions at once", {"Retry-After": str(wait)})
    _quota().charge(source_id, 1)
    # Anybody can read a page's key and guess a user id, and pushes tell about the person.
    user_id = _word(asked, "userId") if scope == SourceKey.Scope.SERVER else ""
    contact = subscribing.find(user_id, _word(asked, "anonymousId"))
    if contact is None:
        return _error(409, "unknown", "send an event with this anonymousId first")
    wanted = asked.get("purposes")
    listed = wanted if isinstance(wanted, list) else []
    purposes = [one for one in listed if isinstance(one, str) and one.isascii() and one.isprintable()]
    try:
        if isinstance(device := asked.get("device"), dict):
            platform, token, former = (_word(device, name) for name in ("platform", "token", "former"))
            subscribing.register(contact, platform, token, purposes, clock.now(), former=former)
        else:
            subscribing.subscribe(contact, asked.get("subscription"), purposes, clock.now())
    except subscribing.SubscriptionError as error:
        return _error(400, "malformed", str(error))
    return _open(JsonResponse({"success": True}))


def _word(asked: dict[str, object], name: str) -> str:
    value = asked.get(name)
    # Neither NUL nor half a sign can be looked for in the database.
    return value.replace("\x00", "").encode(errors="ignore").decode() if isinstance(value, str) else ""


def _open(response: HttpResponse) -> HttpResponse:
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Allow-Headers"] = "content-type"
    response["Access-Control-Allow-Methods"] = "POST, OPTIONS"
    response["Cache-Control"] = "no-store"
    return response


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> HttpResponse:
    response = _open(JsonResponse({"code": code, "message": message}, status=status))
    for name, value in (headers or {}).items():
        response[name] = value
    return response
