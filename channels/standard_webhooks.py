"""Standard Webhooks 1.0 (standardwebhooks.com): how what we post is signed, and posts of others proven."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime

#: How old a signature may be, and how far ahead of our clock.
TOLERANCE_SECONDS = 300
_PREFIX = "whsec_"


def new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def signed(secret: str, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of a post, and its key. Raises ValueError where the secret is none."""
    at = str(int(now.timestamp()))
    return {
        "Content-Type": "application/json",
        "Idempotency-Key": message_id,
        "webhook-id": message_id,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{_digest(secret, message_id, at, body)}",
    }


def complaint(
    secret: str, headers: Mapping[str, str], body: bytes, now: datetime, *, prefix: str = "webhook"
) -> str:
    """What is wrong with the signature of a post; empty when it is right, fresh and made for this body."""
    if not secret:
        return "no secret is set, so nothing can be believed"
    name, at = headers.get(f"{prefix}-id", ""), headers.get(f"{prefix}-timestamp", "")
    if not (at.isascii() and at.isdigit() and len(at) < 12) or not name.isascii():
        return "no signature"
    if abs(now.timestamp() - int(at)) > TOLERANCE_SECONDS:
        return "an old signature"
    try:
        right = _digest(secret, name, at, body).encode()
    except ValueError:
        return "the secret is not one of Standard Webhooks"
    given = headers.get(f"{prefix}-signature", "").split(" ")[:5]
    if not any(
        hmac.compare_digest(right, one.partition(",")[2].encode()) for one in given if one.startswith("v1,")
    ):
        return "a wrong signature"
    return ""


def _digest(secret: str, message_id: str, at: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    digest = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")
