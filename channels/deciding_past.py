"""What decisions rested on at instants of the past, for some people: the facts of a replay.

Consents come from the ledger, suppressions and charters from their dates, messages from when they left.
Addresses and a person's own wishes have no history: they are taken as they stand. So is which provider
carries a channel, and none is taken as paused. The number of statements does not depend on that of people.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
from django.db import connection

from channels import charter, deciding_facts, deciding_learned, deciding_people
from channels.charter_rules import Charter
from channels.policy_facts import Person, Planned, Touch, tags_from
from channels.policy_pressure import OWN_WEEK
from contacts import consent

#: Messages of others that wait are told apart from a replay's own by numbers that these never have.
_THEIRS = -1


class Received(NamedTuple):
    """A message that really left, or may have: when it was wanted, when it left, and whose it was."""

    created_at: datetime
    at: datetime
    channel: str
    purpose: str
    transactional: bool
    origin: str
    tags: str = ""

    @property
    def touch(self) -> Touch:
        return Touch(self.channel, self.purpose, self.at, self.transactional, tags_from(self.tags))


@dataclass(slots=True)
class Past:
    """What is known of some people's past until an instant."""

    charters: list[tuple[datetime, Charter]]
    providers: dict[str, bool]
    service: frozenset[str]
    #: Tags of templates as they stand, by slug.
    tags: dict[str, frozenset[str]] = field(default_factory=dict)
    received: dict[int, list[Received]] = field(default_factory=dict)
    _people: dict[int, Person] = field(default_factory=dict)
    _barred: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _consents: consent.Past | None = None

    def charter(self, at: datetime) -> Charter:
        """The charter that ruled at ``at``; before the first, the first."""
        place = bisect_right([since for since, _charter in self.charters], at)
        return self.charters[max(place - 1, 0)][1]

    def person(self, contact_id: int, at: datetime) -> Person | None:
        person = self._people.get(contact_id)
        if person is None or self._consents is None:
            return None
        held = self._consents.held(contact_id, at)
        return replace(
            person,
            consents=held.consents,
            why=held.why,
            suppressed=frozenset(
                channel
                for channel, address in person.addresses.items()
                if (since := self._barred.get((channel, address))) and since <= at
            ),
        )

    def touches(self, contact_id: int, at: datetime, reach: timedelta) -> list[Touch]:
        """What had reached the person by ``at``, as far back as ``reach``."""
        return [one.touch for one in self.received.get(contact_id, ()) if at - reach < one.at <= at]

    def planned(self, contact_id: int, at: datetime) -> list[Planned]:
        """What was wanted for the person by ``at`` and left only later."""
        return [
            Planned(_THEIRS - place, one.channel, one.at, one.transactional)
            for place, one in enumerate(self.received.get(contact_id, ()))
            if one.created_at <= at < one.at
        ]


def reach(charter: Charter) -> timedelta:
    """How far back messages count under ``charter``."""
    return max(charter.reach, OWN_WEEK)


def load(
    contact_ids: Collection[int],
    since: datetime,
    until: datetime,
    leave_out: int | None = None,
    providers: dict[str, bool] | None = None,
    *,
    whenever_entered: bool = False,
    ruled_by: Charter | None = None,
) -> Past:
    """The past of these people from ``since`` to ``until``, under ``ruled_by`` or the charters of the time.

    Messages of the journey ``leave_out`` are left out where its run was entered after ``since``, or all of
    them since then with ``whenever_entered``.
    """
    around = deciding_facts.surroundings(until)
    charters = charter.rulers(until) if ruled_by is None else [(charter.EVER, ruled_by)]
    longest = max(reach(one) for _since, one in charters)
    own = deciding_people.people(contact_ids, ruled_by or around.charter, until)
    deciding_learned.add(own)
    pairs = {pair for person in own.values() for pair in person.addresses.items()}
    return Past(
        charters,
        dict.fromkeys(around.providers, False) if providers is None else providers,
        around.service,
        around.tags,
        _received(contact_ids, since, since - longest, until + longest, leave_out, whenever_entered),
        own,
        consent.suppressed_since(pairs),
        consent.Past(contact_ids, until),
    )


def _received(
    contact_ids: Collection[int],
    begins: datetime,
    since: datetime,
    until: datetime,
    leave_out: int | None,
    whenever_entered: bool,
) -> dict[int, list[Received]]:
    found: dict[int, list[Received]] = {}
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            _RECEIVED, [list(contact_ids), since, until, leave_out, whenever_entered, begins, begins]
        )
        for contact_id, *columns in cursor.fetchall():
            found.setdefault(contact_id, []).append(Received(*columns))
    return found


_RECEIVED = """
SELECT m.contact_id, m.created_at, m.accepted_at, m.channel, m.purpose, m.transactional,
       coalesce(nullif(m.origin_slug, ''), m.origin_kind), m.tags
FROM channels_message m
WHERE m.contact_id = ANY(%b::int8[]) AND m.accepted_at > %b::timestamptz AND m.accepted_at <= %b::timestamptz
  AND NOT (m.origin_kind IN ('journey', 'campaign') AND m.origin_id IS NOT DISTINCT FROM %b::int4
           AND (%b::bool OR coalesce(m.entered_at, m.created_at) >= %b::timestamptz)
           AND m.created_at >= %b::timestamptz)
ORDER BY m.contact_id, m.accepted_at
"""
