"""Who is in a segment: every change is a difference, written with its events in one transaction.

Whoever judges contacts and writes what follows holds their slots meanwhile, so that an older answer
never overwrites a newer one.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import psycopg
from django.db import connection, transaction
from django.db.models import QuerySet

from contacts import arrays, event_log, slots
from contacts.event_log import NewEvent
from contacts.models import Contact, Segment

ENTERED, LEFT = "Segment Entered", "Segment Left"
_NAMESPACE = zlib.crc32(b"segments") & 0x7FFFFFFF


@dataclass(slots=True)
class Change:
    """Ids of the contacts that came and went."""

    entered: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.entered or self.left)


def hold(wanted: Iterable[int]) -> None:
    """Keep others from judging contacts of these slots until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            # One order for all, so that two holders never wait for each other.
            "SELECT pg_advisory_xact_lock(%s, s) FROM unnest(%s::int[]) AS s",
            [_NAMESPACE, sorted(set(wanted))],
        )


def replace(segment: Segment, wanted: QuerySet[Contact], now: datetime) -> Change:
    """Make ``wanted`` the members of ``segment``; one statement finds and writes the difference."""
    select, params = wanted.values_list("id", "slot").query.sql_with_params()
    change = Change()
    with connection.cursor() as cursor:
        cursor.execute(_REPLACE.format(wanted=select), [*params, segment.pk, segment.pk, now])
        for contact_id, entered in cursor.fetchall():
            (change.entered if entered else change.left).append(contact_id)
    _tell({segment.pk: change}, {segment.pk: segment.slug}, now)
    return change


def judge(
    judged: Mapping[Segment, tuple[set[int], set[int]]],
    now: datetime,
    *,
    history: Mapping[int, set[int]] = MappingProxyType({}),
) -> dict[Segment, Change]:
    """Write verdicts: per segment the contacts that were judged, and those of them that belong in it.

    ``history`` names, per segment id, contacts whom only a file brought here: their coming is no news.
    Statements: a constant number, whatever the number of contacts and segments.
    """
    members = _members(judged)
    changes = {}
    for segment, (asked, held) in judged.items():
        inside = members[segment.pk] & asked
        change = Change(sorted(held - inside), sorted(inside - held))
        if change:
            changes[segment] = change
    if not changes:
        return {}
    come = [(segment.pk, contact) for segment, change in changes.items() for contact in change.entered]
    gone = [(segment.pk, contact) for segment, change in changes.items() for contact in change.left]
    _rows(_ENTER, come, now)
    _rows(_LEAVE, gone)
    _rows(_RESIZE, [(segment.pk, len(c.entered) - len(c.left)) for segment, c in changes.items()])
    note_day({segment.pk: change for segment, change in changes.items()}, now)
    _tell(
        {segment.pk: change for segment, change in changes.items()},
        {segment.pk: segment.slug for segment in changes},
        now,
        history,
    )
    return changes


def _members(judged: Mapping[Segment, tuple[set[int], set[int]]]) -> dict[int, set[int]]:
    """Per segment those who are in it, of everybody who was judged for any."""
    found: dict[int, set[int]] = {segment.pk: set() for segment in judged}
    everybody = set().union(*(asked for asked, _held in judged.values()))
    if not everybody:
        return found
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, [arrays.literal(everybody), arrays.literal(found)])
        for segment_id, contacts in cursor.fetchall():
            found[segment_id] = set(contacts)
    return found


def note_day(changes: Mapping[int, Change], now: datetime) -> None:
    """Add what happened to the figures of the day (UTC); sizes are those that the segments now have."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DAY,
            [
                now.astimezone(UTC).date(),
                list(changes),
                [len(change.entered) for change in changes.values()],
                [len(change.left) for change in changes.values()],
            ],
        )


def recount(since: datetime) -> None:
    """Count the segments anew that contacts are in who were merged, or parted, after ``since``.

    A merge leaves one membership of two. Followers write memberships before sizes, so with the rows of the
    segments locked first, what they have yet to add comes on top of what is counted here.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_MERGED_MEMBERS, [since])
        if touched := [row[0] for row in cursor.fetchall()]:
            cursor.execute(_RECOUNT, [touched])


