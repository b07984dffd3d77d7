"""Loads who people are to the policy: where they are, what they allow, how they can be reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from channels import policy_places, policy_zones, visiting
from channels.charter_parts import Charter
from channels.policy_facts import Person
from contacts import consent, permission, statements, wishes

_NOTHING = consent.Held()
#: Attributes that may say in which state or region somebody lives; the first that is there counts.
STATE = ("state", "region")

_CONTACTS = """
SELECT c.id, c.email, c.phone, c.timezone, c.country, c.attributes->>%b, c.attributes->>%b, c.attributes->>%b,
       coalesce(c.attributes->>%b, c.attributes->>%b), c.attributes->>%b, p.value->>'label'
FROM contacts_contact c LEFT JOIN contacts_prediction p ON p.contact_id = c.id AND p.name = %b
WHERE c.id = ANY(%b::int8[])
"""


def people(contact_ids: Collection[int], rules_in_force: Charter, now: datetime) -> dict[int, Person]:
    """Who they are, where they can be reached, what they allow. A constant number of statements."""
    ids = list(contact_ids)
    source = rules_in_force.bands.source
    contacts = statements.rows(
        _CONTACTS, [permission.PAUSE, permission.WEEKLY, permission.QUIET, *STATE, source, source, ids]
    )
    addresses = {row[0]: {"email": row[1], "sms": row[2]} for row in contacts}
    for contact_id, channel, address in statements.rows(
        "SELECT contact_id, channel, address FROM contacts_channeladdress"
        " WHERE contact_id = ANY(%b::int8[]) AND active ORDER BY id",
        [ids],
    ):
        if contact_id in addresses:
            addresses[contact_id][channel] = address  # the newest stays
    suppressed = barred({pair for own in addresses.values() for pair in own.items()})
    consents = consent.held(ids, now)
    segments = _segments(ids, rules_in_force.segments)
    found: dict[int, Person] = {}
    for contact_id, _email, phone, timezone, country, pause, weekly, quiet, *more in contacts:
        state, declared, predicted = more
        held, own = consents.get(contact_id, _NOTHING), addresses[contact_id]
        found[contact_id] = Person(
            contact_id=contact_id,
            zones=policy_zones.candidates(timezone, country, phone, rules_in_force),
            consents=held.consents,
            why=held.why,
            addresses=own,
            suppressed=frozenset(
                channel for channel, address in own.items() if (channel, address) in suppressed
            ),
            paused_until=wishes.pause_from(pause),
            weekly=wishes.weekly_from(weekly),
            quiet=wishes.quiet_from(quiet),
            place=policy_places.place(country, phone, state),
            band=rules_in_force.bands.of(predicted, declared),
            segments=segments.get(contact_id, frozenset()),
        )
    return found


def _segments(contact_ids: Sequence[int], slugs: Collection[str]) -> dict[int, frozenset[str]]:
    """In which of the named segments each of these people is; nothing is asked when none is named."""
    if not slugs:
        return {}
    found: dict[int, set[str]] = defaultdict(set)
    for contact_id, slug in statements.rows(
        "SELECT m.contact_id, s.slug FROM contacts_segmentmembership m JOIN contacts_segment s"
        " ON s.id = m.segment_id WHERE m.contact_id = ANY(%b::int8[]) AND s.slug = ANY(%b::text[])",
        [contact_ids, list(slugs)],
    ):
        found[contact_id].add(slug)
    return {contact_id: frozenset(own) for contact_id, own in found.items()}


def add_visitors(people: Mapping[int, Person], since: datetime) -> None:
    """Let those be reached in-app who came with a browser or an app of their own after ``since``."""
    found = statements.rows(_VISITORS, [list(people), since])
    barred = consent.suppressed({(visiting.CHANNEL, address) for _id, address in found})
    for contact_id, address in found:
        own = people[contact_id].addresses
        if (visiting.CHANNEL, address) not in barred and isinstance(own, dict):
            own[visiting.CHANNEL] = address


_VISITORS = """
SELECT c.id, c.public_id::text FROM contacts_contact c
WHERE c.id = ANY(%b::int8[]) AND c.last_seen_at > %b AND EXISTS (
    SELECT FROM contacts_identifier i WHERE i.contact_id = c.id AND i.kind IN ('anonymous', 'device')
)
"""


def barred(pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of the (channel, address) pairs, those that must not be written to."""
    return consent.suppressed(pairs)
