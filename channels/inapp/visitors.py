"""Who asks: a browser that nobody else can be, or a user for whom the site's own server has signed.

A page's key can be read by anybody and a user id can be guessed, so neither opens anything. An anonymous id
is a browser's own secret, but a browser may *claim* to be a known person; so for known people it counts only
where the account says so. See docs/how-to/in-app.md.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from channels.models import ProviderAccount
from channels.visiting import KIND, trusts_browsers
from contacts import finding, intake_keys
from contacts.models import Contact, SourceKey

#: Shorter ids are not random enough to be a secret.
SHORTEST_ID = 16
#: So far ahead a signature may end at most.
_LONGEST_LIFE = timedelta(days=7)


class ForgedError(ValueError):
    """The signature is not one of the site's server, or it has ended."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose messages may be shown. ``unsigned``: somebody whom only a signature would open."""

    contact_id: int | None
    unsigned: bool = False


def who(source_id: int, user_id: str, signature: str, anonymous_id: str, now: datetime) -> Visitor:
    """The person behind a request with a source's public key. Raises ForgedError."""
    if user_id and signature:
        if not proven(source_id, user_id, signature, now):
            raise ForgedError
        return Visitor(finding.find_one(finding.name("user_id", user_id)))
    if len(anonymous_id) < SHORTEST_ID:
        return Visitor(None, unsigned=bool(user_id))
    contact_id = finding.find_one(finding.name("anonymous_id", anonymous_id))
    if contact_id is None:
        return Visitor(None)
    known = Contact.objects.filter(pk=contact_id, known=True).exists()
    if known and not _browsers_are_trusted():
        return Visitor(None, unsigned=True)
    return Visitor(contact_id)


def sign(server_key: str, user_id: str, ends_at: datetime) -> str:
    """What the site's server does: ``<unix time>.<hex HMAC-SHA256>``, keyed with the digest of its key."""
    return _signed(intake_keys.digest(server_key), user_id, int(ends_at.timestamp()))


def proven(source_id: int, user_id: str, signature: str, now: datetime) -> bool:
    """Whether a server key in use of the source signed for ``user_id``, and the signature has not ended."""
    until, _dot, _proof = signature.partition(".")
    if not (until.isascii() and until.isdecimal() and len(until) <= 11):
        return False
    ends_at = datetime.fromtimestamp(int(until), UTC)
    if not now < ends_at <= now + _LONGEST_LIFE:
        return False
    keys = SourceKey.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=now),
        source_id=source_id,
        source__active=True,
        scope=SourceKey.Scope.SERVER,
        revoked_at=None,
    ).values_list("digest", flat=True)
    return any(
        hmac.compare_digest(signature.encode(), _signed(key, user_id, int(until)).encode()) for key in keys
    )


def _signed(digest: str, user_id: str, until: int) -> str:
    proof = hmac.new(digest.encode(), f"{until}.{user_id}".encode(), hashlib.sha256)
    return f"{until}.{proof.hexdigest()}"


def _browsers_are_trusted() -> bool:
    account = ProviderAccount.objects.filter(kind=KIND, active=True).order_by("position", "id").first()
    return account is not None and trusts_browsers(account.settings)
