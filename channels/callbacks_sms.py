"""What text services tell us: receipts, and texts that people wrote. Each proves itself in its own way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import jwt
from django.conf import settings
from django.http import HttpRequest

from channels import callbacks, sealing
from channels.callbacks import TOLERANCE_SECONDS, ForgedError, Text, UnreadableError
from channels.hits import NewHit
from channels.models import ProviderAccount

_LONGEST = 500
_TWILIO = {"delivered": "delivered", "undelivered": "bounced", "failed": "rejected"}
#: Twilio's reasons after which the number is worth no further try: unknown handset, landline, stopped.
_TWILIO_ENDED = frozenset({"30005", "30006", "21610", "21614"})
_VONAGE = {"delivered": "delivered", "undeliverable": "bounced", "rejected": "rejected", "read": "opened"}
#: "Unknown subscriber" and "number does not exist".
_VONAGE_ENDED = frozenset({"1320", "1330", "1331"})


class Kind(NamedTuple):
    """How one provider's posts are read."""

    receipts: Callable[[ProviderAccount, HttpRequest, datetime], list[NewHit]]
    texts: Callable[[ProviderAccount, HttpRequest, datetime], list[Text]]


def _gateway_receipts(account: ProviderAccount, request: HttpRequest, now: datetime) -> list[NewHit]:
    return callbacks.from_sms(account, request.body, request.headers.get("X-Segue-Signature", ""), now)


def _gateway_texts(account: ProviderAccount, request: HttpRequest, now: datetime) -> list[Text]:
    signature = request.headers.get("X-Segue-Signature", "")
    return callbacks.texts_from_sms(account, request.body, signature, now)


def _twilio_form(account: ProviderAccount, request: HttpRequest) -> Mapping[str, str]:
    """The post's fields, after Twilio's signature over them and over our own address was found right."""
    token = str(sealing.values_of(account).get("auth_token") or "")
    if not token:
        raise ForgedError("no auth token is set, so nothing can be believed")
    # A field may come several times; Twilio signs each.
    fields = sorted((name, value) for name, values in request.POST.lists() for value in sorted(set(values)))
    text = settings.SEGUE_BASE_URL + request.get_full_path() + "".join(map("".join, fields))
    right = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest())
    if not hmac.compare_digest(right, request.headers.get("X-Twilio-Signature", "").encode()):
        raise ForgedError("a wrong signature")
    return request.POST


def _twilio_receipts(account: ProviderAccount, request: HttpRequest, now: datetime) -> list[NewHit]:
    form = _twilio_form(account, request)
    name, status = form.get("MessageSid", "") or form.get("SmsSid", ""), form.get("MessageStatus", "")
    code = form.get("ErrorCode", "")
    return receipt(account, _TWILIO.get(status), name, code, now, ended=code in _TWILIO_ENDED)


def _twilio_texts(account: ProviderAccount, request: HttpRequest, now: datetime) -> list[Text]:
    form = _twilio_form(account, request)
    return text(form.get("MessageSid", ""), form.get("From", ""), form.get("Body", ""))


def _vonage_post(account: ProviderAccount, request: HttpRequest, now: datetime) -> dict[str, Any]:
    """The post, after the signed token that goes with it was found right, fresh and made for this post."""
    secret = str(sealing.values_of(account).get("signature_secret") or "")
    if not secret:
        raise ForgedError("no signature secret is set, so nothing can be believed")
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    try:
        claims = jwt.decode(
            token if scheme.lower() == "bearer" else "", secret, algorithms=["HS256"],
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False,
                     "enforce_minimum_key_length": False},
        )  # fmt: skip
        made = float(claims["iat"])
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        raise ForgedError("a wrong signature") from None
    if abs(now.timestamp() - made) > TOLERANCE_SECONDS:
        raise ForgedError("an old signature")
    digest = hashlib.sha256(request.body).hexdigest()
    if not hmac.compare_digest(
        digest, str(claims.get("payload_hash", "")).encode("ascii", "replace").decode()
    ):
        raise ForgedError("a signature of something else")
    if str(claims.get("api_key", "")) != str(account.settings.get("api_key") or ""):
        raise ForgedError("a signature for somebody else")
    try:
        told = json.loads(request.body)
    except (ValueError, RecursionError):
        raise UnreadableError("not JSON") from None
    if not isinstance(told, dict):
        raise UnreadableError("not an object")
    return told


def _vonage_receipts(account: ProviderAccount, request: HttpRequest, now: datetime) -> list[NewHit]:
    told = _vonage_post(account, request, now)
    error = told.get("error")
    code = str((error if isinstance(error, dict) else {}).get("title") or "")
    name = str(told.get("message_uuid") or "")
    return receipt(
        account, _VONAGE.get(str(told.get("status"))), name, code, now, ended=code in _VONAGE_ENDED
    )


def _vonage_texts(account: ProviderAccount, request: HttpRequest, now: datetime) -> list[Text]:
    told = _vonage_post(account, request, now)
    sender = str(told.get("from") or "")
    number = f"+{sender}" if sender.isascii() and sender.isdigit() else sender
    return text(str(told.get("message_uuid") or ""), number, str(told.get("text") or ""))


def receipt(
    account: ProviderAccount, kind: str | None, name: str, code: str, now: datetime, *, ended: bool
) -> list[NewHit]:
    """What became of the message ``name``, as a hit; none where ``kind`` says nothing."""
    name = name.replace("\x00", "")[:150]
    if kind is None or not name:
        return []
    data = {
        "provider_message_id": name,
        "code": code.replace("\x00", "")[:_LONGEST],
        "soft": kind == "bounced" and not ended,
    }
    return [NewHit(now, kind, provider_id=account.pk, receipt_key=f"{kind}:{name}", data=data)]


def text(name: str, sender: str, text: str) -> list[Text]:
    """What a person wrote, without what cannot be kept; none where it names nobody."""
    if not name or not sender:
        return []
    plain = text.replace("\x00", "").encode(errors="ignore").decode()
    return [Text(name[:200], sender.replace("\x00", "")[:64], plain)]


KINDS: Mapping[str, Kind] = {
    "http_sms": Kind(_gateway_receipts, _gateway_texts),
    "twilio": Kind(_twilio_receipts, _twilio_texts),
    "vonage": Kind(_vonage_receipts, _vonage_texts),
}
