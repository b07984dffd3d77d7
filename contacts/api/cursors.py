"""Cursors: where the next page begins, sealed, so that nobody can read or alter them.

A page is found by the values of the last row before it, never by counting rows: the thousandth costs what
the first did, and rows that come or go meanwhile neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db.models import Q

from contacts.api.errors import bad_request

_LONGEST = 2_000


def seal(listing: str, values: Sequence[Any]) -> str:
    """``listing`` names the list and its filters: a cursor serves no other."""
    text = json.dumps([_digest(listing), *map(_plain, values)])
    return _box().encrypt(text.encode()).decode().rstrip("=")


def unseal(listing: str, cursor: str) -> list[Any]:
    """The values of the last row before the page. Raises Refused."""
    try:
        text = _box().decrypt((cursor[:_LONGEST] + "=" * (-len(cursor) % 4)).encode())
        whose, *values = json.loads(text)
    except (InvalidToken, UnicodeEncodeError):
        raise bad_request("invalid_cursor", "This is no cursor of ours.", "cursor") from None
    if whose != _digest(listing):
        raise bad_request("invalid_cursor", "This cursor belongs to other filters.", "cursor")
    return [datetime.fromisoformat(one["at"]) if isinstance(one, dict) else one for one in values]


def beyond(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows that come after the one with ``values`` in this order of columns ("-" for falling)."""
    columns = [(name.removeprefix("-"), "lt" if name.startswith("-") else "gt") for name in order]
    found = Q()
    equal = Q()
    for (name, side), value in zip(columns, values, strict=True):
        found |= equal & Q((f"{name}__{side}", value))
        equal &= Q((name, value))
    name, side = columns[0]
    # Implied by the rest, but this is what an index can begin at.
    return Q((f"{name}__{side}e", values[0])) & found


def last_values(order: Sequence[str], row: Any) -> list[Any]:
    return [getattr(row, name.removeprefix("-")) for name in order]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    return str(value) if isinstance(value, UUID) else value


def _digest(listing: str) -> str:
    return hashlib.sha256(listing.encode()).hexdigest()[:16]


def _box() -> MultiFernet:
    """Seals with today's key, opens with former ones too."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hashlib.sha256(b"segue.api-cursor\0" + key.encode()).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
