"""Hold what comes in against the plan, and keep what was seen: a batch at a time, a few statements.

Everything here is the last of ingest's transaction but for the counts: all workers write the same few rows.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import psycopg
from django.db import connection
from psycopg.types.json import Jsonb

from contacts.arrivals import Arrival, InboxItem
from contacts.intake_event import Rejection, glance
from contacts.models import LatestArrival, Source
from contacts.plan import catalogue
from contacts.plan.catalogue import SERVER_ONLY, Planned, Problem
from contacts.plan.touchpoints import Touchpoint

MOST_NAMES = 2_000
"Event names of one source that are kept: a sender that writes ids into names must not fill the table."
SHOWN = 100
"Latest arrivals of a source that the live view can show."
_LATEST_OF_A_BATCH = 25
_LATEST_FOR = timedelta(hours=1)
_LONGEST_PAYLOAD = 4_000
_KEEP, _STRICT = Source.Unplanned.KEEP.value, Source.Unplanned.REJECT_ALL.value

Letters = list[tuple[InboxItem, Rejection]]


@dataclass(slots=True)
class _Seen:
    """One event name of one source, in a batch."""

    first: datetime
    last: datetime
    accepted: int = 0
    rejected: int = 0
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Judged:
    """The events of a batch that the plan lets in, those it does not, and what differs, by inbox item."""

    admitted: list[Arrival]
    refused: list[tuple[Arrival, Rejection]]
    problems: dict[int, list[Problem]]

    def letters(self) -> Letters:
        return [(arrival.item, reason) for arrival, reason in self.refused]


def judge(arrivals: Iterable[Arrival], touchpoints: Mapping[int, Touchpoint]) -> Judged:
    """Hold each event against the plan of its source."""
    judged = Judged([], [], {})
    for arrival in arrivals:
        touchpoint = touchpoints.get(arrival.item.source_id)
        if touchpoint is None or not touchpoint.plan:
            judged.admitted.append(arrival)
            continue
        planned = touchpoint.plan.get(arrival.name)
        problems = _problems(arrival, planned) if planned else []
        if problems:
            judged.problems[arrival.item.id] = problems
        reason = _refusal(arrival, planned, problems, touchpoint.unplanned)
        if reason:
            judged.refused.append((arrival, reason))
        else:
            judged.admitted.append(arrival)
    return judged


def _problems(arrival: Arrival, planned: Planned) -> list[Problem]:
    found = []
    if planned.server_only and not arrival.item.server:
        found.append(Problem(SERVER_ONLY))
    if planned.properties:
        found += catalogue.problems(planned, arrival.event.properties_dict())
    return found


def _refusal(
    arrival: Arrival, planned: Planned | None, problems: Sequence[Problem], unplanned: str
) -> Rejection | None:
    if planned is None:
        # Only tracks have names of the sender's choosing.
        if unplanned == _KEEP or arrival.event.type != "track":
            return None
        return Rejection("not_in_plan", f"The tracking plan does not know the event {arrival.name!r}.")
    if any(problem.code == SERVER_ONLY for problem in problems):
        return Rejection("server_only", "The tracking plan takes this event from server keys only.")
    if unplanned == _STRICT and problems:
        return Rejection("breaks_plan", "; ".join(problem.words() for problem in problems[:10]))
    return None


def keep(
    judged: Judged,
    first: Collection[int],
    others: Letters,
) -> None:
    """Store what was seen: names and types, violations, and the latest arrivals.

    ``first`` has the item ids that are no duplicates; ``others`` were rejected for another reason.
    """
    _keep_seen(judged, first)
    _keep_violations(judged, first)
    _keep_latest(judged, first, others)


def _keep_seen(judged: Judged, first: Collection[int]) -> None:
    seen: dict[tuple[int, str], _Seen] = {}
    for arrival in judged.admitted:
        if arrival.item.id in first:
            _noted(seen, arrival).accepted += 1
    for arrival, _reason in judged.refused:
        _noted(seen, arrival).rejected += 1
    rows = [
        {
            "source_id": source,
            "name": name,
            "first_seen_at": one.first,
            "last_seen_at": one.last,
            "accepted": one.accepted,
            "rejected": one.rejected,
            "properties": one.properties,
        }
        for (source, name), one in sorted(seen.items())
    ]
    _write(_SEEN, rows, most=MOST_NAMES)


def _noted(seen: dict[tuple[int, str], _Seen], arrival: Arrival) -> _Seen:
    at = arrival.item.received_at
    key = (arrival.item.source_id, arrival.name)
    one = seen.get(key)
    if one is None:
        # Types are learned from one event of a batch: enough for a plan, and next to nothing for ingest.
        one = seen[key] = _Seen(at, at, properties=catalogue.learned(arrival.event.properties_dict()))
    elif at > one.last:
        one.last = at
    elif at < one.first:
        one.first = at
    return one


def _keep_violations(judged: Judged, first: Collection[int]) -> None:
    if not judged.problems:
        return
    found: dict[tuple[int, str, str, str], dict[str, Any]] = {}
    refused = [arrival for arrival, _reason in judged.refused]
    for arrival in [*(one for one in judged.admitted if one.item.id in first), *refused]:
        for problem in judged.problems.get(arrival.item.id, ()):
            key = (arrival.item.source_id, arrival.name, problem.code, problem.property)
            row = found.setdefault(key, {"count": 0, "first_seen_at": arrival.item.received_at})
            row["count"] += 1
            row["last_seen_at"] = arrival.item.received_at
            row["message_id"] = arrival.event.message_id
            row["example"] = problem.example
    names = ("source_id", "event", "code", "property")
    _write(_VIOLATIONS, [dict(zip(names, key, strict=True)) | found[key] for key in sorted(found)])


def _keep_latest(judged: Judged, first: Collection[int], others: Letters) -> None:
    arrived: list[tuple[InboxItem, Arrival | None, Rejection | None]] = [
        *((one.item, one, None) for one in judged.admitted),
        *((one.item, one, reason) for one, reason in judged.refused),
        *((item, None, reason) for item, reason in others),
    ]
    arrived.sort(key=lambda line: line[0].id)
    latest: dict[int, deque[Any]] = defaultdict(lambda: deque(maxlen=_LATEST_OF_A_BATCH))
    for line in arrived:
        latest[line[0].source_id].append(line)
    rows = [
        _line(item, arrival, reason, item.id in first)
        for lines in latest.values()
        for item, arrival, reason in lines
    ]
    _write(_LATEST, rows)


def _line(item: InboxItem, arrival: Arrival | None, reason: Rejection | None, first: bool) -> dict[str, Any]:
    """An arrival as the live view shows it; one that could not be read shows as it came."""
    outcome = LatestArrival.Outcome
    call, name = (arrival.event.type, arrival.name) if arrival else glance(item.payload)
    return {
        "source_id": item.source_id,
        "received_at": item.received_at,
        "outcome": outcome.REJECTED if reason else outcome.ACCEPTED if first else outcome.DUPLICATE,
        "call": call[:8].replace("\0", "\ufffd"),
        "name": name[:256].replace("\0", "\ufffd"),
        "who": ", ".join(f"{one.kind} {one.value}" for one in arrival.identifiers)[:600] if arrival else "",
        "reason": f"{reason.code}: {reason.message}"[:400].replace("\0", "\ufffd") if reason else "",
        "payload": _short(bytes(arrival.event.properties) if arrival else item.payload),
    }


def _short(payload: bytes) -> str:
    text = payload[: _LONGEST_PAYLOAD * 4].decode(errors="replace").replace("\0", "\ufffd")
    return text if len(text) <= _LONGEST_PAYLOAD else text[: _LONGEST_PAYLOAD - 1] + "…"


def trim(now: datetime) -> None:
    """Forget arrivals beyond the latest of each source, and those of more than an hour ago."""
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_TRIM, {"before": now - _LATEST_FOR, "shown": SHOWN})


def _write(statement: str, rows: Sequence[Mapping[str, Any]], **values: Any) -> None:
    if rows:
        with psycopg.Cursor(connection.connection) as cursor:
            cursor.execute(statement, {"rows": Jsonb(msgspec.json.encode(rows), dumps=bytes), **values})


_SEEN = """
INSERT INTO contacts_seenevent AS kept
    (source_id, name, first_seen_at, last_seen_at, accepted, rejected, properties)
