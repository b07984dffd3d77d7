"""Writes what a batch of runs did: one statement a table, in the engine's transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from django.db import connection

from channels import audiences, outbox
from channels.intents import Intent
from channels.surveys import asking
from channels.surveys import versions as survey_versions
from contacts import arrays, attributes, event_log, once, segment_members, segments, slots
from contacts.event_log import NewEvent
from contacts.models import Purpose, Segment
from journeys import calling, step_rows
from journeys.changing import folded
from journeys.models import Journey
from journeys.outcomes import Change, Wanted
from journeys.versions import Version
from journeys.walking import End, Walk


def record(walks: Sequence[Walk], versions: Mapping[int, Version], now: datetime) -> None:
    """Store runs, step log, intents, attributes, audiences and events of ``walks``."""
    _save(walks, now)
    _log_steps(walks, now)
    outbox.intend(_intents(walks, versions, now), now)
    writers = {walk.contact_id: f"journey:{versions[walk.version_id].slug}" for walk in walks if walk.changes}
    attributes.set_attributes(_changes(walks), now, writers)
    _move(walks, versions, now)
    _list(walks, now)
    calling.ask([walk for walk in walks if walk.call], versions, now)
    event_log.append(_events(walks, versions, now))
    _call_off(walks, now)


def set_aside(run_id: int, slot: int, cause: str, now: datetime) -> None:
    """Mark one run as failed where it stands, with its cause in the step log. Two statements."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE journeys_run SET state = 5, due_at = NULL, ended_at = %s, outcome = %s, watching = '[]'"
            " WHERE id = %s AND slot = %s",
            [now, cause[:60].replace("\x00", ""), run_id, slot],
        )
        cursor.execute(
            "INSERT INTO journeys_stepentry"
            " (at, slot, contact_id, run_id, journey_id, version_id, step, visit, outcome, detail)"
            " SELECT %s, slot, contact_id, id, journey_id, version_id, step, visit, 'failed', %s::jsonb"
            " FROM journeys_run WHERE id = %s AND slot = %s",
            [now, json.dumps({"cause": cause[:2000].replace("\x00", "")}), run_id, slot],
        )


def _save(walks: Sequence[Walk], now: datetime) -> None:
    # Most runs of a batch come to stand as many others do, so each way of standing is sent once.
    landings: dict[tuple[Any, ...], int] = {}
    numbers = [landings.setdefault(_landing(walk, now), len(landings)) for walk in walks]
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            _SAVE,
            [
                arrays.literal(walk.run_id for walk in walks),
                arrays.literal(walk.slot for walk in walks),
                arrays.literal(walk.visit for walk in walks),
                arrays.literal(numbers),
                list(landings.values()),
                *map(list, zip(*landings, strict=True)),
            ],
        )


def _landing(walk: Walk, now: datetime) -> tuple[Any, ...]:
    live = walk.end is End.LIVE
    return (
        walk.end.value,
        walk.step,
        walk.due_at,
        walk.since,
        walk.graph.watching[walk.step] if live else "[]",
        None if live else now,
        walk.outcome,
    )


