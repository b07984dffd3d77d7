"""Looks of the auditor that need more than a statement: caps counted anew, decisions checked, measuring.

The counting of caps is not the policy's: it starts from what really left and knows only what a cap says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import psycopg
from django.conf import settings
from django.db import connection

from channels import charter, deciding_people, policy_time, tracking_domain
from channels.charter_rules import PERSON, Cap, Charter
from channels.policy_facts import REFUSE, WAIT, tags_from
from contacts import measuring
from contacts.auditing.promise import Found

CLAIMED = f"interval '{settings.SEGUE_LEASE + 30} seconds'"
"Longer than a message may be held between the last look at consent and the provider."
_ONE_A_DAY = Cap(name="one a day", limit=1, calendar="day")
_SAMPLE = 20
"One decision in so many is looked at."


class _Left(NamedTuple):
    message: int
    attempt: int
    contact: int
    channel: str
    purpose: str
    exempt: bool
    decided: datetime
    at: datetime
    tags: str


def over_caps(now: datetime, after: int, upto: int) -> Iterator[Found]:
    """Messages that left although a cap was full. Four statements for a portion and its people."""
    fresh = _read(_FRESH, [after, upto])
    if not fresh:
        return
    rulers = charter.rulers(now)
    reach = max(one.reach for _since, one in rulers)
    contacts = sorted({row[0] for row in fresh})
    names = {row[1]: row[2] for row in fresh}
    since = min(row[3] for row in fresh) - reach
    history: dict[int, list[_Left]] = defaultdict(list)
    for row in _read(_LEFT, [contacts, since]):
        history[row[2]].append(_Left(*row))
    people = deciding_people.people(contacts, charter.current(now), now)
    for contact, left in history.items():
        zones: Sequence[str] = people[contact].zones if contact in people else ()
        for one in left:
            if one.message not in names or one.exempt:
                continue
            ruling = [rules for began, rules in rulers if began <= one.decided]
            # A charter that came into force between the decision and the provider rules the next message.
            for cap in _caps(ruling[-1]) if ruling else ():
                taken = _taken(cap, one, left, zones)
                if cap.concerns(one.channel, one.purpose, tags_from(one.tags)) and taken > cap.limit:
                    about = {"message": one.message, "cap": cap.name, "limit": cap.limit, "left": taken}
                    yield Found(f"{one.message}-{cap.name}"[:120], one.at, about, names[one.message])


def _caps(rules: Charter) -> tuple[Cap, ...]:
    """The caps that can be counted anew: nobody's engagement band of the past is kept."""
    caps = tuple(cap for cap in rules.caps if not cap.bands)
    return (*caps, _ONE_A_DAY) if rules.one_a_day else caps


def _taken(cap: Cap, this: _Left, left: Sequence[_Left], zones: Sequence[str]) -> int:
    """How many messages stand in the window of ``this``, itself included. Of unknown zones, the mildest."""
    counted = [
        one.at
        for one in left
        if one.at <= this.at
        and cap.concerns(one.channel, one.purpose, tags_from(one.tags))
        and (cap.count_transactional or not one.exempt)
    ]
    if cap.rolling is not None:
        return sum(at > this.at - cap.rolling for at in counted)
    names = zones if cap.zone == PERSON else (cap.zone,)
    return min(
        (
            sum(
                policy_time.period(at, cap.calendar, name) == policy_time.period(this.at, cap.calendar, name)
                for at in counted
            )
            for name in names
        ),
        default=0,
    )


def unsound(now: datetime, after: int, upto: int) -> Iterator[Found]:
    """Decisions of a sample whose outcome is not what their own trace says."""
    for row, decided_at, message, outcome, channel, until, trace in _read(_DECISIONS, [after, upto, _SAMPLE]):
        answers = msgspec.json.decode(trace) if isinstance(trace, str) else trace
        if not _follows(outcome, channel, until, answers):
            yield Found(str(row), decided_at, {"decision": row, "message": message}, row)


def _follows(outcome: int, channel: str, until: datetime | None, trace: Sequence[Sequence[Any]]) -> bool:
    given = [answer for _rule, answer, _inputs in trace]
    if any(rule == _ORIGIN for rule, _answer, _inputs in trace):
        # Whoever wished for the message kept it back or took it back; the policy was not asked.
        return outcome != _SEND
    if outcome == _SEND:
        # The last channel asked is the one taken: from its first question on, nothing was against it.
        begins = max((i for i, one in enumerate(trace) if one[0] == "suppression"), default=0)
        return not {REFUSE, WAIT}.intersection(given[begins:])
    if outcome == _HOLD:
        return until is not None and WAIT in given
    return not trace or REFUSE in given or WAIT in given


