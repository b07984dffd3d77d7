"""What the database of a stage says of the story, asked from outside."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psycopg

from channels.models import Message
from journeys.models import Run

State = Message.State


@dataclass(frozen=True)
class Findings:
    events: int
    #: Events that are there more than once.
    twice: int
    states: Counter[str]
    accepted: set[str]
    uncertain: set[str]
    #: Messages, events and inbox items that somebody still has to do something about.
    unfinished: int
    without_wakeup: int
    #: The unfinished messages, with what says why each waits and until when.
    waiting: list[str]


def find(home: Path) -> Findings:
    """Raises psycopg.OperationalError while the database is away."""
    address = json.loads((home / "servers.json").read_text(encoding="utf-8"))["database_url"]
    with psycopg.connect(address, connect_timeout=5) as connection:
        found = connection.execute(_COUNTS, {"live": Run.State.LIVE.value}).fetchone()
        messages = connection.execute(_MESSAGES).fetchall()
        waiting = connection.execute(_WAITING).fetchall()
    assert found is not None
    events, twice, inbox, without_wakeup = found
    return Findings(
        events=events,
        twice=twice,
        states=Counter(State(state).name for state, _address, _due in messages),
        accepted={address for state, address, _due in messages if state == State.ACCEPTED},
        uncertain={address for state, address, _due in messages if state == State.UNCERTAIN},
        unfinished=sum(due for _state, _address, due in messages) + inbox + (events - len(messages)),
        without_wakeup=without_wakeup,
        waiting=[str(row) for (row,) in waiting],
    )


_COUNTS = """
SELECT count(DISTINCT message_id), count(*) - count(DISTINCT message_id),
       (SELECT count(*) FROM contacts_inboxitem),
       (SELECT count(*) FROM journeys_run WHERE state = %(live)s AND due_at IS NULL)
FROM contacts_event WHERE name = 'Story Told'
"""
_MESSAGES = """
SELECT m.state, c.email, m.due_at IS NOT NULL
FROM channels_message AS m JOIN contacts_contact AS c ON c.id = m.contact_id
"""
_WAITING = """
SELECT json_build_object('state', m.state, 'reason', m.reason, 'attempts', m.attempts, 'due', m.due_at,
       'lease', m.lease_until, 'now', clock_timestamp(), 'tries', (
           SELECT json_agg(json_build_array(a.started_at, a.outcome, a.code, a.detail) ORDER BY a.started_at)
           FROM channels_attempt AS a WHERE a.message_id = m.id))::text
FROM channels_message AS m WHERE m.due_at IS NOT NULL ORDER BY m.id LIMIT 3
"""
