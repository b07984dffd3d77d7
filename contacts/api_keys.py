"""Keys of the API: made, shown once, kept as digests, found again for each request, and revoked."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q

from contacts.models import ApiKey

_START = "seg_"
"So that scanners for secrets, and people, see what it is."
_LONGEST = 200
_USE_NOTED_EVERY = timedelta(minutes=1)


def issue(
    name: str, scopes: Iterable[str], made_by_id: int, now: datetime, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key and its text, which is not kept and cannot be shown again."""
    text = _START + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name,
        prefix=text[:10],
        digest=_digest(text),
        scopes=sorted(set(scopes)),
        made_by_id=made_by_id,
        created_at=now,
        expires_at=expires_at,
    )
    return key, text


def find(text: str, now: datetime) -> ApiKey | None:
    """The key with this text, if it is in use; that it was used is noted, once a minute at most."""
    if len(text) > _LONGEST:
        return None
    in_use = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
    key = ApiKey.objects.filter(in_use, digest=_digest(text)).first()
    if key and (key.last_used_at is None or key.last_used_at <= now - _USE_NOTED_EVERY):
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def revoke(key_id: int, now: datetime) -> bool:
    """Whether it was in use until now. The next request with it is refused."""
    return bool(ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=now))


def _digest(text: str) -> str:
    """Keys hold 256 random bits, so a plain digest cannot be reversed by trying."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
