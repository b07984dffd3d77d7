"""Addresses that must not be written to, whoever owns them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime

from contacts.consent.rows import rows
from contacts.models import Suppression

_LONGEST_ADDRESS = 512


def suppress(
    pairs: Iterable[tuple[str, str]], reason: str, now: datetime, *, note: str = ""
) -> set[tuple[str, str]]:
    """Never write to these (channel, address) pairs again; returns those that were not suppressed yet."""
    wanted = sorted({(channel, address_key(channel, address)) for channel, address in pairs if address})
    if not wanted:
        return set()
    return rows(
        "INSERT INTO contacts_suppression (channel, address, reason, note, created_at)"
        " SELECT c, a, %b, %b, %b::timestamptz FROM unnest(%b::text[], %b::text[]) AS u(c, a)"
        " ON CONFLICT DO NOTHING RETURNING channel, address",
        [reason, note, now, [row[0] for row in wanted], [row[1] for row in wanted]],
    )


def allow_again(pairs: Iterable[tuple[str, str]]) -> int:
    """Lift suppressions; returns how many there were."""
    keys = [(channel, address_key(channel, address)) for channel, address in pairs]
    removed = 0
    for channel in {channel for channel, _address in keys}:
        addresses = [address for one, address in keys if one == channel]
        removed += Suppression.objects.filter(channel=channel, address__in=addresses).delete()[0]
    return removed


def suppressed(pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of the (channel, address) pairs, those that must not be written to."""
    keys = {(channel, address): address_key(channel, address) for channel, address in pairs if address}
    if not keys:
        return set()
    found = rows(
        "SELECT s.channel, s.address FROM unnest(%b::text[], %b::text[]) AS u(channel, address)"
        " JOIN contacts_suppression s ON s.channel = u.channel AND s.address = u.address",
        [[channel for channel, _address in keys], list(keys.values())],
    )
    return {pair for pair, key in keys.items() if (pair[0], key) in found}


def address_key(channel: str, address: str) -> str:
    """The form in which an address is suppressed: emails without case, endless ones by their digest."""
    text = address.strip().lower() if channel == "email" else address.strip()
    if len(text) <= _LONGEST_ADDRESS:
        return text
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
