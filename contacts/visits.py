"""Visits that a message brought: signed tokens name the message in a page's address, and events repeat them.

The redirect of a tracked link makes a token, the page's script sends it back for half an hour in
``context.campaign.message``, and ingest puts what it says in its place. What nobody here has signed, or was
signed too long ago, is taken out: no page can give its figures to a message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from django.conf import settings

from contacts.arrivals import Arrival

PARAMETER = "segue_m"
#: A page that lies open this long after the click still belongs to it; a bookmark of it does not.
LASTS = timedelta(hours=12)
#: What the SDK itself measures; these events carry the message among their properties, for rules and reports.
_MEASURED = frozenset({"Content Engaged"})
_LONGEST = 1_000
_DIGEST = 16
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Visit:
    """The message that brought somebody, and who wanted it: a journey's or campaign's slug, and the step."""

    message: int
    channel: str
    journey: str
    step: str


class Signer:
    """Makes tokens with one secret, and reads those of ``former`` ones too."""

    def __init__(self, secret: str, former: Sequence[str] = ()) -> None:
        self._keys = [hashlib.sha256(b"segue.visits\0" + one.encode()).digest() for one in (secret, *former)]

    def sign(self, visit: Visit, now: datetime) -> str:
        """A URL-safe token."""
        body = json.dumps(
            [visit.message, int(now.timestamp()), visit.channel, visit.journey, visit.step],
            separators=(",", ":"),
        ).encode()
        return f"{_text(body)}.{_text(_digest(self._keys[0], body))}"

    def read(self, token: str, now: datetime) -> Visit | None:
        """What the token says, if it was signed here and its click was not too long before ``now``."""
        body_text, _dot, digest_text = token.partition(".")
        if len(token) > _LONGEST:
            return None
        try:
            body, digest = _bytes(body_text), _bytes(digest_text)
        except (ValueError, binascii.Error):
            return None
        if not any(hmac.compare_digest(digest, _digest(key, body)) for key in self._keys):
            return None
        message, clicked, channel, journey, step = json.loads(body)
        at = datetime.fromtimestamp(clicked, UTC)
        if not at - timedelta(minutes=5) <= now <= at + LASTS:
            return None
        return Visit(message, channel, journey, step)


@lru_cache(maxsize=1)
def signer() -> Signer:
    return Signer(settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS)


def name_messages(arrivals: Iterable[Arrival]) -> None:
    """Put what each token says in the token's place; what is none of ours is taken out."""
    for arrival in arrivals:
        event = arrival.event
        # Decoding every context would cost more than all else here; most name no campaign.
        if b'"campaign"' not in memoryview(event.context).tobytes():
            continue
        context = event.context_dict()
        campaign = context.get("campaign")
        if not isinstance(campaign, dict) or "message" not in campaign:
            continue
        visit = _of(campaign["message"], arrival.item.received_at)
        rest = {key: value for key, value in campaign.items() if key not in Visit.__slots__}
        said = asdict(visit) if visit else {}
        named = {"context": msgspec.Raw(_encode({**context, "campaign": rest | said}))}
        if visit and arrival.name in _MEASURED:
            named["properties"] = msgspec.Raw(_encode(event.properties_dict() | said))
        arrival.event = msgspec.structs.replace(event, **named)


def _of(token: Any, now: datetime) -> Visit | None:
    return signer().read(token, now) if isinstance(token, str) else None


def _digest(key: bytes, body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST, key=key, person=b"visit").digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    raw = text.encode("ascii")
    return base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
