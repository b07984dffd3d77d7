"""What a charter would have done to the last 14 days.

The messages wanted then are played under it and under the one in force.

Both are played, so that only the charter differs. Many people are told from a sample of them; the figures
then are of the sample, and it is said how large it was. A constant number of statements.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from channels import deciding_facts, deciding_past, policy_replay
from channels.charter_parts import Charter
from channels.policy_facts import EXPIRE, SEND, Candidate
from channels.policy_replay import OFF, WAITS, Fate, Wanted
from contacts import statements

BACK = timedelta(days=14)
#: So many messages are played at most, of people chosen by a fixed draw.
MOST = 3_000
#: One that left later than this was held.
_AT_ONCE = timedelta(minutes=1)


class Row(NamedTuple):
    """One line of figures: what they are of, under the charter in force and under the new one."""

    kind: str
    name: str
    before: int
    after: int

    @property
    def difference(self) -> int:
        return self.after - self.before


@dataclass(slots=True)
class Impact:
    """The answer. ``played`` of ``messages`` messages of ``people`` people were looked at."""

    since: datetime
    messages: int = 0
    played: int = 0
    people: int = 0
    outcomes: list[Row] = field(default_factory=list)
    by_channel: list[Row] = field(default_factory=list)
    by_purpose: list[Row] = field(default_factory=list)
    reasons: list[Row] = field(default_factory=list)
    #: Sent before and not now, the other way round, and by both but later, with by how much at the median.
    lost: int = 0
    gained: int = 0
    later: int = 0
    later_by: timedelta = timedelta()
    elsewhere: int = 0

    @property
    def sampled(self) -> bool:
        return self.played < self.messages


def look(old: Charter, new: Charter, now: datetime, most: int = MOST) -> Impact:
    """Play the messages wanted in the last 14 days under both charters."""
    since = now - BACK
    ids, messages, people = _people(since, now, most)
    found = Impact(since, messages, people=people)
    if not ids:
        return found
    wanted = _wanted(ids, since, now)
    found.played = sum(len(own) for own in wanted.values())
    fates = [_play(wanted, charter, since, now) for charter in (old, new)]
    _compare(found, wanted, *fates)
    return found


def _play(
    wanted: dict[int, list[Wanted]], charter: Charter, since: datetime, now: datetime
) -> dict[int, Fate]:
    past = deciding_past.load(list(wanted), since, now, ruled_by=charter)
    fates: dict[int, Fate] = {}
    for contact_id, own in wanted.items():
        touches = [one.touch for one in past.received.get(contact_id, ()) if one.created_at <= since]
        fates |= policy_replay.play(
            own,
            lambda at, contact_id=contact_id: past.person(contact_id, at),  # type: ignore[misc]
            charter,
            past.providers,
            touches,
            now,
        )
    return fates


def _compare(
    found: Impact, wanted: dict[int, list[Wanted]], before: dict[int, Fate], after: dict[int, Fate]
) -> None:
    candidates = {one.candidate.id: one.candidate for own in wanted.values() for one in own}
    counts: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for side, fates in enumerate((before, after)):
        for key, fate in fates.items():
            counts["outcome", _outcome(candidates[key], fate)][side] += 1
            if fate.what == SEND:
                counts["channel", fate.channel][side] += 1
                counts["purpose", candidates[key].purpose][side] += 1
            elif fate.what not in (WAITS, OFF):
                counts["reason", fate.reason][side] += 1
    rows = [Row(kind, name, *pair) for (kind, name), pair in sorted(counts.items())]
    found.outcomes = [row for one in _OUTCOMES for row in rows if (row.kind, row.name) == ("outcome", one)]
    found.by_channel = [row for row in rows if row.kind == "channel"]
    found.by_purpose = [row for row in rows if row.kind == "purpose"]
    found.reasons = [row for row in rows if row.kind == "reason"]
    _shift(found, before, after)


def _shift(found: Impact, before: dict[int, Fate], after: dict[int, Fate]) -> None:
    delays: list[float] = []
    moved: Counter[str] = Counter()
    for key, then in before.items():
        now = after[key]
        left, leaves = then.what == SEND, now.what == SEND
        if left and leaves:
            if now.at - then.at > _AT_ONCE:
                delays.append((now.at - then.at).total_seconds())
            moved["elsewhere"] += now.channel != then.channel
        else:
            moved["lost"] += left
            moved["gained"] += leaves
    found.lost, found.gained, found.elsewhere = moved["lost"], moved["gained"], moved["elsewhere"]
    found.later = len(delays)
    found.later_by = timedelta(seconds=statistics.median(delays)) if delays else timedelta()


_OUTCOMES = ("at_once", "held", "not_sent", "too_late", OFF, WAITS)


def _outcome(candidate: Candidate, fate: Fate) -> str:
    if fate.what == SEND:
        return "at_once" if fate.at - candidate.due_at <= _AT_ONCE else "held"
    if fate.what == EXPIRE:
        return "too_late"
    return fate.what if fate.what in (WAITS, OFF) else "not_sent"


# ── What was wanted ─────────────────────────────────────────────────────────────────────────────────


def _people(since: datetime, now: datetime, most: int) -> tuple[list[int], int, int]:
    """Whom to look at: everybody who was to get something, or a draw of them; and how many there are."""
    rows = statements.rows(_PEOPLE, [since, now, max(most, 1)])
    chosen: list[int] = []
    count = 0
    for contact_id, own, _messages, _people_in_all in rows:
        if chosen and count + own > most:
            break
        chosen.append(contact_id)
        count += own
    return (chosen, int(rows[0][2]), int(rows[0][3])) if rows else ([], 0, 0)


def _wanted(ids: Sequence[int], since: datetime, now: datetime) -> dict[int, list[Wanted]]:
    around = deciding_facts.surroundings(now)
    found: dict[int, list[Wanted]] = {contact_id: [] for contact_id in ids}
    for row in statements.rows(_WANTED, [since, list(ids), since, now]):
        contact_id, key, first, off, created_at, purpose, transactional, wanted, content, *rest = row
        priority, value, on_hold, deadline, kind, smart_channel, best_by = rest
        candidate = Candidate(
            id=key,
            purpose=purpose,
            wanted=tuple(msgspec.json.decode(wanted)),
            due_at=first or created_at,
            transactional=transactional or purpose in around.service,
            priority=priority,
            value=value,
            on_hold=on_hold,
            deadline_at=deadline,
            answer=kind == "reply",
            tags=around.tags_of(msgspec.json.decode(content)),
            smart_channel=smart_channel,
            best_by=best_by,
            wanted_at=created_at,
        )
        found[contact_id].append(Wanted(candidate, off))
    return found


_PEOPLE = """
WITH who AS (
    SELECT contact_id, count(*) AS own FROM channels_message
    WHERE created_at > %b AND created_at <= %b AND origin_kind <> 'test' GROUP BY contact_id)
SELECT contact_id, own, sum(own) OVER () AS messages, count(*) OVER () AS people FROM who
ORDER BY hashint8extended(contact_id, 14), contact_id LIMIT %b
"""

_WANTED = """
SELECT m.contact_id, m.id, d.first, d.off, m.created_at, m.purpose, m.transactional, m.wanted::text,
       m.content::text, m.priority, m.value, m.on_hold, m.deadline_at, m.origin_kind,
       m.smart_channel, m.best_by
FROM channels_message m
LEFT JOIN LATERAL (
    SELECT min(decided_at) AS first, min(decided_at) FILTER (WHERE outcome = 4) AS off
    FROM channels_decision d WHERE d.message_id = m.id AND d.decided_at >= %b
) d ON true
WHERE m.contact_id = ANY(%b::int8[]) AND m.created_at > %b AND m.created_at <= %b AND m.origin_kind <> 'test'
ORDER BY m.contact_id, m.id
"""
