"""People of a batch: found or made by identifiers, merged, told what was said about them, and stored.

Ingest and imports both go through here, so that a person is the same one whichever way they come in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from contacts import identity_rules, merging, profile_rows, slots
from contacts.directory import Identifier
from contacts.identifier_kinds import Kinds
from contacts.identity import Resolved, resolve
from contacts.profile import Origin, Profile

#: Column of contacts and its new value.
Changes = dict[str, Any]


class Told(Protocol):
    """What one event or one line of a file says about a person."""

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """Strongest first, at least one."""

    @property
    def occurred_at(self) -> datetime: ...

    @property
    def traits(self) -> dict[str, Any]: ...

    @property
    def surroundings(self) -> dict[str, Any]: ...

    @property
    def normal(self) -> bool:
        """Whether traits that have a column are in their one form already."""

    @property
    def origin(self) -> str:
        """Who says so, as in ``contacts.profile.Origin``: ``source:3``, ``import:12``."""


@dataclass(frozen=True, slots=True)
class People:
    """Who was told about, in order, and what changed of those that existed."""

    resolved: Resolved
    changes: dict[int, Changes]


def recognise(
    told: Sequence[Told], now: datetime, kinds: Kinds | None = None, *, seen: bool = True
) -> People:
    """Find or make the person of each, carry out merges, and store what is new about them.

    ``kinds`` are the identity rules of now, for callers that have read them. ``seen`` says whether the people
    were here: a line of a customer file is no visit. A constant number of statements. Call in a transaction;
    raises ``identity.ContendedError`` when others were in the way.
    """
    kinds = kinds or identity_rules.current()
    resolved = resolve([one.identifiers for one in told], [one.origin for one in told], now, kinds)
    return People(resolved, _update(told, resolved, now, seen, kinds.version))


def _update(
    told: Sequence[Told], resolved: Resolved, now: datetime, seen: bool, version: int
) -> dict[int, Changes]:
    """Store what was told about the contacts; returns what changed of those that existed."""
    concerned = {contact for contact, one in zip(resolved.contacts, told, strict=True) if one.traits}
    stored = {*concerned, *resolved.recognised, *resolved.merged, *resolved.merged.values()} - set(
        resolved.created
    )
    before = profile_rows.load(stored)
    by_time = sorted(zip(resolved.contacts, told, strict=True), key=lambda pair: pair[1].occurred_at)
    profiles = {contact: profile.copy() for contact, profile in before.items()}
    _begin(profiles, by_time, resolved, now)
    # Also of whom this batch makes it is kept how they were before: nothing was known of them.
    merging.merge(resolved.merged, profiles, now, fallen=resolved.fallen, rules_version=version)
    for loser, winner in resolved.merged.items():
        profiles[winner].absorb(profiles.pop(loser))
    for contact in resolved.recognised:
        profiles[contact].known = True
    times = _times(by_time)
    for contact, one in by_time:
        if profile := profiles.get(contact):
            origin = Origin.told(one.origin, one.occurred_at)
            profile.notice(one.surroundings, origin)
            profile.take(one.traits, now, origin, normal=one.normal)
    new = [one for one in profiles.values() if one.id not in before]
    changes = {
        contact: differences
        for contact, profile in profiles.items()
        if contact in before and (differences := profile.differences(before[contact]))
    }
    changed = [profiles[contact] for contact in changes]
    for profile in [*new, *changed]:
        profile.updated_at = now
        first, last = times.pop(profile.id)
        if seen:
            profile.see(first)
            profile.see(last)
    profile_rows.add(new)
    profile_rows.save(changed)
    if seen:
        profile_rows.saw(
            {contact: span for contact, span in times.items() if _widens(span, resolved, contact)}
        )
    return changes


def _begin(
    profiles: dict[int, Profile], by_time: Iterable[tuple[int, Told]], resolved: Resolved, now: datetime
) -> None:
    """Add the profiles of new contacts, seen first at their first event."""
    created = set(resolved.created)
    for contact, one in by_time:
        if contact in created and contact not in profiles:
            at = one.occurred_at
            profiles[contact] = Profile(contact, slots.of(contact), at, at, now)


def _times(by_time: Iterable[tuple[int, Told]]) -> dict[int, tuple[datetime, datetime]]:
    times: dict[int, tuple[datetime, datetime]] = {}
    for contact, one in by_time:
        first, _last = times.get(contact, (one.occurred_at, None))
        times[contact] = (first, one.occurred_at)
    return times


def _widens(seen: tuple[datetime, datetime], resolved: Resolved, contact: int) -> bool:
    known = resolved.seen[contact]
    return seen[0] < known.first or seen[1] > known.last