_SEND, _HOLD = 1, 2
_ORIGIN = "origin"


def measured_unasked(now: datetime, after: int, upto: int) -> Iterator[Found]:
    """Receipts of opens and clicks that name somebody who did not agree to it. Five statements."""
    rows = _read(_READ, [after, upto])
    allowed = measuring.allowed({(contact, channel, at) for _id, _message, contact, channel, at in rows})
    for row, message, contact, channel, at in rows:
        if (contact, channel, at) not in allowed:
            yield Found(str(row), at, {"message": message, "receipt": row}, row)


def bad_domain(now: datetime, after: int, upto: int) -> Iterator[Found]:
    """What is wrong with the domain of links, as far as it is one that others can reach."""
    report = tracking_domain.look(now)
    if not tracking_domain.is_local(report.host):
        for remark in report.remarks:
            if remark.tone != "good":
                yield Found(f"{report.host} {remark.what}"[:120], None, {"said": remark.words[:200]})


def _read(sql: str, parameters: Sequence[Any]) -> list[Any]:
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


_FRESH = """
SELECT m.contact_id, m.id, a.id, m.accepted_at FROM channels_attempt a
JOIN channels_message m ON m.id = a.message_id AND m.created_at = a.message_created_at
WHERE a.id > %b AND a.id <= %b AND a.outcome = 'accepted' AND m.accepted_at IS NOT NULL AND m.contact_id > 0
  AND NOT m.transactional AND m.origin_kind NOT IN ('reply', 'test')
  AND NOT EXISTS (SELECT FROM contacts_merge g
                  WHERE g.winner_id = m.contact_id AND g.merged_at >= a.started_at)
"""

_LEFT = """
SELECT m.id, 0, m.contact_id, m.channel, m.purpose,
       m.transactional OR m.purpose IN (SELECT slug FROM contacts_purpose WHERE transactional),
       coalesce((SELECT max(d.decided_at) FROM channels_decision d
                 WHERE d.message_id = m.id AND d.outcome = 1), m.accepted_at),
       m.accepted_at, m.tags
FROM channels_message m
WHERE m.contact_id = ANY(%b::int8[]) AND m.accepted_at > %b::timestamptz AND m.state = 6
ORDER BY m.contact_id, m.accepted_at
"""

_DECISIONS = """
SELECT id, decided_at, message_id, outcome, channel, until, trace FROM channels_decision
WHERE id > %b AND id <= %b AND id %% %b::int8 = 0
"""

_READ = """
SELECT r.id, r.message_id, r.contact_id, m.channel, r.received_at FROM channels_receipt r
JOIN channels_message m ON m.id = r.message_id AND m.created_at = r.message_created_at
WHERE r.id > %b AND r.id <= %b AND r.kind IN ('opened', 'clicked', 'dismissed') AND r.contact_id > 0
"""

# Overdue work is no breach while it is being worked off: a campaign takes its time. A message that waits for
# a paused provider waits for people.
STUCK = """
SELECT 'decide', min(d.due_at), jsonb_build_object('pulse', 'decide') FROM (
    SELECT due.due_at FROM generate_series(0, 63) AS s(slot) CROSS JOIN LATERAL (
        SELECT due_at FROM channels_message WHERE slot = s.slot AND state IN (1, 2)
        ORDER BY due_at LIMIT 1) AS due
    WHERE due.due_at < %(now)b - interval '2 minutes'
) AS d
WHERE NOT EXISTS (SELECT FROM (SELECT decided_at FROM channels_decision ORDER BY id DESC LIMIT 1) AS l
                  WHERE l.decided_at > %(now)b - interval '90 seconds')
HAVING count(*) > 0
UNION ALL
SELECT 'deliver', min(d.due_at), jsonb_build_object('pulse', 'deliver', 'messages', count(*)) FROM (
    SELECT due.due_at FROM generate_series(0, 63) AS s(slot) CROSS JOIN LATERAL (
        SELECT m.due_at FROM channels_message m
        LEFT JOIN channels_provideraccount p ON p.id = m.provider_id
        WHERE m.slot = s.slot AND m.state = 3 AND NOT coalesce(p.paused, false)
        ORDER BY m.due_at LIMIT 1) AS due
    WHERE due.due_at < %(now)b - interval '3 minutes'
) AS d
WHERE %(most)b > 0
  AND NOT EXISTS (SELECT FROM (SELECT started_at FROM channels_attempt ORDER BY id DESC LIMIT 1) AS l
                  WHERE l.started_at > %(now)b - interval '90 seconds')
HAVING count(*) > 0
"""
