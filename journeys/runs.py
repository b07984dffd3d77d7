"""Runs: how they begin, how they may end, and what a person can do about one that failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
from django.db import connection, transaction

from contacts import event_log, slots
from contacts.event_log import NewEvent
from journeys.entering import EntryRule
from journeys.models import Run
from journeys.versions import Version

State = Run.State

#: From each state, where a run may go, and what makes it go there.
MOVES: Mapping[State, Mapping[State, str]] = {
    State.LIVE: {
        State.COMPLETED: "its path has ended",
        State.CONVERTED: "the goal was reached in time",
        State.EXITED: "an exit step or rule, or the journey was stopped",
        State.FAILED: "a step could not be taken",
    },
    State.FAILED: {State.LIVE: "tried again or skipped by hand"},
    State.COMPLETED: {},
    State.CONVERTED: {},
    State.EXITED: {},
}

_EVER = datetime(1, 1, 1, tzinfo=UTC)
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_ANY = 2**31 - 1
ENTRIES_A_DAY = 100
"A person enters a journey that lets them in again and again at most so often in 24 hours."


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who wants in: since when, by which event's properties, and under which key."""

    contact_id: int
    at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""


def enter(version: Version, entries: Sequence[Entry], now: datetime) -> int:
    """Start a run for each entry that the journey's entry rule lets in; returns how many began.

    A constant number of statements. Whoever else lets people in waits for this transaction where it
    concerns the same slots, so a rule holds exactly; one live run a key is a constraint besides.
    """
    if version.graph is None or not entries:
        return 0
    chosen: dict[tuple[int, str], Entry] = {}
    for entry in sorted(entries, key=lambda each: each.at):
        chosen.setdefault((entry.contact_id, entry.key), entry)
    wanted = list(chosen.values())
    with transaction.atomic():
        inserted = _insert(version, version.graph.entry, version.graph.start, wanted, now)
        began = _within_limits(version, version.graph.entry, inserted)
        about = {"journey": version.slug, "version": version.number}
        event_log.append(NewEvent(each, "Journey Entered", now, now, properties=about) for each in began)
    return len(began)


def _insert(
    version: Version, rule: EntryRule, start: str, entries: Sequence[Entry], now: datetime
) -> list[tuple[int, int]]:
    """The runs that began: (id, contact's id)."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('journeys.enter'), s)"
            " FROM (SELECT s FROM unnest(%b::int[]) AS s ORDER BY s) AS ordered",
            [sorted({slots.of(entry.contact_id) for entry in entries})],
        )
        cursor.execute(
            _INSERT,
            [
                version.journey_id,
                version.id,
                start,
                now,
                rule.mode == "always",
                ENTRIES_A_DAY,
                [entry.contact_id for entry in entries],
                [slots.of(entry.contact_id) for entry in entries],
                [min(entry.at, now) for entry in entries],
                [entry.key[:200] for entry in entries],
                [msgspec.json.encode(entry.properties).decode() for entry in entries],
                [blocking_since(rule, min(entry.at, now)) for entry in entries],
            ],
        )
        return cursor.fetchall()


def _within_limits(version: Version, rule: EntryRule, began: Sequence[tuple[int, int]]) -> list[int]:
    """Take back the latest of those that ``began`` beyond the rule's limits; returns who entered.

    Nobody has seen them yet. Who else enters the journey waits, so that the limits hold exactly.
    """
    gone = set[int]()
    ids = [run_id for run_id, _contact_id in began]
    if began and (rule.most_each or rule.most_live):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtext('journeys.limits'), %s)", [version.journey_id]
            )
            cursor.execute(
                _BEYOND,
                [
                    version.journey_id,
                    ids,
                    ids,
                    rule.most_each or _ANY,
                    rule.most_live or _ANY,
                ],
            )
            gone = {row[0] for row in cursor.fetchall()}
    return [contact_id for run_id, contact_id in began if run_id not in gone]


def blocking_since(rule: EntryRule, at: datetime) -> datetime:
    """An earlier run that entered after this instant keeps the person out."""
    if rule.window:
        return at - rule.window
    return _EVER if rule.mode == "once" else _NEVER


def retry(run_ids: Collection[int], now: datetime) -> int:
    """Let failed runs try their step again; returns how many. Nobody gets a second live run by it."""
    return _revive(run_ids, now, set_step="")


def step_after(version: Version, step: str) -> str | None:
    """The step that follows ``step`` when it is skipped: where several ways part, the last one (the rest)."""
    if version.graph is None or step not in version.graph.steps:
        return None
    targets = [target for _field, target in version.graph.steps[step].edges() if target]
    return targets[-1] if targets else None


def skip(run_ids: Collection[int], next_steps: Mapping[int, str], now: datetime) -> int:
    """Let failed runs go on after the step they failed at: run -> the step to stand on. Returns how many."""
    by_step: dict[str, list[int]] = defaultdict(list)
    for run_id in run_ids:
        by_step[next_steps[run_id]].append(run_id)
    return sum(_revive(ids, now, set_step=step) for step, ids in by_step.items())


def _revive(run_ids: Collection[int], now: datetime, *, set_step: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE journeys_run r SET state = %s, due_at = %s, ended_at = NULL, outcome = '',"
            " visit = r.visit + 1, step = coalesce(nullif(%s, ''), r.step),"
            " since = CASE WHEN %s = '' THEN r.since ELSE %s END"
            " WHERE r.id = ANY(%s) AND r.state = %s AND NOT EXISTS (SELECT 1 FROM journeys_run o"
            " WHERE o.contact_id = r.contact_id AND o.journey_id = r.journey_id AND o.key = r.key"
            " AND o.state = %s)",
            [State.LIVE, now, set_step, set_step, now, list(run_ids), State.FAILED, State.LIVE],
        )
        revived: int = cursor.rowcount
    return revived


def drawing() -> str:
    """The table of moves as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> live: the trigger fired and the entry rule let them in"]
    for source, onward in MOVES.items():
        lines += [
            f"    {source.name.lower()} --> {target.name.lower()}: {why}" for target, why in onward.items()
        ]
    lines += [f"    {state.name.lower()} --> [*]" for state, onward in MOVES.items() if not onward]
    return "\n".join(lines) + "\n"


