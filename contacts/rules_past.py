"""What is not known any more of a day in the past: for whom an answer rests on what is known today.

The log tells what happened and who was in a segment. Attributes, consents, predictions and addresses are
kept as they are, with since when; where that is later than the day, nobody can say what was before.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from contacts.consent.suppressing import FREED
from contacts.rules_sql_text import Sql, instant, joined, piece, text, texts
from contacts.rules_tree import (
    Attribute,
    Consented,
    InSegment,
    Leaf,
    Predicted,
    Reachable,
    Rule,
    leaves,
)

_SEEN = ("first_seen_at", "last_seen_at")
_ADDRESSES = {"email": "email", "sms": "phone"}


def unsure(rule: Rule, as_of: datetime) -> int:
    """For how many contacts of then the answer may be another than it was.

    People who were merged, or parted, since count too: then they were others.
    """
    parts = [part for leaf in set(leaves(rule)) if (part := _changed_since(leaf, as_of))]
    if leaves(rule):
        parts.append(
            piece(
                "SELECT unnest(ARRAY[g.winner_id, g.loser_id]) FROM contacts_merge g"
                " WHERE greatest(g.merged_at, g.undone_at) > {}",
                instant(as_of),
            )
        )
    if not parts:
        return 0
    found = piece(
        "SELECT count(*) FROM contacts_contact c WHERE c.first_seen_at <= {} AND c.id IN ({})",
        instant(as_of),
        joined(" UNION ", parts),
    )
    with connection.cursor() as cursor:
        cursor.execute(found.text, found.params)
        (count,) = cursor.fetchone() or (0,)
        return int(count)


def _changed_since(leaf: Leaf, as_of: datetime) -> Sql | None:
    """A SELECT of the contacts of whom what ``leaf`` asks about changed after ``as_of``; None for none."""
    then = instant(as_of)
    match leaf:
        case Attribute(name, _test, origin):
            return None if name in _SEEN else _told_since(name, origin, as_of)
        case Consented(channel, purpose):
            return piece(
                "SELECT k.contact_id FROM contacts_consententry k WHERE k.recorded_at > {}"
                " AND k.channel = {} AND k.purpose IN ({}, '*')",
                then,
                text(channel),
                text(purpose),
            )
        case Predicted(name):
            rows = "SELECT p.contact_id FROM contacts_prediction p WHERE p.name = {} AND p.computed_at > {}"
            return piece(rows, text(name), then)
        case Reachable(channel):
            return _addresses_since(channel, as_of)
        case InSegment() | _:
            return None


def _told_since(name: str, origin: str, as_of: datetime) -> Sql:
    """Contacts whose value of ``name`` was told after the day; without a value, who changed at all since.

    Every value keeps since when it is as it is.
    """
    then = instant(as_of)
    kinds = ("declared", "inferred") if origin == "either" else (origin,)
    since = joined(
        ", ",
        [piece(f"(c.origins -> '{kind}' -> {{}} ->> 1)::numeric", text(name)) for kind in kinds],
    )
    return piece(
        "SELECT c.id FROM contacts_contact c WHERE c.updated_at > {}"
        " AND COALESCE(to_timestamp(greatest({})::float8), c.updated_at) > {}",
        then,
        since,
        then,
    )


def _addresses_since(channel: str, as_of: datetime) -> Sql:
    then = instant(as_of)
    parts = [
        piece(
            "SELECT e.contact_id FROM contacts_event e WHERE e.name = {} AND e.occurred_at > {}"
            " AND e.properties ->> 'channel' = {}",
            text(FREED),
            then,
            text(channel),
        )
    ]
    if channel in _ADDRESSES:
        parts.append(_told_since(_ADDRESSES[channel], "declared", as_of))
    else:
        parts.append(
            piece(
                "SELECT a.contact_id FROM contacts_channeladdress a WHERE a.channel = ANY({})"
                " AND greatest(a.created_at, a.ended_at) > {}",
                texts([channel]),
                then,
            )
        )
    return joined(" UNION ", parts)
