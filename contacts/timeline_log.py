"""The event log as one contact's timeline reads it, in the back office and by the API.

The log has no index on a contact's events by time alone, and needs none: a contact has few names of events,
and for each of them an index has the times in order. So the names are looked up first, hopping from one to
the next, then one page of each name is read and merged. A hundred thousand events cost what a hundred do.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Protocol

from django.db import connection

from contacts.models import Event

MOST_NAMES = 200
"Distinct names of one contact's events up to which reading name by name is the better way."
#: What the message, decision and consent tables tell better themselves.
TOLD_ELSEWHERE = ["Message Sent", "Message Held", "Message Dropped", "Message Failed"]

_SYSTEM = int(Event.Kind.SYSTEM)
_OURS = f"e.kind = {_SYSTEM}"
# Of the kinds that a person may ask for; our own words, never theirs.
_KINDS = {
    "every": "true",
    "": f"NOT ({_OURS} AND (e.name = ANY(%(elsewhere)s) OR e.name LIKE 'Consent %%'))",
    "activity": f"(e.kind <> {_SYSTEM} OR e.name = 'Contact Created')",
    "messages": f"{_OURS} AND e.name LIKE 'Message %%' AND e.name <> ALL(%(elsewhere)s)",
    "journeys": f"{_OURS} AND e.name LIKE 'Journey %%'",
    "segments": f"{_OURS} AND e.name LIKE 'Segment %%'",
}
_FIRST_WORD = {"messages": "Message ", "journeys": "Journey ", "segments": "Segment "}


class Asked(Protocol):
    """What is asked for; see ``config.timeline.Asked``. The kind ``every`` leaves nothing out."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def until(self) -> datetime | None: ...
    @property
    def words(self) -> str: ...


def names(contact_id: int) -> list[str]:
    """Names of the contact's events, in order, MOST_NAMES and one more at most. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, {"contact": contact_id, "most": MOST_NAMES + 1})
        return [row[0] for row in cursor.fetchall()]


def read(
    contact_id: int,
    asked: Asked,
    beside: tuple[datetime, int | None] | None,
    *,
    upwards: bool,
    limit: int,
) -> Sequence[Event]:
    """Up to ``limit`` events next to the place ``beside``, nearest first; two statements.

    ``beside`` is a time and the id of an event at that time. Without an id, events at that very time lie
    below the place and not above it.
    """
    known = [asked.name] if asked.name else names(contact_id)
    wanted = _possible(known, asked)
    if not wanted:
        return []
    values: dict[str, Any] = {
        "contact": contact_id,
        "names": wanted,
        "elsewhere": TOLD_ELSEWHERE,
        "limit": limit,
        "since": asked.since,
        "until": asked.until,
        "channel": asked.channel,
        "words": f"%{_plain(asked.words)}%",
    }
    conditions = ["e.contact_id = %(contact)s", _KINDS[asked.kind], *_conditions(asked)]
    if beside is not None:
        values["at"], values["id"] = beside
        conditions.append(_place(beside[1], upwards=upwards))
    order = "e.occurred_at, e.id" if upwards else "e.occurred_at DESC, e.id DESC"
    whole = len(known) > MOST_NAMES
    statement = (_BY_TIME if whole else _BY_NAME).format(where=" AND ".join(conditions), order=order)
    return list(Event.objects.raw(statement, values))


def _possible(known: Collection[str], asked: Asked) -> list[str]:
    """The names that what is asked can concern."""
    first = "Message " if asked.channel else _FIRST_WORD.get(asked.kind, "")
    return [name for name in known if name.startswith(first)]


def _conditions(asked: Asked) -> list[str]:
    found = []
    if asked.since:
        found.append("e.occurred_at >= %(since)s")
    if asked.until:
        found.append("e.occurred_at < %(until)s")
    if asked.channel:
        found.append(f"{_OURS} AND e.properties ->> 'channel' = %(channel)s")
    if asked.words:
        found.append("(e.name ILIKE %(words)s OR e.properties::text ILIKE %(words)s)")
    return found


def _place(row_id: int | None, *, upwards: bool) -> str:
    if row_id is None:
        return "e.occurred_at > %(at)s" if upwards else "e.occurred_at <= %(at)s"
    sign = ">" if upwards else "<"
    # The bound on the time alone is what the index can use.
    return f"e.occurred_at {sign}= %(at)s AND (e.occurred_at, e.id) {sign} (%(at)s, %(id)s)"


def _plain(words: str) -> str:
    """Words in which the signs of a pattern mean themselves."""
    return words.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


# Hops along the index from one name to the next, instead of reading all of each.
_NAMES = """
WITH RECURSIVE hop(name) AS (
    (SELECT e.name FROM contacts_event e WHERE e.contact_id = %(contact)s ORDER BY e.name LIMIT 1)
    UNION ALL
    SELECT (SELECT e.name FROM contacts_event e WHERE e.contact_id = %(contact)s AND e.name > hop.name
        ORDER BY e.name LIMIT 1)
    FROM hop WHERE hop.name IS NOT NULL
)
SELECT name FROM hop WHERE name IS NOT NULL LIMIT %(most)s
"""
_BY_NAME = """
SELECT e.* FROM unnest(%(names)s::text[]) AS one(name) CROSS JOIN LATERAL (
    SELECT * FROM contacts_event e WHERE e.name = one.name AND {where} ORDER BY {order} LIMIT %(limit)s
) AS e ORDER BY {order} LIMIT %(limit)s
"""
_BY_TIME = "SELECT * FROM contacts_event e WHERE {where} ORDER BY {order} LIMIT %(limit)s"
