"""Looks of the auditor that need more than a statement: decisions checked and taken again, measuring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings

from channels import replaying, tracking_domain
from channels.policy_facts import REFUSE, WAIT
from contacts import measuring, statements
from contacts.auditing.promise import Found

CLAIMED = f"interval '{settings.SEGUE_LEASE + 30} seconds'"
"Longer than a message may be held between the last look at consent and the provider."
_SAMPLE = 20
"One decision in so many is looked at."
_TAKEN_AGAIN = 200
"So many decisions of a portion at most are taken again: a tenth of a second."
_AGAIN_WITHIN = timedelta(days=2)
"Older ones were decided by an older program, which may have meant otherwise."


def unsound(now: datetime, after: int, upto: int) -> Iterator[Found]:
    """Decisions of a sample whose outcome is not what their own trace says."""
    for row, decided_at, message, outcome, channel, until, trace in statements.rows(
        _DECISIONS, [after, upto, _SAMPLE]
    ):
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


def otherwise(now: datetime, after: int, upto: int) -> Iterator[Found]:
    """Decisions of a sample that come out otherwise when they are taken again. Three statements a portion."""
    for decision, replay in replaying.sample(after, upto, now - _AGAIN_WITHIN, _TAKEN_AGAIN):
        if replay.status == replaying.DIFFERENT:
            about = {"decision": decision.pk, "message": decision.message_id, "differs": [*replay.differs]}
            yield Found(str(decision.pk), decision.decided_at, about, decision.pk)


def measured_unasked(now: datetime, after: int, upto: int) -> Iterator[Found]:
    """Receipts of opens and clicks that name somebody who did not agree to it. Five statements."""
    rows = statements.rows(_READ, [after, upto])
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