def _log_steps(walks: Sequence[Walk], now: datetime) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY journeys_stepentry (at, slot, contact_id, run_id, journey_id, version_id, step, visit,"
            " outcome, detail) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.write(step_rows.encoded(walks, now))


def _intents(walks: Sequence[Walk], versions: Mapping[int, Version], now: datetime) -> list[Intent]:
    wishing = [walk for walk in walks if walk.wanted]
    if not wishing:
        return []
    service = set(Purpose.objects.filter(transactional=True).values_list("slug", flat=True))
    surveys = {wanted.survey for walk in wishing for _step, _visit, wanted in walk.wanted if wanted.survey}
    numbers = survey_versions.newest(surveys) if surveys else {}
    return [
        _intent(
            walk, versions[walk.version_id], step, visit, wanted, wanted.purpose in service, now,
            asking.variables(wanted.survey, numbers.get(wanted.survey, 0)) if wanted.survey else {},
        )
        for walk in wishing
        for step, visit, wanted in walk.wanted
    ]  # fmt: skip


def _intent(
    walk: Walk,
    version: Version,
    step: str,
    visit: int,
    wanted: Wanted,
    transactional: bool,
    now: datetime,
    survey: Mapping[str, Any],
) -> Intent:
    return Intent(
        contact_id=walk.contact_id,
        key=once.key("intent", walk.run_id, step, visit),
        purpose=wanted.purpose,
        wanted=wanted.channels,
        content=wanted.content,
        transactional=transactional,
        variables={
            "event": walk.entry,
            **({"answers": dict(walk.answers)} if walk.answers else {}),
            **survey,
        },
        priority=wanted.priority,
        value=wanted.value,
        conditions=walk.graph.conditions[step],
        on_hold=wanted.on_hold,
        deadline_at=now + wanted.deadline if wanted.deadline else None,
        origin_kind=version.kind,
        smart_channel=wanted.smart_channel,
        best_within=wanted.best_within,
        origin_id=walk.journey_id,
        origin_version=version.number,
        origin_run=walk.run_id,
        origin_step=step,
        origin_slug=version.slug,
        entered_at=walk.entered_at,
    )


def _changes(walks: Sequence[Walk]) -> dict[int, dict[str, Any]]:
    """Contact id -> new values. Where they depend on those of now, they are read, and kept until written."""
    changing = [walk for walk in walks if walk.changes]
    asking = {
        walk.contact_id
        for walk in changing
        if any(isinstance(change, Change) for change in walk.changes.values())
    }
    known = attributes.hold(asking) if asking else {}
    changes: dict[int, dict[str, Any]] = {}
    for walk in changing:
        told = changes.setdefault(walk.contact_id, {})
        told.update(folded({**known.get(walk.contact_id, {}), **told}, walk.changes))
    return changes


def _move(walks: Sequence[Walk], versions: Mapping[int, Version], now: datetime) -> None:
    """Audience changes, the last one of a contact in an audience winning; one call an audience and action."""
    last: dict[tuple[str, int], tuple[str, str]] = {}
    for walk in walks:
        for move in walk.moves:
            last[move.audience, walk.contact_id] = (move.action, versions[walk.version_id].slug)
    groups: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for (audience, contact_id), (action, slug) in last.items():
        groups[audience, action, slug].append(contact_id)
    for (audience, action, slug), contact_ids in groups.items():
        change = audiences.add if action == "add" else audiences.remove
        change(contact_ids, audience, slug, now)


def _list(walks: Sequence[Walk], now: datetime) -> None:
    """Lists kept by hand, the last word on a contact and list winning. A list that is gone takes nobody."""
    last = {(listing.list, walk.contact_id): listing.action for walk in walks for listing in walk.listings}
    if not last:
        return
    known = {
        segment.slug: segment
        for segment in Segment.objects.filter(slug__in={slug for slug, _id in last}, kind=Segment.Kind.STATIC)
    }
    # All slots at once and in order: list by list, two workers could come to wait for each other.
    segment_members.hold(slots.of(contact_id) for _slug, contact_id in last)
    listed: dict[tuple[str, str], list[int]] = defaultdict(list)
    for (slug, contact_id), act in last.items():
        listed[slug, act].append(contact_id)
    for (slug, wish), contact_ids in listed.items():
        if slug in known:
            (segments.add if wish == "add" else segments.remove)(known[slug], contact_ids, now)


def _events(walks: Sequence[Walk], versions: Mapping[int, Version], now: datetime) -> Iterator[NewEvent]:
    for walk in walks:
        about = {"journey": versions[walk.version_id].slug, "version": versions[walk.version_id].number}
        if walk.end is End.CONVERTED:
            value = {} if walk.value is None else {"value": walk.value}
            yield NewEvent(walk.contact_id, "Journey Converted", now, now, properties={**about, **value})
        if versions[walk.version_id].kind == Journey.Kind.CAMPAIGN:
            # Its message tells the rest; a campaign's end for one person is no news.
            continue
        # A failed run has not ended: it waits for somebody to try it again or skip its step.
        if walk.end not in (End.LIVE, End.FAILED):
            ended = {**about, "outcome": walk.outcome}
            yield NewEvent(walk.contact_id, "Journey Ended", now, now, properties=ended)


def _call_off(walks: Sequence[Walk], now: datetime) -> None:
    by_reason: dict[str, list[int]] = defaultdict(list)
    for walk in walks:
        if walk.called_off:
            by_reason[walk.outcome].append(walk.run_id)
    for reason, run_ids in by_reason.items():
        outbox.cancel(run_ids, reason, now)


_SAVE = """
UPDATE journeys_run r
SET state = l.state, step = l.step, visit = u.visit, due_at = l.due_at, since = l.since,
    watching = l.watching::jsonb, ended_at = l.ended_at, outcome = l.outcome
FROM unnest(%s::int8[], %s::int2[], %s::int4[], %s::int4[]) AS u(id, slot, visit, landing)
JOIN unnest(%b::int4[], %b::int2[], %b::text[], %b::timestamptz[], %b::timestamptz[], %b::text[],
            %b::timestamptz[], %b::text[])
    AS l(number, state, step, due_at, since, watching, ended_at, outcome) ON l.number = u.landing
WHERE r.id = u.id AND r.slot = u.slot
"""
