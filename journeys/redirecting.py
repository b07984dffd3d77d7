"""People inside an older version who go elsewhere when a new one is published: a set at a time, each once.

A redirect concerns those who stood on the step when it was published. It walks the table of runs by id,
and its place is stored with what it did; a run it moved is on the new version, where no redirect finds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

import psycopg
from django.db import connection, transaction
from django.db.models import Count, Max
from django.utils.translation import gettext as _

from contacts.crashpoints import crashpoint
from journeys import comparing, recording, versions
from journeys.engine import Due
from journeys.graph import Graph
from journeys.models import Journey, JourneyVersion, Redirect, Run
from journeys.versions import Version
from journeys.walking import End, Walk

BATCH = 2000
LEFT = "left with a new version"
Fate = Literal["same", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What those do who stand on ``step`` of that version: stay, leave, or move to the step ``to``."""

    version: int
    step: str
    act: Literal["stay", "move", "leave"]
    to: str = ""


class Standing(NamedTuple):
    """How many stand on a step of a version, and what becomes of that step."""

    version: int
    step: str
    people: int
    fate: Fate


def impact(journey: Journey) -> list[Standing]:
    """Whom publishing the draft concerns, the newest version first. Two statements."""
    rows = Run.objects.filter(journey=journey, state=Run.State.LIVE).values_list("version__number", "step")
    counted = list(rows.annotate(count=Count("id")).order_by("-version__number", "step"))
    graphs = dict(
        journey.versions.filter(number__in={number for number, _step, _count in counted}).values_list(
            "number", "graph"
        )
    )
    fates = {number: comparing.fates(graph, journey.draft) for number, graph in graphs.items()}
    return [
        Standing(number, step, count, fates[number].get(step, "removed")) for number, step, count in counted
    ]


def under_way(journey: Journey) -> bool:
    """Whether people are still being moved by an earlier publication."""
    return Redirect.objects.filter(journey=journey, done_at=None).exists()


def progress(journey: Journey) -> list[Redirect]:
    """What the last publication moves, for as long as some of it is not done."""
    return list(Redirect.objects.filter(journey=journey, done_at=None).select_related("source", "target"))


def ask(target: JourneyVersion, graph: Graph, choices: Sequence[Choice], now: datetime) -> None:
    """Write down where people go. Raises ValueError, in words, for what cannot be."""
    asked = [choice for choice in choices if choice.act != "stay"]
    if not asked:
        return
    known = {version.number: version for version in target.journey.versions.exclude(pk=target.pk)}
    upper = Run.objects.aggregate(last=Max("id"))["last"] or 0
    rows = []
    for choice in {(choice.version, choice.step): choice for choice in asked}.values():
        if choice.version not in known:
            raise ValueError(_("There is no version %d to move people from.") % choice.version)
        if choice.act == "move" and choice.to not in graph.steps:
            raise ValueError(_("The new version has no step “%s” to move people to.") % choice.to)
        rows.append(
            Redirect(
                journey_id=target.journey_id,
                source=known[choice.version],
                target=target,
                step=choice.step,
                act=choice.act,
                to_step=choice.to if choice.act == "move" else "",
                asked_at=now,
                upper_id=upper,
            )
        )
    Redirect.objects.bulk_create(rows)


def redirect(now: datetime, limit: int = BATCH) -> int:
    """Go on with the oldest redirect that has people left; 0 if there is none."""
    with transaction.atomic():
        row = Redirect.objects.select_for_update(skip_locked=True).filter(done_at=None).order_by("id").first()
        if row is None:
            return 0
        found = _claim(row, limit)
        if found:
            known = versions.load([row.source_id, row.target_id])
            (_move if row.act == Redirect.Act.MOVE else _let_out)(row, found, known, now)
            row.last_id = found[-1].run_id
        row.handled += len(found)
        row.done_at = now if len(found) < limit else None
        row.save(update_fields=["last_id", "handled", "done_at"])
        crashpoint("redirect.written")
    crashpoint("redirect.committed")
    return max(len(found), 1)


def _claim(row: Redirect, limit: int) -> list[Due]:
    """The next runs, locked in the order of ids, as everybody does who waits for more than one."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "SELECT id, slot, contact_id, journey_id, version_id, step, visit, since, entered_at, entry::text"
            " FROM journeys_run WHERE id > %b AND id <= %b AND version_id = %b AND step = %b AND state = 1"
            " AND since <= %b ORDER BY id LIMIT %b::int8 FOR NO KEY UPDATE",
            [row.last_id, row.upper_id, row.source_id, row.step, row.asked_at, limit],
            binary=True,
        )
        return [Due(*found) for found in cursor.fetchall()]


def _move(row: Redirect, found: Sequence[Due], known: Mapping[int, Version], now: datetime) -> None:
    """Stand on a step of the new version, due at once. On the step of the same name a wait goes on."""
    number = known[row.target_id].number
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH taken AS (INSERT INTO journeys_stepentry"
            " (at, slot, contact_id, run_id, journey_id, version_id, step, visit, outcome, detail)"
            " SELECT %(now)s, slot, contact_id, id, journey_id, version_id, step, visit, 'moved',"
            " jsonb_build_object('version', %(number)s::int, 'step', %(to)s::text)"
            " FROM journeys_run WHERE id = ANY(%(ids)s) RETURNING run_id)"
            " UPDATE journeys_run r SET version_id = %(target)s, step = %(to)s, visit = r.visit + 1,"
            " since = CASE WHEN r.step = %(to)s THEN r.since ELSE %(now)s END, due_at = %(now)s"
            " FROM taken t WHERE r.id = t.run_id",
            {
                "now": now,
                "number": number,
                "to": row.to_step,
                "target": row.target_id,
                "ids": [each.run_id for each in found],
            },
        )


def _let_out(row: Redirect, found: Sequence[Due], known: Mapping[int, Version], now: datetime) -> None:
    """End the runs as the engine would, and call off what waits to be sent."""
    graph = known[row.target_id].graph
    if graph is None:
        raise LookupError(f"version {row.target_id} cannot be read")
    walks = [Walk(*each, graph) for each in found]
    for walk in walks:
        walk.leave(End.EXITED, LEFT)
    recording.record(walks, known, now)