def _tell(
    changes: Mapping[int, Change],
    slugs: Mapping[int, str],
    now: datetime,
    history: Mapping[int, set[int]] = MappingProxyType({}),
) -> None:
    def said(segment_id: int, contact: int) -> dict[str, Any]:
        told = {event_log.HISTORY: True} if contact in history.get(segment_id, ()) else {}
        return {"segment": slugs[segment_id], **told}

    event_log.append(
        NewEvent(contact, name, now, now, properties=said(segment_id, contact))
        for segment_id, change in changes.items()
        for name, contacts in ((ENTERED, change.entered), (LEFT, change.left))
        for contact in contacts
    )


def _rows(statement: str, pairs: list[tuple[int, int]], *more: Any) -> list[tuple[int, int]]:
    """Run a statement over pairs of a segment and a contact, or of a segment and a number."""
    if not pairs:
        return []
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            statement, [arrays.literal(p[0] for p in pairs), arrays.literal(p[1] for p in pairs), *more]
        )
        return cursor.fetchall() if cursor.description else []


_PAIRS = "unnest(%s::int8[], %s::int8[]) AS p(segment_id, contact_id)"
# A full join is hashed or merged, never looped: a segment that was just filled has no statistics yet, and
# a loop over what a plan takes for one row would be quadratic. So rows to delete are found by their place.
_REPLACE = """
WITH wanted(id, slot) AS MATERIALIZED ({wanted}),
differs AS MATERIALIZED (
    SELECT w.id, w.slot, m.place
    FROM (SELECT contact_id, ctid AS place FROM contacts_segmentmembership WHERE segment_id = %s) m
    FULL JOIN wanted w ON w.id = m.contact_id
    WHERE w.id IS NULL OR m.contact_id IS NULL
),
gone AS (
    DELETE FROM contacts_segmentmembership
    WHERE ctid = ANY(ARRAY(SELECT place FROM differs WHERE id IS NULL))
    RETURNING contact_id
),
come AS (
    INSERT INTO contacts_segmentmembership (segment_id, contact_id, slot, entered_at)
    SELECT %s, id, slot, %s FROM differs WHERE id IS NOT NULL
    RETURNING contact_id
)
SELECT contact_id, FALSE FROM gone UNION ALL SELECT contact_id, TRUE FROM come
"""
_MEMBERS = (
    "SELECT m.segment_id, array_agg(m.contact_id) FROM contacts_segmentmembership m"
    " WHERE m.contact_id = ANY(%s::int8[]) AND m.segment_id = ANY(%s::int8[]) GROUP BY 1"
)
_ENTER = (
    "INSERT INTO contacts_segmentmembership (segment_id, contact_id, slot, entered_at)"
    f" SELECT p.segment_id, p.contact_id, p.contact_id %% {slots.SLOTS}, t.moment"
    f" FROM {_PAIRS}, (VALUES (%b::timestamptz)) AS t(moment)"
    " ON CONFLICT DO NOTHING"
)
_LEAVE = (
    f"DELETE FROM contacts_segmentmembership m USING {_PAIRS}"
    " WHERE m.segment_id = p.segment_id AND m.contact_id = p.contact_id"
)
# The rows are locked in one order first: two followers may resize the same segments.
_RESIZE = (
    "WITH p AS (SELECT s.id, p.contact_id AS more FROM contacts_segment s"
    f" JOIN {_PAIRS} ON p.segment_id = s.id ORDER BY s.id FOR NO KEY UPDATE OF s)"
    " UPDATE contacts_segment s SET size = greatest(s.size + p.more, 0) FROM p WHERE p.id = s.id"
)
_DAY = (
    "INSERT INTO contacts_segmentday AS d (segment_id, day, size, entered, gone)"
    " SELECT s.id, %s, s.size, p.entered, p.gone FROM contacts_segment s"
    " JOIN unnest(%s::int8[], %s::int8[], %s::int8[]) AS p(id, entered, gone) ON p.id = s.id"
    " ORDER BY s.id"
    " ON CONFLICT (segment_id, day) DO UPDATE SET size = excluded.size,"
    " entered = d.entered + excluded.entered, gone = d.gone + excluded.gone"
)
_MERGED_MEMBERS = """
SELECT id FROM contacts_segment WHERE id IN (
    SELECT m.segment_id FROM contacts_segmentmembership m JOIN contacts_merge g
    ON m.contact_id IN (g.winner_id, g.loser_id) WHERE greatest(g.merged_at, g.undone_at) > %s
) ORDER BY id FOR NO KEY UPDATE
"""
_RECOUNT = (
    "UPDATE contacts_segment s SET size ="
    " (SELECT count(*) FROM contacts_segmentmembership m WHERE m.segment_id = s.id)"
    " WHERE s.id = ANY(%s)"
)