SELECT source_id, name, first_seen_at, last_seen_at, accepted, rejected, properties
FROM jsonb_populate_recordset(NULL::contacts_seenevent, %(rows)b) new
WHERE source_id IN (SELECT id FROM contacts_source) AND (
    EXISTS (SELECT FROM contacts_seenevent k WHERE k.source_id = new.source_id AND k.name = new.name)
    OR (SELECT count(*) FROM contacts_seenevent k WHERE k.source_id = new.source_id) < %(most)s
)
ORDER BY source_id, name
ON CONFLICT (source_id, name) DO UPDATE SET
    first_seen_at = least(kept.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(kept.last_seen_at, excluded.last_seen_at),
    accepted = kept.accepted + excluded.accepted, rejected = kept.rejected + excluded.rejected,
    properties = CASE WHEN pg_column_size(kept.properties) < 8000
        THEN kept.properties || excluded.properties ELSE kept.properties END
"""

_VIOLATIONS = """
INSERT INTO contacts_planviolation AS kept
    (source_id, event, code, property, count, first_seen_at, last_seen_at, message_id, example)
SELECT source_id, event, code, property, count, first_seen_at, last_seen_at, message_id, example
FROM jsonb_populate_recordset(NULL::contacts_planviolation, %(rows)b)
WHERE source_id IN (SELECT id FROM contacts_source)
ORDER BY source_id, event, code, property
ON CONFLICT (source_id, event, code, property) DO UPDATE SET
    count = kept.count + excluded.count, last_seen_at = greatest(kept.last_seen_at, excluded.last_seen_at),
    message_id = excluded.message_id, example = excluded.example
"""

_LATEST = """
INSERT INTO contacts_latestarrival (source_id, received_at, outcome, call, name, who, reason, payload)
SELECT source_id, received_at, outcome, call, name, who, reason, payload
FROM jsonb_populate_recordset(NULL::contacts_latestarrival, %(rows)b)
"""

_TRIM = """
DELETE FROM contacts_latestarrival WHERE id IN (
    SELECT id FROM contacts_latestarrival WHERE received_at < %(before)b
    UNION ALL
    SELECT old.id FROM contacts_source s CROSS JOIN LATERAL (
        SELECT a.id FROM contacts_latestarrival a WHERE a.source_id = s.id ORDER BY a.id DESC OFFSET %(shown)s
    ) AS old
)
"""
