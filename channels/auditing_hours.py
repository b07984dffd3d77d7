"""Hours and days counted anew by the auditor: whether what left did so when the charter lets it.

Who somebody was is kept with the decision; where they are may have become known since. So a message counts
as too early or too late only where it was, whichever of the two is true.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings

from channels import charter, deciding_people, policy_kept, policy_pressure
from channels.policy_facts import Facts, Person
from contacts import statements
from contacts.auditing.promise import Found

#: A message may be on its way for so long after it was looked at the last time.
_ON_ITS_WAY = timedelta(seconds=settings.SEGUE_LEASE + 30)


def out_of_hours(now: datetime, after: int, upto: int) -> Iterator[Found]:
    """Messages that left in quiet hours, or when a law or the charter closes the day. Seven statements."""
    rows = statements.rows(_LEFT, [after, upto])
    if not rows:
        return
    rulers = charter.rulers(now)
    people = deciding_people.people({row[2] for row in rows}, charter.current(now), now)
    for attempt, message, contact, channel, at, packed in rows:
        try:
            kept = policy_kept.unpack(bytes(packed))
        except policy_kept.UnreadableError:
            continue
        ruling = [rules for began, rules in rulers if began <= at]
        facts = kept.facts(ruling[-1].clock_alone)
        if facts.candidate.transactional:
            continue
        closed = _closed(facts, facts.person, channel, at)
        if closed and (since := people.get(contact)) is not None:
            moved = replace(facts.person, zones=since.zones, place=since.place)
            closed = [rule for rule in _closed(facts, moved, channel, at) if rule in closed]
        if closed:
            yield Found(str(message), at, {"message": message, "rule": closed[0]}, attempt)


def _closed(facts: Facts, person: Person, channel: str, at: datetime) -> list[str]:
    """The rules about hours and days that were against it, then and as it was looked at before."""
    asked = replace(facts, now=at, person=person, touches=(), planned=())
    return [
        name
        for name, rule, _inputs in policy_pressure.timed_rules(asked, channel)
        if rule(at) != at and rule(at - _ON_ITS_WAY) != at - _ON_ITS_WAY
    ]


_LEFT = """
SELECT a.id, m.id, m.contact_id, m.channel, a.started_at, d.facts FROM channels_attempt a
JOIN channels_message m ON m.id = a.message_id AND m.created_at = a.message_created_at
CROSS JOIN LATERAL (
    SELECT facts FROM channels_decision
    WHERE message_id = m.id AND outcome = 1 AND decided_at >= m.created_at AND decided_at <= a.started_at
      AND facts IS NOT NULL
    ORDER BY decided_at DESC LIMIT 1
) AS d
WHERE a.id > %b AND a.id <= %b AND a.outcome = 'accepted' AND m.contact_id > 0
  AND NOT m.transactional AND m.origin_kind NOT IN ('reply', 'test')
"""
