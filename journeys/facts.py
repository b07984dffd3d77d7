"""What a batch of runs must know to take its steps: verdicts of rules, people's zones. A set at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import psycopg
from django.db import connection

from contacts import rules_sql
from contacts.rules import Rule
from contacts.rules_sql import Subject
from journeys import facts_known, local_time
from journeys.outcomes import Facts
from journeys.walking import Instants, Walk

UTC = ZoneInfo("UTC")
NOTHING = Facts(UTC)


def zones(walks: Iterable[Walk]) -> dict[int, str]:
    """Contact id -> zone name, declared or inferred, where the journey looks at the clock. One statement."""
    asking = [walk for walk in walks if walk.graph.on_clock]
    if not asking:
        return {}
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT id, coalesce(nullif(timezone, ''), inferred ->> 'timezone', '') FROM contacts_contact"
            " WHERE slot = ANY(%b::int2[]) AND id = ANY(%b::int8[])",
            [sorted({walk.slot for walk in asking}), [walk.contact_id for walk in asking]],
        )
        return dict(cursor.fetchall())


def gather(
    walks: Sequence[Walk], zone_names: Mapping[int, str], *, guarded: bool, now: Instants
) -> list[tuple[tuple[bool, ...], Facts]]:
    """For each walk the verdicts of its goal and exit rule (where ``guarded``), and the facts of its step.

    People on the same step are judged together: the number of statements depends on the steps occupied.
    """
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    for position, walk in enumerate(walks):
        groups[walk.version_id, walk.step].append(position)
    found: list[tuple[tuple[bool, ...], Facts]] = [((), NOTHING)] * len(walks)
    known = facts_known.load(walks)
    for positions in groups.values():
        graph, step = walks[positions[0]].graph, walks[positions[0]].step
        guards = graph.guards() if guarded else ()
        needs = graph.steps[step].needs()
        if not (guards or needs or graph.on_clock or step in graph.asking):
            continue
        answers = _judge((*guards, *needs), [walks[position] for position in positions], now)
        for place, position in enumerate(positions):
            holds = tuple(place in answer for answer in answers)
            zone = (
                local_time.zone(zone_names.get(walks[position].contact_id, ""), graph.zone)
                if graph.on_clock
                else UTC
            )
            told = known.get(position, {})
            found[position] = (holds[: len(guards)], Facts(zone, holds[len(guards) :], **told))
    return found


def _judge(asked: Sequence[Rule], walks: Sequence[Walk], now: Instants) -> list[set[int]]:
    if not asked:
        return []
    if isinstance(now, datetime):
        subjects = [Subject(walk.contact_id, walk.slot, walk.entered_at, walk.since) for walk in walks]
        return rules_sql.verdicts(asked, subjects, now)
    subjects = [
        Subject(walk.contact_id, walk.slot, walk.entered_at, walk.since, now[walk.run_id]) for walk in walks
    ]
    return rules_sql.verdicts(asked, subjects, None, past=True)
