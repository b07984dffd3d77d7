"""Addresses that must not be written to, whoever owns them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial

from django.db import transaction

from contacts import event_log, pulse, statements
from contacts.event_log import NewEvent

#: The event of a contact who may be written to again.
FREED = "Address Allowed"

_LONGEST_ADDRESS = 512
# Endless addresses are suppressed by their digest; whose they are is seen with the contact's next event.
_OWNERS = """
WITH u(channel, address) AS (SELECT * FROM unnest(%b::text[], %b::text[]))
SELECT c.id, u.channel FROM u JOIN contacts_contact c ON c.email = u.address
WHERE u.channel = 'email' AND c.email <> ''
UNION SELECT i.contact_id, u.channel FROM u JOIN contacts_identifier i ON i.value = u.address
WHERE (u.channel, i.kind) IN (('email', 'email'), ('sms', 'phone'))
UNION SELECT a.contact_id, u.channel FROM u JOIN contacts_channeladdress a USING (channel, address)
"""


def suppress(
    pairs: Iterable[tuple[str, str]], reason: str, now: datetime, *, note: str = ""
) -> set[tuple[str, str]]:
    """Never write to these (channel, address) pairs again; returns those that were not suppressed yet."""
    wanted = sorted({(channel, address_key(channel, address)) for channel, address in pairs if address})
    if not wanted:
        return set()
    added = statements.rows(
        "INSERT INTO contacts_suppression (channel, address, reason, note, created_at)"
        " SELECT c, a, %b, %b, %b::timestamptz FROM unnest(%b::text[], %b::text[]) AS u(c, a)"
        " ON CONFLICT DO NOTHING RETURNING channel, address",
        [reason, note, now, [row[0] for row in wanted], [row[1] for row in wanted]],
    )
    return set(added)


def allow_again(pairs: Iterable[tuple[str, str]], now: datetime) -> int:
    """Lift suppressions and tell the log of those who have the addresses; returns how many there were."""
    wanted = sorted({(channel, address_key(channel, address)) for channel, address in pairs})
    channels, addresses = [row[0] for row in wanted], [row[1] for row in wanted]
    with transaction.atomic():
        lifted = statements.rows(
            "DELETE FROM contacts_suppression s USING unnest(%b::text[], %b::text[]) AS u(channel, address)"
            " WHERE s.channel = u.channel AND s.address = u.address RETURNING s.channel, s.address",
            [channels, addresses],
        )
        own = [[row[0] for row in lifted], [row[1] for row in lifted]]
        owners = set(statements.rows(_OWNERS, own)) if lifted else set()
        event_log.append(
            NewEvent(contact_id, FREED, now, now, properties={"channel": channel})
            for contact_id, channel in sorted(owners)
        )
        transaction.on_commit(partial(pulse.wake, "segments"))
    return len(lifted)


def suppressed(pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of the (channel, address) pairs, those that must not be written to."""
    return set(suppressed_since(pairs))


def suppressed_since(pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    """Of the (channel, address) pairs, those that must not be written to, with since when."""
    keys = {(channel, address): address_key(channel, address) for channel, address in pairs if address}
    if not keys:
        return {}
    found = statements.rows(
        "SELECT s.channel, s.address, s.created_at FROM unnest(%b::text[], %b::text[]) AS u(channel, address)"
        " JOIN contacts_suppression s ON s.channel = u.channel AND s.address = u.address",
        [[channel for channel, _address in keys], list(keys.values())],
    )
    since = {(channel, address): at for channel, address, at in found}
    return {pair: since[pair[0], key] for pair, key in keys.items() if (pair[0], key) in since}


def address_key(channel: str, address: str) -> str:
    """The form in which an address is suppressed: emails without case, endless ones by their digest."""
    text = address.strip().lower() if channel == "email" else address.strip()
    if len(text) <= _LONGEST_ADDRESS:
        return text
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
