"""Caps counted anew by the auditor, from what really left. It knows only what a cap says.

The counting is not the policy's. What it takes over is a fact, not an answer: the band of engagement in which
somebody was when their message was let out, which nothing else keeps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from channels import charter, deciding_people, policy_kept, policy_time
from channels.charter_rules import PERSON, Cap, Charter
from channels.policy_facts import tags_from
from contacts import statements
from contacts.auditing.promise import Found

_ONE_A_DAY = Cap(name="one a day", limit=1, calendar="day")


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
    """Messages that left although a cap was full. Five statements for a portion and its people."""
    fresh = statements.rows(_FRESH, [after, upto])
    if not fresh:
        return
    rulers = charter.rulers(now)
    reach = max(one.reach for _since, one in rulers)
    contacts = sorted({row[0] for row in fresh})
    names = {row[1]: row[2] for row in fresh}
    since = min(row[3] for row in fresh) - reach
    history: dict[int, list[_Left]] = defaultdict(list)
    for row in statements.rows(_LEFT, [contacts, since]):
        history[row[2]].append(_Left(*row))
    people = deciding_people.people(contacts, charter.current(now), now)
    bands = _bands(names) if any(cap.bands for _since, one in rulers for cap in one.caps) else {}
    for contact, left in history.items():
        zones: Sequence[str] = people[contact].zones if contact in people else ()
        for one in left:
            if one.message not in names or one.exempt:
                continue
            ruling = [rules for began, rules in rulers if began <= one.decided]
            # A charter that came into force between the decision and the provider rules the next message.
            for cap in _caps(ruling[-1], bands.get(one.message)) if ruling else ():
                taken = _taken(cap, one, left, zones)
                if cap.concerns(one.channel, one.purpose, tags_from(one.tags)) and taken > cap.limit:
                    about = {"message": one.message, "cap": cap.name, "limit": cap.limit, "left": taken}
                    yield Found(f"{one.message}-{cap.name}"[:120], one.at, about, names[one.message])


def _caps(rules: Charter, band: str | None) -> tuple[Cap, ...]:
    """The caps for people of this engagement; None where nobody knows what it was."""
    caps = tuple(cap for cap in rules.caps if not cap.bands or band in cap.bands)
    return (*caps, _ONE_A_DAY) if rules.one_a_day else caps


def _bands(messages: Collection[int]) -> dict[int, str]:
    """The engagement band of each message's person when it was let out, as kept with the decision."""
    found = {}
    for message, facts in statements.rows(_LET_OUT, [list(messages)]):
        try:
            found[message] = policy_kept.unpack(facts).values["person"].band
        except policy_kept.UnreadableError:
            continue
    return found


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

_LET_OUT = """
SELECT DISTINCT ON (d.message_id) d.message_id, d.facts FROM channels_decision d
WHERE d.message_id = ANY(%b::int8[]) AND d.outcome = 1 AND d.facts IS NOT NULL
ORDER BY d.message_id, d.decided_at DESC
"""