_INSERT = """
INSERT INTO journeys_run (slot, contact_id, journey_id, version_id, key, state, step, visit, due_at, since,
                          watching, entered_at, outcome, entry)
SELECT u.slot, u.contact_id, w.journey_id, w.version_id, u.key, 1, w.step, 0, w.now, u.at,
       '[]', u.at, '', u.entry::jsonb
FROM (SELECT %b::int8 AS journey_id, %b::int8 AS version_id, %b::text AS step, %b::timestamptz AS now,
             %b::bool AS counted, %b::int4 AS most) AS w
CROSS JOIN unnest(%b::int8[], %b::int2[], %b::timestamptz[], %b::text[], %b::text[], %b::timestamptz[])
    AS u(contact_id, slot, at, key, entry, blocking_since)
WHERE EXISTS (SELECT 1 FROM contacts_contact c WHERE c.id = u.contact_id AND c.slot = u.slot)
  AND NOT EXISTS (
    SELECT 1 FROM journeys_run p
    WHERE p.contact_id = u.contact_id AND p.slot = u.slot AND p.journey_id = w.journey_id AND p.key = u.key
      AND (p.state = 1 OR p.entered_at > u.blocking_since)
)
  AND (NOT w.counted OR (
    SELECT count(*) FROM journeys_run p WHERE p.contact_id = u.contact_id AND p.slot = u.slot
      AND p.journey_id = w.journey_id AND p.entered_at > u.at - interval '1 day'
  ) < w.most)
ON CONFLICT DO NOTHING
RETURNING id, contact_id
"""
_BEYOND = """
DELETE FROM journeys_run WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY contact_id ORDER BY began, entered_at, id) AS each,
               row_number() OVER (ORDER BY began, entered_at, id) AS live
        FROM (
            SELECT id, contact_id, entered_at, id = ANY(began.ids) AS began
            FROM journeys_run, (SELECT %s::int AS journey_id, %s::bigint[] AS ids) AS began
            WHERE journeys_run.journey_id = began.journey_id AND state = 1
        ) AS live
    ) AS numbered
    WHERE id = ANY(%s) AND (each > %s OR live > %s)
)
RETURNING id
"""
