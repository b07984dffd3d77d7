"""Anchors: signed digests over lines of the ledger, so that not even the last ones can be taken away unseen.

An anchor names no line; each line names its anchor, once. So an anchor can be made at any time, whatever
clocks, transactions or restored backups do: it takes the lines that have none yet.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from contacts import statements
from contacts.consent import chain
from contacts.crashpoints import crashpoint
from contacts.models import ConsentAnchor

#: At least so often while the ledger grows.
EVERY = timedelta(days=1)
_MOST = 50_000
_LOCK = 0x5E67E0


def anchor(now: datetime, *, most: int = _MOST, even_young: bool = False) -> int:
    """Anchor the lines that have none, when there are ``most`` of them or the last anchor is a day old.

    Returns how many lines got one. The newest lines wait for no more than a day.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not (cursor.fetchone() or (False,))[0]:
            return 0
        last = ConsentAnchor.objects.order_by("-number").first()
        lines = statements.rows(_OPEN, [most])
        young = last is not None and last.made_at > now - EVERY and len(lines) < most
        if not lines or (young and not even_young):
            return 0
        number, previous = (last.number + 1, bytes(last.digest)) if last else (1, chain.GENESIS)
        root = chain.root(b"".join(bytes(digest) for _id, digest in lines))
        digest = chain.anchor(number, now, len(lines), root, previous)
        ConsentAnchor.objects.create(
            number=number, made_at=now, lines=len(lines), root=root, previous=previous, digest=digest,
            signature=signature(digest, settings.SECRET_KEY),
        )  # fmt: skip
        crashpoint("consent.anchoring")
        cursor.execute(
            "UPDATE contacts_consententry SET anchor = %s WHERE id = ANY(%s) AND anchor IS NULL",
            [number, [line_id for line_id, _digest in lines]],
        )
    return len(lines)


def signature(digest: bytes, key: str) -> bytes:
    return hmac.digest(f"contacts.consent.anchor.{key}".encode(), digest, "sha256")


def signed(anchor: ConsentAnchor) -> bool:
    """Whether the anchor was signed with our key, or one that we had before."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    given = bytes(anchor.signature)
    return any(hmac.compare_digest(given, signature(bytes(anchor.digest), key)) for key in keys)


_OPEN = """
SELECT id, digest FROM contacts_consententry WHERE anchor IS NULL AND digest IS NOT NULL ORDER BY id LIMIT %b
"""
